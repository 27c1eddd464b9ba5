"""The SLA account, to the last digit. Arithmetic is in the comments; seconds where nothing else is said."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfoNotFoundError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.sla import DAY_MS, Assessment, Claim, Window, assess, burn_rate, coverage
from alerts.timeline import Spent, State, Timeline

THREE_NINES = Decimal("0.999")
MONTH = 30 * DAY_MS


def ms(seconds: float | str) -> int:
    """Return seconds as milliseconds."""
    return int(Decimal(str(seconds)) * 1000)


def instant(text: str) -> int:
    """Return an ISO time of UTC as epoch milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def history(*segments: tuple[float, State], before: int = 31 * DAY_MS) -> Timeline:
    """Return good time up to 0, then the segments, each from its second on."""
    return Timeline([(-before, State.GOOD, ""), *((ms(at), state, "") for at, state in segments)])


def outage(seconds: float) -> Timeline:
    """Return an outage that starts at 0, after a good month."""
    return history((0, State.BAD), (seconds, State.GOOD))


def rolling(timeline: Timeline, at_seconds: float) -> Assessment:
    """Judge the 30 days that end so many seconds after 0."""
    now = ms(at_seconds)
    return assess(timeline, Window.rolling(now, days=30), THREE_NINES, now)


def percent(ratio: Decimal | None, digits: int = 6) -> str:
    """Return a ratio as a percentage of so many digits."""
    assert ratio is not None
    return f"{100 * ratio:.{digits}f}"


@pytest.mark.parametrize(
    ("window", "budget"),
    [
        (Window.rolling(0, days=7), "604.8"),
        (Window.rolling(0, days=28), "2419.2"),
        (Window.rolling(0, days=30), "2592"),
        (Window.rolling(0, days=31), "2678.4"),
        # the mean month of the Gregorian calendar: 365.2425 d / 12 = 2 629 746 s
        (Window.rolling(0, ms=2_629_746_000), "2629.746"),
        (Window.month(2027, 2, "UTC"), "2419.2"),
        (Window.month(2028, 2, "UTC"), "2505.6"),
        (Window.month(2027, 3, "Europe/Berlin"), "2674.8"),  # 743 h
        (Window.month(2027, 10, "Europe/Berlin"), "2682.0"),  # 745 h
        (Window.month(2027, 11, "America/New_York"), "2595.6"),  # 721 h
        (Window.month(2027, 12, "UTC"), "2678.4"),
    ],
)
def test_the_budget_is_a_thousandth_of_the_window(window: Window, budget: str) -> None:
    """TC1: months have the length that the clock changes of their zone give them."""
    assert 1000 * Decimal(budget) == assess(Timeline(), window, THREE_NINES, window.end_ms).budget_ms


def test_a_month_is_that_of_its_zone() -> None:
    """The same instant lies in January in one zone and in February in another."""
    now = instant("2027-01-31T23:30:00")
    assert Window.month(2027, 1, "UTC") == Window.month_of(now, "UTC")
    assert Window.month(2027, 2, "Europe/Berlin") == Window.month_of(now, "Europe/Berlin")
    assert instant("2027-01-31T23:00:00") == Window.month_of(now, "Europe/Berlin").start_ms
    assert Window(instant("2026-12-01T05:00:00"), instant("2027-01-01T05:00:00")) == Window.month(2026, 12, "America/New_York")


def test_a_zone_that_does_not_exist_is_an_error() -> None:
    """A month needs a zone of the IANA database."""
    with pytest.raises(ZoneInfoNotFoundError):
        Window.month(2027, 1, "Mars/Olympus")


@pytest.mark.parametrize(
    ("window", "rate"),
    [
        # 60 s / (0.001 x window)
        (300, "200"),
        (1800, "33.3333333"),
        (3600, "16.6666667"),
        (21_600, "2.7777778"),
        (86_400, "0.6944444"),
        (259_200, "0.2314815"),
        (2_592_000, "0.0231481"),
    ],
)
def test_burn_rates_of_a_minute_of_outage(window: int, rate: str) -> None:
    """TC3: the burn is bad time over the budget of the whole window."""
    burn = burn_rate(outage(60), ms(60), ms(window), THREE_NINES)
    assert Decimal(rate) == round(burn, len(rate.partition(".")[2]))


@pytest.mark.parametrize(
    ("seconds", "remaining", "measured"),
    [
        # remaining = 1 - bad / 2592; measured = 1 - bad / 2 592 000
        (60, "97.68519", "99.997685"),
        (240, "90.74074", "99.990741"),
        (300, "88.42593", "99.988426"),
        (2592, "0.00000", "99.900000"),
        (2700, "-4.16667", "99.895833"),
    ],
)
def test_what_an_outage_costs(seconds: int, remaining: str, measured: str) -> None:
    """TC3-TC5: remaining budget is signed, ratios are exact."""
    seen = rolling(outage(seconds), seconds)
    assert (remaining, measured) == (percent(seen.remaining_ratio, 5), percent(seen.measured))


