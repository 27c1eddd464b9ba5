"""
The contract between critpath and a probe. Standard library only.

Plug-ins and operators' own probe files import this package and nothing else of critpath.
"""

from critpath.checking import check_that
from critpath.clock import Clock, SystemClock
from critpath.errors import (
    ConfigurationError,
    CritpathError,
    OperatorError,
    ProbeError,
    ProbeException,
    ProbeFailed,
)
from critpath.model import Outcome, Reason, Result, RunClass, Step, Verdict
from critpath.probe import Answer, Canary, Context, Page, Probe, Rotation, Session, Toolbox
from critpath.run import run_probe

__all__ = [
    "Answer",
    "Canary",
    "Clock",
    "ConfigurationError",
    "Context",
    "CritpathError",
    "OperatorError",
    "Outcome",
    "Page",
    "Probe",
    "ProbeError",
    "ProbeException",
    "ProbeFailed",
    "Reason",
    "Result",
    "Rotation",
    "RunClass",
    "Session",
    "Step",
    "SystemClock",
    "Toolbox",
    "Verdict",
    "check_that",
    "run_probe",
]
