"""`critpath check`: which checks are meant, and the exit code that a pipeline acts on."""

from __future__ import annotations

import pytest

from critpath import ConfigurationError, Outcome
from scheduler.cli.check import _milliseconds, exit_code, select
from scheduler.cli.common import NothingMatched
from tests.unit.scheduler.scheduler_doubles import CHECKS, CONFIGURATION, verdict

OF = {"S": Outcome.OK, "D": Outcome.DEGRADED, "F": Outcome.FAILED, "E": Outcome.ERROR, "A": Outcome.ABORTED}


@pytest.mark.parametrize(
    ("outcomes", "bad_before", "code"),
    [
        ("S", "", 0),
        ("SD", "", 0),
        ("SD", "0", 0),
        ("SF", "", 1),
        ("SF", "0", 1),
        ("SF", "1", 3),
        ("FF", "0", 1),
        ("FF", "01", 3),
        ("FE", "", 1),
        ("FE", "0", 3),
        ("SE", "", 4),
        ("E", "0", 4),
        ("SA", "", 4),
    ],
)
def test_the_exit_code_says_what_came_of_it(outcomes: str, bad_before: str, code: int) -> None:
    """0 all good · 1 failed · 3 failed, all of it before the deploy · 4 could not be told."""
    verdicts = [verdict(OF[letter], check=str(n)) for n, letter in enumerate(outcomes)]
    assert exit_code(verdicts, set(bad_before)) == code


def test_a_check_that_failed_once_of_several_times_failed() -> None:
    """Repeated runs are judged together."""
    assert exit_code([verdict(Outcome.OK), verdict(Outcome.FAILED), verdict(Outcome.OK)], set()) == 1


@pytest.mark.parametrize(
    ("names", "paths", "meant"),
    [
        ([], [], list(CHECKS)),
        (["search", "login"], [], ["login", "search"]),
        ([], ["audit", "ingestion"], ["ingest-roundtrip", "audit-roundtrip"]),
        (["search", "entity"], ["investigation"], ["search", "entity"]),
    ],
)
def test_names_and_paths_narrow_each_other(names: list[str], paths: list[str], meant: list[str]) -> None:
    """In the order of the configuration."""
    assert [check.name for check in select(CHECKS, names, paths, CONFIGURATION)] == meant


@pytest.mark.parametrize(
    ("names", "paths", "said"),
    [
        (["logon"], [], "there is no check 'logon'; there are login, refresh"),
        ([], ["authentication"], "there is no path 'authentication'; there are auth, investigation"),
        (["login"], ["audit"], "no enabled check matches"),
    ],
)
def test_a_gate_that_checks_nothing_is_not_green(names: list[str], paths: list[str], said: str) -> None:
    """It ends with 5 and says what there is."""
    with pytest.raises(NothingMatched, match=said) as caught:
        select(CHECKS, names, paths, CONFIGURATION)
    assert caught.value.exit_code == 5


def test_the_time_of_a_deploy_is_read_with_or_without_a_zone() -> None:
    """Without one it is UTC; what is no time is refused."""
    assert _milliseconds("2027-01-15T08:00:00Z") == _milliseconds("2027-01-15T08:00:00") == 1_800_000_000_000
    assert _milliseconds("2027-01-15T09:00:00+01:00") == 1_800_000_000_000
    with pytest.raises(ConfigurationError, match="'yesterday' is not a time"):
        _milliseconds("yesterday")
