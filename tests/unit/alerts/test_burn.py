"""
Burn-rate rules fire and clear at the millisecond that the arithmetic says.

An interval `(a, b)` of seconds means: not firing at a, firing 1 ms after a, firing 1 ms before b, not firing at b.
Firing starts after factor x (1 - objective) x long seconds of outage, and ends when the short window has lost all but
as many of its bad seconds: 51.84 and 4.32 for page-fast, 129.6 and 10.8 for page-slow, 259.2 and 21.6 for tickets.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.burn import HOLD_MS, RULES, BurnRule, BurnState, derive, firing, step
from alerts.sla import DAY_MS
from alerts.timeline import State, Timeline

THREE_NINES = Decimal("0.999")
PAGE_FAST, PAGE_SLOW, TICKET_FAST, TICKET_SLOW = RULES


def history(*segments: tuple[float, State], before_ms: int = 31 * DAY_MS) -> Timeline:
    """Return good time up to 0, then the segments, each from its second on."""
    return Timeline([(-before_ms, State.GOOD, ""), *((round(at * 1000), state, "") for at, state in segments)])


def bursts(length: float, every: float, times: int) -> Timeline:
    """Return short outages at regular intervals, the first at 0."""
    return history(*((n * every + x, s) for n in range(times) for x, s in ((0, State.BAD), (length, State.GOOD))))


def intervals(rule: BurnRule, timeline: Timeline, until: float) -> list[tuple[float, float]]:
    """
    Find when a rule fires between 0 and *until* seconds, exactly.

    Between two instants at which a transition enters or leaves a window, both bad times are linear in time. So each
    comparison changes there at most once, and that place is found by bisection.
    """
    end = round(until * 1000)
    moves = {e.start_ms + shift for e in timeline.episodes(0, end) for shift in (0, rule.short_ms, rule.long_ms)}
    marks = sorted({0, end} | {at for at in moves if 0 < at < end})
    changes = {0}
    for left, right in pairwise(marks):
        for window in (rule.long_ms, rule.short_ms):
            low, high, before = left, right, exceeds(rule, timeline, left, window)
            if before == exceeds(rule, timeline, right, window):
                continue
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if exceeds(rule, timeline, middle, window) == before else (low, middle)
            changes |= {low, high}
    found: list[tuple[float, float]] = []
    began: int | None = None
    for at in sorted(changes | {end}):
        if firing(rule, timeline, at, THREE_NINES):
            began = at if began is None else began
        elif began is not None:
            found.append(((began - 1) / 1000, at / 1000))
            began = None
    assert began is None, "still firing at the end: look further"
    return found


def exceeds(rule: BurnRule, timeline: Timeline, now: int, window: int) -> bool:
    """Compare one window, in milliseconds of bad time."""
    return timeline.spent(now - window, now).bad > rule.threshold(THREE_NINES) * window


@pytest.mark.parametrize(
    ("rule", "factor", "ratio", "bad_long", "bad_short"),
    [
        (PAGE_FAST, "14.4", "0.0144", "51.84", "4.32"),  # 0.02 x 720 h / 1 h
        (PAGE_SLOW, "6", "0.006", "129.6", "10.8"),  # 0.05 x 720 h / 6 h
        (TICKET_FAST, "3", "0.003", "259.2", "21.6"),  # 0.10 x 30 d / 1 d
        (TICKET_SLOW, "1", "0.001", "259.2", "21.6"),  # 0.10 x 30 d / 3 d
    ],
)
def test_the_factor_follows_from_the_share(rule: BurnRule, factor: str, ratio: str, bad_long: str, bad_short: str) -> None:
    """TC2: share x period / long window, exactly, and the short window is a twelfth of the long one."""
    assert Decimal(factor) == rule.factor
    assert Decimal(ratio) == rule.threshold(THREE_NINES)
    assert Decimal(bad_long) * 1000 == rule.threshold(THREE_NINES) * rule.long_ms
    assert Decimal(bad_short) * 1000 == rule.threshold(THREE_NINES) * rule.short_ms
    assert rule.long_ms == 12 * rule.short_ms


@pytest.mark.parametrize(
    ("days", "factors"),
    [
        (7, ["3.36", "1.4", "0.7", "0.2333"]),
        (28, ["13.44", "5.6", "2.8", "0.9333"]),
        (30, ["14.4", "6", "3", "1"]),
        (90, ["43.2", "18", "9", "3"]),
    ],
)
def test_other_periods_have_other_factors(days: int, factors: list[str]) -> None:
    """TC2: the shares stay, the factors are not rounded to whole numbers."""
    assert [Decimal(factor) for factor in factors] == [round(rule.factor, 4) for rule in derive(days * DAY_MS)]


def test_a_rule_that_can_never_fire_is_refused() -> None:
    """TC2: a total outage burns 10 times too fast at 90 %, so that a factor of 14.4 is out of reach."""
    with pytest.raises(ValueError, match=r"page-fast can never fire: its factor 14\.4 is not below 10,"):
        derive(30 * DAY_MS, objective=Decimal("0.9"))
    # 0.5 x 20 h / 1 h is exactly the greatest rate, and so is not exceeded by it
    even = BurnRule("even", "page", 3_600_000, 300_000, Decimal("0.5"), period_ms=20 * 3_600_000)
    with pytest.raises(ValueError, match="even can never fire: its factor 10 is not below 10,"):
        even.require_attainable(Decimal("0.9"))
    assert len(derive(30 * DAY_MS, objective=Decimal("0.95"))) == 4


def test_shares_are_replaced_by_name() -> None:
    """A share of one's own moves the factor of its rule; one for an unknown rule is a mistake."""
    fast, slow, *_ = derive(30 * DAY_MS, {"page-fast": Decimal("0.01")})
    assert (Decimal("7.2"), Decimal(6)) == (fast.factor, slow.factor)
    with pytest.raises(ValueError, match="no burn rule is called page-quick"):
        derive(30 * DAY_MS, {"page-quick": Decimal("0.01")})


