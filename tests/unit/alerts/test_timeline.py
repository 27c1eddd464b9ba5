"""A timeline is exact to the millisecond, in any window."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.timeline import Episode, Spent, State, Timeline, worst

STEPS = st.lists(st.tuples(st.integers(0, 20), st.sampled_from(State)), max_size=12)


def built(steps: list[tuple[int, State]], start: int = 10) -> Timeline:
    """Return a timeline whose transitions are so many milliseconds apart."""
    timeline, at = Timeline(), start
    for apart, state in steps:
        at += apart
        timeline.append(at, state)
    return timeline


@pytest.mark.parametrize(
    ("states", "prevails"),
    [
        ([], State.UNKNOWN),
        ([State.GOOD], State.GOOD),
        ([State.GOOD, State.UNKNOWN], State.UNKNOWN),
        ([State.UNKNOWN, State.BAD, State.GOOD], State.BAD),
        ([State.BAD, State.MAINTENANCE, State.UNKNOWN], State.MAINTENANCE),
    ],
)
def test_maintenance_is_over_bad_over_unknown_over_good(states: list[State], prevails: State) -> None:
    """Of several states at once one prevails, and of none nothing is known."""
    assert prevails is worst(states)


def test_an_empty_history_is_unknown() -> None:
    """Without a transition, all time is unknown."""
    timeline = Timeline()
    assert Spent(unknown=50) == timeline.spent(100, 150)
    assert State.UNKNOWN is timeline.last
    assert timeline.since_ms is None
    assert [Episode(State.UNKNOWN, 100, 150)] == timeline.episodes(100, 150)


def test_time_before_the_first_transition_is_unknown() -> None:
    """A window that reaches back before the history holds unknown time, and the last state has no end."""
    timeline = Timeline([(100, State.GOOD, ""), (160, State.BAD, "login: timeout")])
    # [70, 100) unknown, [100, 160) good, [160, 200) bad
    assert Spent(good=60, bad=40, unknown=30) == timeline.spent(70, 200)
    assert timeline.spent(70, 200).total == 130
    assert (timeline.last, timeline.since_ms, timeline.cause) == (State.BAD, 160, "login: timeout")


def test_a_window_without_length_holds_no_time() -> None:
    """An empty or reversed window is no error and holds nothing."""
    timeline = Timeline([(0, State.GOOD, "")])
    assert Spent() == timeline.spent(5, 5) == timeline.spent(6, 5)
    assert timeline.episodes(5, 5) == []


def test_the_same_state_again_is_no_transition() -> None:
    """Neither the start nor the cause of a state changes when it is entered again."""
    timeline = Timeline([(0, State.BAD, "first"), (10, State.BAD, "second")])
    assert (len(timeline), timeline.since_ms, timeline.cause) == (1, 0, "first")


def test_a_transition_cannot_go_back() -> None:
    """What is before the last transition is final."""
    timeline = Timeline([(100, State.GOOD, "")])
    with pytest.raises(ValueError, match="not rewritten: 99 is before"):
        timeline.append(99, State.GOOD)


def test_a_state_that_lasted_no_time_leaves_no_trace() -> None:
    """Of two transitions at one instant the second counts, and merges with what was before."""
    timeline = Timeline([(0, State.GOOD, ""), (100, State.UNKNOWN, ""), (100, State.GOOD, "")])
    assert (len(timeline), timeline.since_ms, timeline.state_at(100)) == (1, 0, State.GOOD)
    assert [Episode(State.GOOD, 0, 200)] == timeline.episodes(0, 200)


def test_episodes_are_cut_to_the_window() -> None:
    """The first and the last episode end where the window does, and keep their cause."""
    timeline = Timeline([(0, State.GOOD, ""), (60, State.BAD, "x"), (300, State.GOOD, "")])
    expected = [Episode(State.GOOD, 50, 60), Episode(State.BAD, 60, 300, "x"), Episode(State.GOOD, 300, 310)]
    assert expected == timeline.episodes(50, 310)
    assert [Episode(State.BAD, 70, 80, "x")] == timeline.episodes(70, 80)
    assert expected[1].length_ms == 240


@settings(deadline=None, max_examples=50)
@given(STEPS, st.integers(0, 200), st.integers(0, 200))
def test_a_window_is_the_sum_of_its_milliseconds(steps: list[tuple[int, State]], start: int, end: int) -> None:
    """Two bisections give what a walk through every millisecond gives."""
    timeline = built(steps)
    counted = dict.fromkeys(State, 0)
    for at in range(start, end):
        counted[timeline.state_at(at)] += 1
    assert Spent(**{state.value: counted[state] for state in State}) == timeline.spent(start, end)


@settings(deadline=None, max_examples=50)
@given(STEPS, st.lists(st.integers(0, 200), min_size=2, max_size=6))
def test_windows_add_up(steps: list[tuple[int, State]], cuts: list[int]) -> None:
    """A window cut anywhere loses and gains nothing."""
    timeline, cuts = built(steps), sorted(cuts)
    whole = timeline.spent(cuts[0], cuts[-1])
    parts = [timeline.spent(a, b) for a, b in pairwise(cuts)]
    assert whole.bad == sum(part.bad for part in parts)
    assert whole.unknown == sum(part.unknown for part in parts)
    assert whole.total == cuts[-1] - cuts[0]


@settings(deadline=None, max_examples=50)
@given(STEPS, st.integers(0, 200), st.integers(0, 200))
def test_episodes_tell_what_the_sums_tell(steps: list[tuple[int, State]], start: int, end: int) -> None:
    """Episodes are without gaps, none is empty, neighbours differ, and they add up to the sums."""
    timeline = built(steps)
    episodes = timeline.episodes(start, end)
    assert all(episode.length_ms > 0 for episode in episodes)
    assert all(a.end_ms == b.start_ms and a.state is not b.state for a, b in pairwise(episodes))
    assert timeline.spent(start, end).bad == sum(e.length_ms for e in episodes if e.state is State.BAD)
    assert max(0, end - start) == sum(e.length_ms for e in episodes)


@settings(deadline=None, max_examples=50)
@given(STEPS)
def test_splitting_segments_changes_nothing(steps: list[tuple[int, State]]) -> None:
    """A history with every state entered twice is the same history."""
    once = built(steps)
    twice = built([each for apart, state in steps for each in ((apart, state), (0, state))])
    assert once.episodes(0, 300) == twice.episodes(0, 300)
