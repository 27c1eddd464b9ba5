"""
Multi-window, multi-burn-rate rules: they catch the outages that come and go, each too short to open an incident.

A rule fires while more than its share of the period's budget would be gone at the present pace, both over its long
window and over its short one; the short one lets it clear soon after the end. Compared are exact milliseconds: bad
time in the long window > share x period x (1 - objective), and the same scaled down for the short window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from alerts.sla import DAY_MS, coverage
from alerts.timeline import Timeline

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
HOLD_MS = 15 * MINUTE_MS
SEEN_ENOUGH = Decimal("0.9")


@dataclass(frozen=True, slots=True)
class BurnRule:
    """One pair of windows, and the *share* of the budget of *period_ms* that must be going in the long one."""

    name: str
    severity: Literal["page", "ticket"]
    long_ms: int
    short_ms: int
    share: Decimal
    period_ms: int = 30 * DAY_MS

    def __post_init__(self) -> None:
        """Refuse windows that do not nest, and a share of nothing or of more than everything."""
        if not 0 < self.short_ms <= self.long_ms <= self.period_ms:
            raise ValueError(f"burn rule {self.name}: needs 0 < short <= long <= period")
        if not 0 < self.share <= 1:
            raise ValueError(f"burn rule {self.name}: a share of the budget is above 0 and at most 1, not {self.share}")

    @property
    def factor(self) -> Decimal:
        """The burn rate to be exceeded: share x period / long window."""
        return self.share * self.period_ms / self.long_ms

    def threshold(self, objective: Decimal) -> Decimal:
        """Return the ratio of bad time to be exceeded in both windows: factor x (1 - objective)."""
        return self.factor * (1 - objective)

    def require_attainable(self, objective: Decimal) -> None:
        """
        Make sure that a total outage would fire the rule.

        Raises:
            ValueError: it never could; says which rule it is and why.
        """
        if not 0 < objective < 1:
            raise ValueError(f"burn rule {self.name}: an objective lies between 0 and 1, not {objective}")
        if self.share * self.period_ms * (1 - objective) >= self.long_ms:
            raise ValueError(
                f"burn rule {self.name} can never fire: its factor {_short(self.factor)} is not below "
                f"{_short(1 / (1 - objective))}, the burn rate of a total outage with an objective of {objective}"
            )


RULES = (
    BurnRule("page-fast", "page", HOUR_MS, 5 * MINUTE_MS, Decimal("0.02")),
    BurnRule("page-slow", "page", 6 * HOUR_MS, 30 * MINUTE_MS, Decimal("0.05")),
    BurnRule("ticket-fast", "ticket", DAY_MS, 2 * HOUR_MS, Decimal("0.10")),
    BurnRule("ticket-slow", "ticket", 3 * DAY_MS, 6 * HOUR_MS, Decimal("0.10")),
)


def derive(
    period_ms: int, shares: Mapping[str, Decimal] | None = None, objective: Decimal = Decimal("0.999")
) -> tuple[BurnRule, ...]:
    """
    Return `RULES` for another period: the windows and shares stay, so the factors change with the period.

    *shares* replaces shares by the name of the rule.

    Raises:
        ValueError: a share is for a rule that does not exist, or a rule could never fire; names the rule.
    """
    shares = shares or {}
    known = {rule.name for rule in RULES}
    if stray := sorted(set(shares) - known):
        raise ValueError(f"no burn rule is called {', '.join(stray)}; there are {', '.join(sorted(known))}")
    rules = tuple(replace(rule, period_ms=period_ms, share=shares.get(rule.name, rule.share)) for rule in RULES)
    for rule in rules:
        rule.require_attainable(objective)
    return rules


def firing(rule: BurnRule, timeline: Timeline, now: int, objective: Decimal) -> bool:
    """Tell whether both windows that end at *now* exceed the threshold. Exactly the threshold does not."""
    limit = rule.share * rule.period_ms * (1 - objective)
    bad_long = timeline.spent(now - rule.long_ms, now).bad
    bad_short = timeline.spent(now - rule.short_ms, now).bad
    # Multiplied out: the factor of a rule may have no end of digits, the products do.
    return bad_long > limit and bad_short * rule.long_ms > limit * rule.short_ms


@dataclass(frozen=True, slots=True)
class BurnState:
    """
    Where the alert of one rule and path stands. *since_ms*: when it began to fire, None while it does not.

    *quiet_since_ms* is when the condition was first seen to be over. *frozen*: the last step could not judge.
    """

    since_ms: int | None = None
    quiet_since_ms: int | None = None
    frozen: bool = False

    @property
    def firing(self) -> bool:
        """Whether the alert is up, be it only by hold-down."""
        return self.since_ms is not None


def step(  # noqa: PLR0913 - what is judged, by what, and when
    state: BurnState, rule: BurnRule, timeline: Timeline, now: int, objective: Decimal, *, hold_ms: int = HOLD_MS
) -> BurnState:
    """
    Evaluate a rule at *now*, the frontier of the path, and return the state that follows.

    An alert clears once its condition has been over for *hold_ms*. While less than 90 % of the short window was
    measured (we were down, or in maintenance) the alert is frozen: it neither fires nor clears.
    """
    if coverage(timeline, now, rule.short_ms) < SEEN_ENOUGH:
        return replace(state, frozen=True)
    if firing(rule, timeline, now, objective):
        return BurnState(since_ms=now if state.since_ms is None else state.since_ms)
    if state.since_ms is None:
        return BurnState()
    quiet_since = now if state.quiet_since_ms is None else state.quiet_since_ms
    return BurnState() if now - quiet_since >= hold_ms else BurnState(state.since_ms, quiet_since)


def _short(value: Decimal) -> str:
    return f"{value.normalize():f}"[:12]