@pytest.mark.parametrize(("long_ms", "short_ms", "share"), [(10, 20, "0.1"), (10, 0, "0.1"), (10, 5, "0"), (10, 5, "2")])
def test_a_rule_that_makes_no_sense_is_refused(long_ms: int, short_ms: int, share: str) -> None:
    """Windows nest, and a share is one."""
    with pytest.raises(ValueError, match="burn rule odd"):
        BurnRule("odd", "page", long_ms, short_ms, Decimal(share))


def test_a_rule_may_go_to_the_limits() -> None:
    """One window for both, as long as the period, and a share of everything."""
    rule = BurnRule("whole", "ticket", 1000, 1000, Decimal(1), period_ms=1000)
    # 1 ms of 1000 ms is the budget: at 1 ms it is spent, and not yet exceeded
    whole = Timeline([(0, State.BAD, "")])
    assert [firing(rule, whole, at, THREE_NINES) for at in (1, 2)] == [False, True]


@pytest.mark.parametrize("objective", ["0", "1"])
def test_no_rule_fits_an_objective_without_a_budget(objective: str) -> None:
    """There is nothing to burn at 100 %, and nothing to promise at 0 %."""
    with pytest.raises(ValueError, match="lies between 0 and 1"):
        PAGE_FAST.require_attainable(Decimal(objective))


@pytest.mark.parametrize(
    ("outage", "expected"),
    [
        (51, [[], [], [], []]),
        # clears when 300 s have only 4.32 bad ones left: 52 + 300 - 4.32
        (52, [[(51.84, 347.68)], [], [], []]),
        (60, [[(51.84, 355.68)], [], [], []]),
        # 240 + 1800 - 10.8 = 2029.2; 240 < 259.2 makes no ticket
        (240, [[(51.84, 535.68)], [(129.6, 2029.2)], [], []]),
        # 300 + 7200 - 21.6 = 7478.4; 300 + 21 600 - 21.6 = 21 878.4
        (300, [[(51.84, 595.68)], [(129.6, 2089.2)], [(259.2, 7478.4)], [(259.2, 21_878.4)]]),
    ],
)
def test_one_outage(outage: int, expected: list[list[tuple[float, float]]]) -> None:
    """TC3, TC4: which rules one outage fires, from when until when."""
    timeline = history((0, State.BAD), (outage, State.GOOD))
    assert expected == [intervals(rule, timeline, 4 * 86_400) for rule in RULES]


