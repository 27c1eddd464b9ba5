"""The names of the contract, and what errors and results say of themselves."""

from __future__ import annotations

import subprocess
import sys

import pytest

import critpath
from critpath import (
    ConfigurationError,
    CritpathError,
    OperatorError,
    Outcome,
    ProbeError,
    ProbeFailed,
    Reason,
    Result,
    RunClass,
)
from critpath.probe import Rotation


def test_every_exported_name_exists() -> None:
    """`__all__` is sorted, complete and true."""
    assert sorted(critpath.__all__) == critpath.__all__
    assert all(hasattr(critpath, name) for name in critpath.__all__)


def test_the_contract_needs_the_standard_library_alone() -> None:
    """Importing it, doubles included, brings in no other distribution."""
    script = (
        "import sys; before = set(sys.modules); import critpath, critpath.testing;"
        "print(*{n.partition('.')[0] for n in set(sys.modules) - before} - sys.stdlib_module_names)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["critpath"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (CritpathError(), "Something in critpath went wrong."),
        (ProbeFailed(Reason.LOST), "The target did not do what the path needs."),
        (ProbeError(Reason.BUG), "We could not tell whether the target works."),
        (ProbeFailed(Reason.LOST, "it is lost"), "it is lost"),
    ],
)
def test_an_error_without_a_message_says_what_it_is(error: CritpathError, message: str) -> None:
    """The first line of its docstring is the default."""
    assert str(error) == message


def test_an_operators_mistakes_carry_their_exit_code() -> None:
    """1 for what went wrong, 2 for the configuration."""
    assert (OperatorError("x").exit_code, ConfigurationError("x").exit_code) == (1, 2)


def test_only_ok_and_degraded_work() -> None:
    """Nothing else was seen to work."""
    assert {outcome for outcome in Outcome if outcome.works} == {Outcome.OK, Outcome.DEGRADED}


def test_on_demand_runs_do_not_count() -> None:
    """Scheduled and confirming runs move the account."""
    assert {each for each in RunClass if each.counts} == {RunClass.SCHEDULED, RunClass.CONFIRM}


def test_a_rotation_never_shows_its_tokens() -> None:
    """It may end up in a log line."""
    assert repr(Rotation("aaa", "bbb", "ccc")) == "Rotation()"


def test_a_result_without_a_broken_step_names_none() -> None:
    """A failure outside of every step has no step."""
    result = Result("r", "c", "p", RunClass.SCHEDULED, 1, 0, 1.0004, Outcome.FAILED)
    assert result.failing_step == ""
    assert result.ended_ms == 1000