def test_exactly_the_budget_is_met() -> None:
    """TC5: 2592.000 s of outage in 30 days leave nothing and break nothing; a millisecond more does."""
    seen = rolling(outage(2592), 2592)
    assert (Decimal(0), Decimal(0), THREE_NINES) == (seen.remaining_ms, seen.remaining_ratio, seen.measured)
    assert (seen.verdict, seen.complete) == (Claim.MET, True)
    over = rolling(outage(2700), 2592.001)
    assert (Claim.NOT_MET, Decimal(-1)) == (over.verdict, over.remaining_ms)
    assert Claim.MET is rolling(outage(2700), 2592).verdict


def test_unknown_time_is_neither_up_nor_down() -> None:
    """TC8: 120 s bad and 7200 s of silence: three numbers, and the objective is met."""
    seen = rolling(history((0, State.BAD), (120, State.UNKNOWN), (7320, State.GOOD)), 7320)
    assert percent(seen.measured) == "99.995357"  # 1 - 120 / 2 584 800
    assert percent(seen.pessimistic) == "99.717593"  # 1 - 7320 / 2 592 000
    assert percent(seen.coverage) == "99.722222"  # 2 584 800 / 2 592 000
    assert percent(seen.used_ratio, 5) == "4.62963"  # 120 / 2592
    assert Claim.MET is seen.verdict


def test_an_outage_across_the_end_of_a_month() -> None:
    """TC9: each month bears its part and is met; the rolling window bears all of it and is not."""
    start, end = instant("2027-01-31T23:35:00"), instant("2027-02-01T00:25:00")
    timeline = Timeline([(instant("2026-12-01T00:00:00"), State.GOOD, ""), (start, State.BAD, "")])
    timeline.append(end, State.GOOD)
    january = assess(timeline, Window.month(2027, 1, "UTC"), THREE_NINES, end)
    assert (percent(january.used_ratio, 4), january.verdict, january.complete) == ("56.0036", Claim.MET, True)
    later = instant("2027-03-01T00:00:00")
    february = assess(timeline, Window.month(2027, 2, "UTC"), THREE_NINES, later)
    assert (percent(february.used_ratio, 4), february.verdict, february.complete) == ("62.0040", Claim.MET, True)
    month = assess(timeline, Window.rolling(end, days=30), THREE_NINES, end)
    assert (percent(month.used_ratio, 4), percent(month.measured)) == ("115.7407", "99.884259")
    assert Claim.NOT_MET is month.verdict


def test_a_month_that_goes_on_is_judged_by_what_is_over() -> None:
    """TC9, at 00:25: 1500 s of 1500 s are bad, which is 62.0040 % of the budget of the whole month."""
    end = instant("2027-02-01T00:25:00")
    timeline = Timeline([(0, State.GOOD, ""), (instant("2027-01-31T23:35:00"), State.BAD, ""), (end, State.GOOD, "")])
    seen = assess(timeline, Window.month(2027, 2, "UTC"), THREE_NINES, end)
    assert (Spent(bad=1_500_000), Decimal(0), Decimal(1)) == (seen.spent, seen.measured, seen.coverage)
    assert (percent(seen.used_ratio, 4), seen.verdict, seen.complete) == ("62.0040", Claim.MET, False)


def test_maintenance_is_taken_from_both_sides() -> None:
    """TC10: of a 15 min outage the last 10 min lie in 30 min of maintenance."""
    seen = rolling(history((0, State.BAD), (300, State.MAINTENANCE), (2100, State.GOOD)), 2100)
    assert Spent(good=ms(2_589_900), bad=ms(300), maintenance=ms(1800)) == seen.spent
    assert Decimal(2_590_200) == seen.budget_ms  # a thousandth of 2 590 200 s
    assert (percent(seen.measured), percent(seen.used_ratio, 5)) == ("99.988418", "11.58212")


def test_a_cold_start_is_not_a_catastrophe() -> None:
    """TC12: after 600 s of history a minute of outage burns as much as after a month of it."""
    timeline = history((0, State.BAD), (60, State.GOOD), before=ms(600))
    rates = [round(burn_rate(timeline, ms(60), ms(window), THREE_NINES), 4) for window in (3600, 21_600, 259_200)]
    assert [Decimal("16.6667"), Decimal("2.7778"), Decimal("0.2315")] == rates
    assert Claim.NOT_PROVEN is rolling(timeline, 60).verdict