def test_exactly_the_threshold_does_not_fire() -> None:
    """The comparison is strict on both windows."""
    at = PAGE_FAST.long_ms
    exactly = history((0, State.BAD), (51.84, State.GOOD), (3600 - 4.32, State.GOOD))
    assert not firing(PAGE_FAST, exactly, 51_840, THREE_NINES)
    # 60 s in the long window, but only 4.32 s of them in the short one
    late = history((0, State.BAD), (55.68, State.GOOD), (3595.68, State.BAD))
    assert not firing(PAGE_FAST, late, at, THREE_NINES)
    assert firing(PAGE_FAST, late, at + 1, THREE_NINES)


def test_the_comparison_is_exact_where_the_factor_is_not() -> None:
    """In 28 days ticket-slow has the factor 0.9333…, and fires after exactly 241.92 s."""
    rule = derive(28 * DAY_MS)[3]
    timeline = history((0, State.BAD))
    # 0.1 x 28 d x 0.001 = 241.92 s
    assert [firing(rule, timeline, at, THREE_NINES) for at in (241_920, 241_921)] == [False, True]


def test_flapping() -> None:
    """TC6: 30 s of outage in every 600 s, 36 times."""
    timeline = bursts(30, 600, 36)
    fast = intervals(PAGE_FAST, timeline, 100_000)
    # 30 s are not enough; the second burst reaches 51.84 s after 21.84 s, and the third, after the first has begun to
    # leave the hour, no sooner than 4.32 s
    assert fast[0] == (621.84, 925.68)
    assert fast[1][0] == 1204.32
    assert len(fast) == 35
    assert fast[-1][1] == 21_325.68  # 35 x 600 + 30 + 300 - 4.32
    assert intervals(PAGE_SLOW, timeline, 100_000) == [(2409.6, 22_819.2)]
    assert intervals(TICKET_FAST, timeline, 100_000) == [(4819.2, 28_208.4)]
    assert intervals(TICKET_SLOW, timeline, 300_000) == [(4819.2, 42_608.4)]


@pytest.mark.parametrize(
    ("hold_ms", "alerts", "cleared"),
    [
        (0, 35, 21_325.68),
        (278_640, 35, 21_604.32),
        (278_641, 1, 21_604.321),  # any hold longer than the pauses of 1204.32 - 925.68 = 278.64 s
        (300_000, 1, 21_625.68),
        (HOLD_MS, 1, 22_225.68),
    ],
)
def test_holding_makes_one_alert_of_many(hold_ms: int, alerts: int, cleared: float) -> None:
    """TC6: evaluated to the millisecond around every change, 35 alerts become one if they are held long enough."""
    timeline, state = bursts(30, 600, 36), BurnState()
    moments = {0}
    for began, ended in intervals(PAGE_FAST, timeline, 100_000):
        for at in (round(began * 1000), round(ended * 1000), round(ended * 1000) + hold_ms):
            moments |= {at - 1, at, at + 1}
    seen: list[tuple[bool, float]] = []
    for now in sorted(moments):
        after = step(state, PAGE_FAST, timeline, now, THREE_NINES, hold_ms=hold_ms)
        if after.firing != state.firing:
            seen.append((after.firing, now / 1000))
        state = after
    assert 2 * alerts == len(seen)
    assert [(True, 621.841), (False, cleared)] == [seen[0], seen[-1]]


def test_a_slow_burn_makes_a_ticket() -> None:
    """TC7: 7.2 s at the start of each hour; 36 of them are exactly 259.2 s and not more, the 37th fires."""
    timeline = bursts(7.2, 3600, 96)
    until = 5 * 86_400
    assert [intervals(rule, timeline, until) for rule in (PAGE_FAST, PAGE_SLOW, TICKET_FAST)] == [[], [], []]
    fired = intervals(TICKET_SLOW, timeline, until)
    assert (fired[0][0], fired[-1][1]) == (129_600, 352_807.2)


def test_parallel_outages_burn_once() -> None:
    """TC11: of A [0,300), B [120,420), C [600,660) the union fires page-fast once."""
    union = history((0, State.BAD), (420, State.GOOD), (600, State.BAD), (660, State.GOOD))
    assert intervals(PAGE_FAST, union, 20_000) == [(51.84, 955.68)]  # 660 + 300 - 4.32


