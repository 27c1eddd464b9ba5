"""
The SLA account: windows, ratios and the error budget. Exact: integer milliseconds and `Decimal`, never a float.

With G, B, U and M the milliseconds good, bad, unknown and in maintenance, and P the length of the period:

    measured     G / (G + B)            what we saw, of what we could see
    pessimistic  G / (G + B + U)        as if all we did not see had been an outage
    coverage     (G + B) / (G + B + U)  how much we saw
    budget       (1 - objective) x (P - M)
    burn rate    B / ((1 - objective) x window): 1 spends the budget in exactly one period

Maintenance is taken out of both sides and shrinks the budget; unknown time does neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from alerts.timeline import Spent, Timeline

DAY_MS = 86_400_000
PROVEN = Decimal("0.99")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """The time from *start_ms* up to but not including *end_ms*, UTC epoch milliseconds."""

    start_ms: int
    end_ms: int

    @property
    def length_ms(self) -> int:
        """The length, which for a calendar month depends on the zone's clock changes."""
        return self.end_ms - self.start_ms

    @classmethod
    def rolling(cls, now: int, *, days: int = 0, ms: int = 0) -> Window:
        """Return the window of *days* and *ms* together that ends now."""
        return cls(now - days * DAY_MS - ms, now)

    @classmethod
    def month(cls, year: int, month: int, zone: str) -> Window:
        """
        Return the calendar month of an IANA zone, as instants of UTC.

        Raises:
            zoneinfo.ZoneInfoNotFoundError: there is no such zone.
        """
        return cls(_midnight(year, month, zone), _midnight(year + month // 12, month % 12 + 1, zone))

    @classmethod
    def month_of(cls, now: int, zone: str) -> Window:
        """Return the calendar month of *zone* in which *now* lies."""
        local = (_EPOCH + timedelta(milliseconds=now)).astimezone(ZoneInfo(zone))
        return cls.month(local.year, local.month, zone)


class Claim(StrEnum):
    """What may be said about an objective. Silence proves nothing, so there are three."""

    MET = "met"
    NOT_MET = "not met"
    NOT_PROVEN = "not proven"


@dataclass(frozen=True, slots=True)
class Assessment:
    """
    One path against its objective in one window. Ratios lie in [0, 1], are unrounded, or are None over no time.

    *remaining_ms* and *remaining_ratio* are signed: below zero is how far the budget is overspent. *complete* is false
    while the window has time yet to come; then *spent*, the ratios and *coverage* are of the part that is over, while
    the budget is that of the whole window, less the maintenance so far.
    """

    window: Window
    objective: Decimal
    spent: Spent
    measured: Decimal | None
    pessimistic: Decimal | None
    coverage: Decimal | None
    budget_ms: Decimal
    remaining_ms: Decimal
    remaining_ratio: Decimal | None
    verdict: Claim
    complete: bool

    @property
    def used_ratio(self) -> Decimal | None:
        """The part of the budget that is spent; above 1 when overspent."""
        return None if self.remaining_ratio is None else 1 - self.remaining_ratio


def assess(timeline: Timeline, window: Window, objective: Decimal, now: int) -> Assessment:
    """
    Judge a path's history against its objective, up to *now*: pass the frontier of the path, not the wall clock.

    Not met where more is bad than the budget holds; exactly the budget is still met. Met needs a coverage of 99 %
    besides, and over a complete window a measured ratio that is not below the objective. All else is not proven.
    A window that is not over is judged by what is over: its coverage is that of the elapsed part, and "met" says only
    that the budget of the whole window is not overspent so far.

    Raises:
        ValueError: the objective is not above 0 and at most 1.
    """
    if not 0 < objective <= 1:
        raise ValueError(f"an objective is above 0 and at most 1, not {objective}")
    spent = timeline.spent(window.start_ms, min(window.end_ms, now))
    seen = spent.good + spent.bad
    expected = seen + spent.unknown
    budget = (1 - objective) * (window.length_ms - spent.maintenance)
    remaining = budget - spent.bad
    complete = now >= window.end_ms
    if remaining < 0:
        verdict = Claim.NOT_MET
    elif seen == 0 or seen < PROVEN * expected or (complete and spent.good < objective * seen):
        verdict = Claim.NOT_PROVEN
    else:
        verdict = Claim.MET
    return Assessment(
        window=window,
        objective=objective,
        spent=spent,
        measured=ratio(spent.good, seen),
        pessimistic=ratio(spent.good, expected),
        coverage=ratio(seen, expected),
        budget_ms=budget,
        remaining_ms=remaining,
        remaining_ratio=ratio(remaining, budget),
        verdict=verdict,
        complete=complete,
    )


def burn_rate(timeline: Timeline, now: int, window_ms: int, objective: Decimal) -> Decimal:
    """
    Return how many times too fast the budget is being spent, in the window that ends at *now*.

    The divisor is the length of the window itself, not the part of it for which there is data: ten minutes of history
    do not make a one-minute outage a catastrophe. The greatest possible rate is 1 / (1 - objective).

    Raises:
        ValueError: the objective leaves no budget to burn, or the window no time.
    """
    if not 0 < objective < 1 or window_ms <= 0:
        raise ValueError(f"no budget can be burnt with an objective of {objective} in {window_ms} ms")
    return timeline.spent(now - window_ms, now).bad / ((1 - objective) * window_ms)


def coverage(timeline: Timeline, now: int, window_ms: int) -> Decimal:
    """
    Return the part of the window ending at *now* that we measured: good or bad, of all its time.

    Other than in `Assessment.coverage`, maintenance is a hole here too: this says whether a fresh judgement can be
    made, not whether we did our duty.
    """
    if window_ms <= 0:
        raise ValueError(f"a window has a length above 0 ms, not {window_ms}")
    spent = timeline.spent(now - window_ms, now)
    return Decimal(spent.good + spent.bad) / window_ms


def ratio(part: int | Decimal, whole: int | Decimal) -> Decimal | None:
    """Divide, or return None where there is nothing to divide by."""
    return Decimal(part) / Decimal(whole) if whole else None


def _midnight(year: int, month: int, zone: str) -> int:
    first = datetime(year, month, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return (first - _EPOCH) // timedelta(milliseconds=1)