@pytest.mark.parametrize(
    ("good", "bad", "verdict"),
    [
        # a window of 100 000 s, so a budget of 100 s; the rest is unknown
        (99_000, 0, Claim.MET),  # coverage exactly 0.99
        (98_999, 0, Claim.NOT_PROVEN),
        (99_900, 100, Claim.MET),
        (99_899, 101, Claim.NOT_MET),
        (0, 101, Claim.NOT_MET),  # coverage does not excuse
        (99_400, 100, Claim.NOT_PROVEN),  # in budget, but measured is 99.8995 %
        (0, 0, Claim.NOT_PROVEN),
    ],
)
def test_what_may_be_claimed(good: int, bad: int, verdict: Claim) -> None:
    """Met needs a budget that holds, a coverage of 99 % and a measured ratio that is not below the objective."""
    timeline = Timeline([(0, State.GOOD, ""), (ms(good), State.BAD, ""), (ms(good + bad), State.UNKNOWN, "")])
    window = Window(0, ms(100_000))
    assert verdict is assess(timeline, window, THREE_NINES, window.end_ms).verdict


def test_nothing_is_divided_by_nothing() -> None:
    """Where there is no time there is no ratio: a window all in maintenance, and one that has not begun."""
    window = Window(0, 1000)
    muted = assess(Timeline([(0, State.MAINTENANCE, "")]), window, THREE_NINES, 1000)
    assert (muted.measured, muted.pessimistic, muted.coverage, muted.remaining_ratio) == (None, None, None, None)
    assert (muted.used_ratio, muted.verdict) == (None, Claim.NOT_PROVEN)
    ahead = assess(Timeline([(-50, State.GOOD, "")]), window, THREE_NINES, -1)
    assert (None, Decimal(1), Claim.NOT_PROVEN) == (ahead.measured, ahead.budget_ms, ahead.verdict)


@pytest.mark.parametrize("objective", ["0", "-1", "1.001", "99.9"])
def test_an_objective_is_a_ratio(objective: str) -> None:
    """A percentage is not taken for a ratio."""
    with pytest.raises(ValueError, match="objective"):
        assess(Timeline(), Window(0, 1), Decimal(objective), 1)
    with pytest.raises(ValueError, match="objective"):
        burn_rate(Timeline(), 1, 1, Decimal(objective))


def test_an_objective_of_everything_leaves_no_budget() -> None:
    """100 % can be judged, but not burnt."""
    window = Window(0, 1000)
    assert Claim.MET is assess(Timeline([(0, State.GOOD, "")]), window, Decimal(1), 1000).verdict
    assert Claim.NOT_MET is assess(Timeline([(0, State.BAD, "")]), window, Decimal(1), 1000).verdict
    with pytest.raises(ValueError, match="no budget can be burnt"):
        burn_rate(Timeline(), 1, 1, Decimal(1))
    with pytest.raises(ValueError, match="in 0 ms"):
        burn_rate(Timeline(), 1, 0, THREE_NINES)


def test_coverage_counts_what_was_measured() -> None:
    """Unknown time and maintenance are both holes in what we saw of a window."""
    timeline = Timeline([(0, State.GOOD, ""), (60, State.MAINTENANCE, ""), (80, State.BAD, "")])
    timeline.append(90, State.UNKNOWN)
    assert Decimal("0.7") == coverage(timeline, 100, 100)
    with pytest.raises(ValueError, match="above 0 ms"):
        coverage(timeline, 100, 0)


SEGMENTS = st.lists(st.tuples(st.integers(1, 500), st.sampled_from(State)), min_size=1, max_size=10)


@settings(deadline=None, max_examples=50)
@given(SEGMENTS, st.integers(0, 5000))
def test_the_three_numbers_are_in_order(segments: list[tuple[int, State]], now: int) -> None:
    """What is pessimistic is never above what is measured, and no ratio leaves [0, 1]."""
    timeline, at = Timeline(), 0
    for length, state in segments:
        timeline.append(at, state)
        at += length
    seen = assess(timeline, Window(0, 4000), THREE_NINES, now)
    if seen.measured is not None and seen.pessimistic is not None and seen.coverage is not None:
        assert 0 <= seen.pessimistic <= seen.measured <= 1
        assert 0 <= seen.coverage <= 1
    assert seen.budget_ms - seen.spent.bad == seen.remaining_ms
    assert seen.spent.total == max(0, min(now, 4000))


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 1000), st.integers(0, 1000), st.integers(1, 1000))
def test_more_outage_never_burns_less(first: int, more: int, window: int) -> None:
    """A longer outage has a burn rate that is no lower."""
    short = burn_rate(Timeline([(1000 - first, State.BAD, "")]), 1000, window, THREE_NINES)
    long = burn_rate(Timeline([(1000 - first - more, State.BAD, "")]), 1000, window, THREE_NINES)
    assert 0 <= short <= long <= 1000
