"""Does the schedule fit? The arithmetic at Summit's limits, and what is said where it does not."""

from __future__ import annotations

from typing import Any

import pytest

from config import Settings
from config.profile import Limits
from scheduler.plan import plan
from tests.unit.scheduler.scheduler_doubles import CONFIGURATION

SUMMIT = CONFIGURATION.settings


def settings(intervals: dict[str, float] | None = None, limits: Limits | None = None, **every: Any) -> Settings:
    """Return the example's settings with other intervals, limits, or fields of every check."""
    checks = {
        name: check.model_copy(update={"interval": (intervals or {}).get(name, check.interval), **every})
        for name, check in SUMMIT.checks.items()
    }
    return SUMMIT.model_copy(update={"checks": checks, **({"limits": limits} if limits else {})})


def test_the_default_schedule_fits_summits_limits() -> None:
    """
    84 of 88 requests within a quarter of an hour, and no more than three logins of any account.

    3 * 2 login + 3 * 3 refresh + 3 * 3 permissions + 1 * 6 sign-in + 8 each of search, entity and expand (900 / 120 = 7.5)
    + 3 * 6 ingest + 3 * 4 audit = 6 + 9 + 9 + 6 + 24 + 18 + 12.
    """
    made = plan(SUMMIT)
    assert (made.window, made.requests, made.allowed) == (900.0, 84, 88)
    assert (made.logins, made.logins_allowed) == ({"login": 3, "browser": 1}, 3)
    assert {line.check: line.requests for line in made.lines} == {
        "login": 6,
        "refresh": 9,
        "permissions": 9,
        "sign-in": 6,
        "search": 8,
        "entity": 8,
        "expand": 8,
        "ingest-roundtrip": 18,
        "audit-roundtrip": 12,
    }
    assert made.problems() == []
    assert made.fits


def test_a_schedule_that_asks_too_much_is_refused_with_the_remedy() -> None:
    """Ingestion every minute: 15 * 6 = 90 instead of 18, so 156 of 88: intervals 1.8 times as long."""
    made = plan(settings({"ingest-roundtrip": 60.0}))
    assert not made.fits
    assert made.problems() == [
        "156 requests in 900 s, but only 88 are allowed besides the reserve; the dearest are ingest-roundtrip, "
        "audit-roundtrip, refresh: make every interval 1.8 times as long, or theirs longer still"
    ]


def test_too_many_logins_of_one_account_are_refused() -> None:
    """Four within the window, where three are allowed besides the reserve."""
    made = plan(settings({"login": 225.0}))
    assert [problem for problem in made.problems() if "logins" in problem] == [
        "4 logins of 'login' in 900 s, but only 3 are allowed besides the reserve: "
        "make the interval of its checks longer, or give one of them an account of its own"
    ]


def test_exactly_what_is_allowed_fits() -> None:
    """88 of 88 fit, and 89 do not."""
    limits = [Limits.model_validate({"requests": {"count": count, "per": "15m", "reserve": 12}}) for count in (96, 95)]
    assert [plan(settings(limits=each)).fits for each in limits] == [True, False]


def test_without_limits_everything_fits() -> None:
    """It is counted for a quarter of an hour all the same."""
    made = plan(settings(limits=Limits()))
    assert (made.window, made.requests, made.allowed, made.logins_allowed, made.fits) == (900.0, 84, None, None, True)


def test_a_check_that_is_switched_off_asks_nothing() -> None:
    """It is no line of the plan."""
    assert plan(settings(enabled=False)).lines == ()


def test_limits_of_logins_alone_have_their_own_window() -> None:
    """One hour: twelve logins and four through the browser, of three allowed."""
    made = plan(settings(limits=Limits.model_validate({"logins": {"count": 4, "per": "1h", "reserve": 1}})))
    assert (made.window, made.logins["login"]) == (3600.0, 12)
    assert len(made.problems()) == 2


# Left free are 88 - 84 = 4, and half of the reserve of 12: 10 requests in 900 s.
# A check of one request: 900 / 10 = 90 s; two of them: 180 s, but never slower than its interval of 120 s.
@pytest.mark.parametrize(
    ("check", "urgent", "seconds"),
    [("search", 1, 90.0), ("search", 2, 120.0), ("permissions", 1, 270.0), ("ingest-roundtrip", 1, 300.0), ("login", 1, 225.0)],
)
def test_an_outage_is_watched_as_closely_as_the_limits_allow(check: str, urgent: int, seconds: float) -> None:
    """Watching one outage must not throttle everything else; for logins it is 900 s / 4."""
    assert plan(SUMMIT).urgent_interval(SUMMIT.checks[check], SUMMIT, urgent) == seconds


def test_without_limits_an_outage_is_watched_at_the_recheck() -> None:
    """Every 15 s."""
    free = settings(limits=Limits())
    assert plan(free).urgent_interval(free.checks["search"], free) == 15.0
