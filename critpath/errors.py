"""
Everything that critpath raises.

    CritpathError                  catch this to catch all of ours
    ├── ProbeException             an attempt is over; carries its outcome and reason
    │   ├── ProbeFailed            the target's fault: may make a path bad
    │   └── ProbeError             our own fault: makes a path unknown, never bad
    └── OperatorError              what a person at the command line can mend; carries an exit code
        └── ConfigurationError     one or more mistakes in the configuration
"""

from __future__ import annotations

from critpath.model import Outcome, Reason


class CritpathError(Exception):
    """Something in critpath went wrong."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").strip().splitlines()[0])


class ProbeException(CritpathError):
    """An attempt ended before its script did."""

    outcome: Outcome = Outcome.ERROR

    def __init__(self, reason: Reason, message: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class ProbeFailed(ProbeException):
    """The target did not do what the path needs."""

    outcome = Outcome.FAILED


class ProbeError(ProbeException):
    """We could not tell whether the target works."""

    outcome = Outcome.ERROR


class OperatorError(CritpathError):
    """Something an operator can mend. Printed without a traceback; *exit_code* ends the command."""

    exit_code = 1


class ConfigurationError(OperatorError):
    """The configuration cannot be used."""

    exit_code = 2