def test_a_cold_start_fires_no_more_than_a_month_of_history() -> None:
    """TC12: with 600 s of history a minute of outage fires page-fast and nothing else."""
    timeline = history((0, State.BAD), (60, State.GOOD), before_ms=600_000)
    assert [intervals(rule, timeline, 90_000) for rule in RULES] == [[(51.84, 355.68)], [], [], []]


def test_an_outage_that_is_confirmed_later_burns_from_its_start() -> None:
    """TC13: bad from 60 to 300."""
    timeline = history((60, State.BAD), (300, State.GOOD))
    assert intervals(PAGE_FAST, timeline, 20_000)[0][0] == 111.84
    assert intervals(PAGE_SLOW, timeline, 20_000)[0][0] == 189.6


def changes(timeline: Timeline, until: int, every: int = 15) -> list[tuple[int, bool]]:
    """Evaluate page-fast every so many seconds from 0 and return (second, fires) at each change."""
    state, seen = BurnState(), []
    for now in range(0, until, every):
        after = step(state, PAGE_FAST, timeline, now * 1000, THREE_NINES)
        if after.firing != state.firing:
            seen.append((now, after.firing))
        state = after
    return seen


def test_an_alert_is_held_for_a_quarter_of_an_hour() -> None:
    """TC3: evaluated every 15 s, a minute fires at 60; the condition is over at 360, and 900 s later the alert is."""
    timeline = history((0, State.BAD), (60, State.GOOD))
    assert changes(timeline, 20_000) == [(60, True), (1260, False)]


def test_silence_neither_fires_nor_clears() -> None:
    """TC8: 120 s bad, then 7200 s of silence; the alert lasts until 900 s after it is seen that all is well."""
    timeline = history((0, State.BAD), (120, State.UNKNOWN), (7320, State.GOOD))
    # 90 % of 300 s are measured again at 7320 + 270 = 7590
    assert changes(timeline, 20_000) == [(60, True), (7590 + 900, False)]


def test_maintenance_does_not_clear_an_alert_by_being_entered() -> None:
    """TC10: an outage of 15 min, maintenance from 5 min on for 30 min."""
    timeline = history((0, State.BAD), (300, State.MAINTENANCE), (2100, State.GOOD))
    # 90 % of 300 s are measured again at 2100 + 270 = 2370
    assert changes(timeline, 20_000) == [(60, True), (2370 + 900, False)]


def test_an_alert_that_fires_again_while_held_is_the_same_alert() -> None:
    """The start of an alert stays, and its hold begins anew."""
    timeline = history((0, State.BAD), (60, State.GOOD), (600, State.BAD), (660, State.GOOD))
    # 660 + 300 - 4.32 = 955.68, seen at 960
    assert changes(timeline, 20_000) == [(60, True), (960 + 900, False)]


def test_a_frozen_step_says_so() -> None:
    """Nothing but the flag changes where less than 90 % of the short window was measured."""
    timeline = Timeline([(0, State.GOOD, "")])
    before = BurnState(since_ms=5, quiet_since_ms=7)
    assert BurnState(5, 7, frozen=True) == step(before, PAGE_FAST, timeline, 269_999, THREE_NINES)
    assert BurnState(5, 7) == step(before, PAGE_FAST, timeline, 270_000, THREE_NINES)
    assert not step(BurnState(), PAGE_FAST, timeline, 300_000, THREE_NINES).firing


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(1, 400), st.sampled_from(State)), max_size=12), st.sampled_from(RULES))
def test_silence_never_fires_what_goodness_would_not(parts: list[tuple[int, State]], rule: BurnRule) -> None:
    """A history with all unknown time turned good fires exactly when the history itself does."""
    known, unknown, at = history(), history(), 0
    for seconds, state in parts:
        unknown.append(at * 1000, state)
        known.append(at * 1000, State.GOOD if state is State.UNKNOWN else state)
        at += seconds
    assert firing(rule, known, at * 1000, THREE_NINES) == firing(rule, unknown, at * 1000, THREE_NINES)
