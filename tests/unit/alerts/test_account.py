"""From verdicts to history: nothing is rewritten, and a restart changes nothing. Figures are seconds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.account import Book, Held, Maintenance, Transition
from alerts.timeline import Episode, State, Timeline, worst

Segment = tuple[State, float, float]


def timeline_of(journal: Iterable[Transition], subject: str = "path:auth") -> Timeline:
    """Return what the journal tells of one subject."""
    return Timeline([(line.at_ms, line.state, line.cause) for line in journal if line.subject == subject])


@dataclass
class Story:
    """A path `auth` with some checks that hold for 100 s, told in seconds."""

    checks: tuple[str, ...] = ("login",)
    journal: list[Transition] = field(default_factory=list)
    book: Book = field(init=False)

    def __post_init__(self) -> None:
        """Open the book at 0."""
        self.book = Book({"auth": self.checks}, dict.fromkeys(self.checks, 100_000), 0)

    def begin(self, at: float, check: str = "login") -> None:
        """Start a run."""
        self.journal += self.book.begin(check, round(at * 1000))

    def settle(  # noqa: PLR0913, PLR0917 - like the operation it tells
        self, state: State, since: float, now: float, check: str = "login", hold: float = 100, cause: str = ""
    ) -> None:
        """Enter a verdict that holds for so long from its start."""
        at = round(since * 1000)
        self.journal += self.book.settle(check, state, at, round(now * 1000), at + round(hold * 1000), cause)

    def run(self, state: State, start: float, end: float, check: str = "login", hold: float = 100) -> None:
        """Run a check from start to end."""
        self.begin(start, check)
        self.settle(state, start, end, check, hold)

    def advance(self, now: float) -> None:
        """Let time pass."""
        self.journal += self.book.advance(round(now * 1000))

    def restart(self, now: float, checks: tuple[str, ...] | None = None, windows: tuple[Maintenance, ...] = ()) -> None:
        """Crash, and go on from what was kept."""
        self.checks = self.checks if checks is None else checks
        held = self.book.held()
        holds = dict.fromkeys(self.checks, 100_000)
        paths = {"auth": self.checks}
        at = round(now * 1000)
        self.book = Book.restore(paths, holds, at, journal=self.journal, held=held, windows=windows)
        self.advance(now)

    def segments(self, end: float, subject: str = "path:auth") -> list[Segment]:
        """Return the history from 0 to an end."""
        episodes = timeline_of(self.journal, subject).episodes(0, round(end * 1000))
        return [(episode.state, episode.start_ms / 1000, episode.end_ms / 1000) for episode in episodes]


def test_a_path_is_unknown_until_every_required_check_has_spoken() -> None:
    """One good check of two does not make a path good."""
    story = Story(("login", "refresh"))
    story.run(State.GOOD, 10, 11, "login")
    story.advance(20)
    assert story.book.state("auth") is State.UNKNOWN
    story.run(State.GOOD, 30, 31, "refresh")
    assert story.segments(40) == [(State.UNKNOWN, 0, 30), (State.GOOD, 30, 40)]
    assert [Transition("path:auth", 0, State.UNKNOWN, "login: no verdict yet; refresh: no verdict yet")] == [
        line for line in story.journal if line.at_ms == 0 and line.subject == "path:auth"
    ]


def test_a_path_that_requires_nothing_is_unknown() -> None:
    """Nobody watches it, so nothing is claimed."""
    story = Story(())
    story.advance(50)
    assert story.segments(50) == [(State.UNKNOWN, 0, 50)]


def test_a_result_holds_until_its_end_and_not_longer() -> None:
    """From exactly the end of its hold the check is unknown, though nobody looked at that moment."""
    story = Story()
    story.run(State.GOOD, 0, 1, hold=92.5)
    story.advance(92.499)
    assert story.book.state("auth") is State.GOOD
    story.advance(300)
    assert story.segments(300) == [(State.GOOD, 0, 92.5), (State.UNKNOWN, 92.5, 300)]
    assert timeline_of(story.journal).cause == "login: no verdict in time"


def test_a_failure_is_backdated_to_its_first_attempt() -> None:
    """TC13: fails from 60 on, confirmed at 85, good again from 300: bad for 240 s."""
    story = Story()
    story.run(State.GOOD, 0, 1)
    story.begin(60)
    story.advance(84)
    assert (story.book.state("auth"), story.book.frontier("auth")) == (State.GOOD, 60_000)
    story.settle(State.BAD, 60, 85, cause="timeout")
    assert (story.book.state("auth"), story.book.frontier("auth")) == (State.BAD, 85_000)
    for start in range(90, 300, 15):
        story.run(State.BAD, start, start + 10, hold=32.5)
    for start in range(300, 361, 15):
        story.run(State.GOOD, start, start + 1, hold=32.5)
    assert story.segments(362) == [(State.GOOD, 0, 60), (State.BAD, 60, 300), (State.GOOD, 300, 362)]
    assert timeline_of(story.journal).spent(0, 362_000).bad == 240_000
    assert timeline_of(story.journal).episodes(60_000, 61_000)[0].cause == "login: timeout"


def test_a_flake_is_not_downtime() -> None:
    """TC13, failed, succeeded, succeeded: the verdict is good from the start of the run, and 0 s are bad."""
    story = Story()
    story.run(State.GOOD, 0, 1)
    story.run(State.GOOD, 60, 92)
    assert story.segments(92) == [(State.GOOD, 0, 92)]


def test_the_first_failing_attempt_may_come_late_in_a_run() -> None:
    """Up to it the result before holds."""
    story = Story()
    story.run(State.GOOD, 0, 1)
    story.begin(60)
    story.settle(State.BAD, 75, 95)
    assert story.segments(95) == [(State.GOOD, 0, 75), (State.BAD, 75, 95)]


def test_our_own_fault_makes_a_path_unknown() -> None:
    """An error ends an outage in the account: from then on we do not know."""
    story = Story()
    story.run(State.BAD, 0, 25)
    story.run(State.UNKNOWN, 60, 61)
    assert story.segments(100) == [(State.BAD, 0, 60), (State.UNKNOWN, 60, 100)]


def test_downtime_is_the_union_of_the_required_checks() -> None:
    """TC11: A [0,300), B [120,420), C [600,660) are 480 s, not 660."""
    story = Story(("a", "b", "c"))
    bad = {"a": (0, 300), "b": (120, 420), "c": (600, 660)}
    for start in range(0, 900, 20):
        for check in bad:
            story.begin(start, check)
        for check, (since, until) in bad.items():
            story.settle(State.BAD if since <= start < until else State.GOOD, start, start + 1, check)
    good_after = [(State.BAD, 0, 420), (State.GOOD, 420, 600), (State.BAD, 600, 660), (State.GOOD, 660, 880)]
    assert story.segments(880) == good_after
    assert timeline_of(story.journal).spent(0, 880_000).bad == 480_000
    parts = [timeline_of(story.journal, f"check:{check}").spent(0, 880_000).bad for check in bad]
    assert parts == [300_000, 300_000, 60_000]


def test_maintenance_lies_over_everything() -> None:
    """TC10: an outage of 15 min, maintenance from 5 min on for 30 min: bad are 300 s."""
    story = Story()
    story.journal += story.book.maintenance("auth", 300_000, 2_100_000, "upgrade")
    for start in range(0, 2400, 60):
        story.run(State.BAD if start < 900 else State.GOOD, start, start + 2)
    story.advance(2400)
    assert story.segments(2400) == [
        (State.BAD, 0, 300),
        (State.MAINTENANCE, 300, 2100),
        (State.GOOD, 2100, 2400),
    ]
    assert timeline_of(story.journal).episodes(300_000, 300_001)[0].cause == "upgrade"


def test_maintenance_begins_and_ends_without_a_verdict() -> None:
    """Time alone suffices, and what is under it comes out as it is by then."""
    story = Story()
    story.run(State.GOOD, 0, 1, hold=50)
    story.journal += story.book.maintenance("auth", 10_000, 90_000)
    story.advance(10)
    assert story.book.state("auth") is story.book.current("auth") is State.MAINTENANCE
    story.advance(90)
    assert story.segments(100) == [(State.GOOD, 0, 10), (State.MAINTENANCE, 10, 90), (State.UNKNOWN, 90, 100)]


def test_maintenance_excludes_nothing_that_is_past() -> None:
    """Declared at 85 for [0, 200), it begins at 85; declared in the middle of a run, where the run began."""
    story = Story()
    story.run(State.BAD, 0, 85)
    story.journal += story.book.maintenance("auth", 0, 200_000)
    assert story.segments(100) == [(State.BAD, 0, 85), (State.MAINTENANCE, 85, 100)]
    other = Story()
    other.run(State.BAD, 0, 20)
    other.begin(60)
    other.advance(80)
    other.journal += other.book.maintenance("auth", 0, 200_000)
    other.settle(State.BAD, 60, 85)
    assert other.segments(100) == [(State.BAD, 0, 60), (State.MAINTENANCE, 60, 100)]


def test_maintenance_can_be_ended_early_or_extended() -> None:
    """A window with the same key takes the place of the one before, for what is still to come."""
    story = Story()
    story.run(State.GOOD, 0, 1, hold=1000)
    story.journal += story.book.maintenance("auth", 10_000, 100_000, key="change-1")
    story.advance(50)
    story.journal += story.book.maintenance("auth", 10_000, 40_000, key="change-1")
    story.advance(60)
    assert story.segments(60) == [(State.GOOD, 0, 10), (State.MAINTENANCE, 10, 50), (State.GOOD, 50, 60)]
    story.journal += story.book.maintenance("auth", 70_000, 80_000, key="change-1")
    story.journal += story.book.maintenance("auth", 70_000, 90_000, key="change-1")
    story.advance(100)
    assert story.segments(100)[3:] == [(State.MAINTENANCE, 70, 90), (State.GOOD, 90, 100)]


def test_an_aborted_run_says_nothing() -> None:
    """What held before it goes on to hold."""
    story = Story()
    story.run(State.GOOD, 0, 1)
    story.begin(60)
    story.journal += story.book.abandon("login", 70_000)
    assert story.segments(80) == [(State.GOOD, 0, 80)]
    assert story.book.frontier("auth") == 70_000


def test_a_run_that_was_lost_long_ago_does_not_keep_a_result_alive() -> None:
    """While it hangs nothing is settled and the latest state is unknown; abandoned, the hold before it ends in time."""
    story = Story()
    story.run(State.GOOD, 0, 1, hold=92.5)
    story.begin(60)
    story.advance(5000)
    assert (story.book.state("auth"), story.book.current("auth")) == (State.GOOD, State.UNKNOWN)
    assert story.book.frontier("auth") == 60_000
    story.journal += story.book.abandon("login")
    assert story.segments(5000) == [(State.GOOD, 0, 92.5), (State.UNKNOWN, 92.5, 5000)]


def test_the_slowest_run_holds_back_the_path_but_not_the_other_checks() -> None:
    """A failure of one check is in its own account at once, in that of the path when the other run has ended."""
    story = Story(("login", "refresh"))
    story.run(State.GOOD, 0, 1, "login")
    story.run(State.GOOD, 2, 3, "refresh")
    story.begin(60, "refresh")
    story.begin(62, "login")
    story.settle(State.BAD, 62, 70, "login")
    assert timeline_of(story.journal, "check:login").last is State.BAD
    assert (story.book.state("auth"), story.book.current("auth")) == (State.GOOD, State.BAD)
    story.settle(State.GOOD, 60, 95, "refresh")
    assert story.segments(95) == [(State.UNKNOWN, 0, 2), (State.GOOD, 2, 62), (State.BAD, 62, 95)]


def test_runs_of_one_check_may_overlap() -> None:
    """Each result holds until the one that began next, in whatever order they end."""
    book = Book({"auth": ["login"]}, {"login": 100}, 0)
    journal = [*book.begin("login", 0, "first"), *book.begin("login", 10, "second"), *book.begin("login", 12, "second")]
    journal += book.settle("login", State.GOOD, 10, 15, run="second")
    assert book.frontier("auth") == 0
    assert [line.state for line in journal] == [State.UNKNOWN] * 2  # of the check and of the path, at 0
    journal += book.settle("login", State.BAD, 0, 20, run="first")
    episodes = timeline_of(journal).episodes(0, 20)
    assert [Episode(State.BAD, 0, 10, "login"), Episode(State.GOOD, 10, 20)] == episodes


def test_a_result_that_waits_for_an_earlier_run_is_not_lost_with_it() -> None:
    """The earlier run is lost in a crash; the result that was in takes effect from its own start."""
    book = Book({"auth": ["login"]}, {"login": 100}, 0)
    journal = [*book.begin("login", 0, "first"), *book.begin("login", 10, "second")]
    journal += book.settle("login", State.BAD, 10, 15, run="second")
    book = Book.restore({"auth": ["login"]}, {"login": 100}, 200, journal=journal, held=book.held())
    journal += book.advance(200)
    expected = [(State.UNKNOWN, 0, 10), (State.BAD, 10, 110), (State.UNKNOWN, 110, 200)]
    assert [(each.state, each.start_ms, each.end_ms) for each in timeline_of(journal).episodes(0, 200)] == expected


def test_a_hold_that_ends_as_the_next_run_starts_leaves_no_line() -> None:
    """At 60 the first result ends and the second begins: the journal says nothing of it."""
    story = Story()
    story.run(State.GOOD, 0, 1, hold=60)
    before = list(story.journal)
    story.run(State.GOOD, 60, 61, hold=60)
    assert story.journal == before


def test_a_verdict_without_a_beginning_rewrites_nothing() -> None:
    """Where `begin` was forgotten, what is settled stays."""
    story = Story()
    story.run(State.GOOD, 0, 1)
    story.advance(80)
    story.settle(State.BAD, 60, 85)
    assert story.segments(90) == [(State.GOOD, 0, 85), (State.BAD, 85, 90)]


def test_time_does_not_go_back() -> None:
    """An earlier now counts as the latest seen."""
    story = Story()
    story.run(State.GOOD, 50, 60)
    story.advance(40)
    assert story.book.frontier("auth") == 60_000
    story.run(State.BAD, 10, 20)
    assert story.segments(70) == [(State.UNKNOWN, 0, 50), (State.GOOD, 50, 60), (State.BAD, 60, 70)]


def test_what_the_book_does_not_know_is_ignored() -> None:
    """A run may outlive its configuration."""
    book = Book({}, {}, 0)
    assert [*book.begin("x", 1), *book.settle("x", State.BAD, 1, 2), *book.abandon("x"), *book.advance(9)] == []
    assert book.maintenance("x", 1, 2) == []


def test_a_path_cannot_require_what_is_not_there() -> None:
    """A hold time is needed of every required check."""
    with pytest.raises(ValueError, match="not given: refresh"):
        Book({"auth": ["login", "refresh"]}, {"login": 1}, 0)


def test_a_check_that_no_path_requires_has_its_own_account() -> None:
    """It moves no path."""
    book = Book({"auth": ["login"]}, {"login": 100, "extra": 100}, 0)
    journal = [*book.begin("extra", 1), *book.settle("extra", State.BAD, 1, 2)]
    assert Transition("check:extra", 1, State.BAD) in journal
    assert book.state("auth") is State.UNKNOWN
    assert Held("extra", State.BAD, 1, 101) in book.held()


def test_a_check_that_two_paths_require_moves_both() -> None:
    """Paths may share a check."""
    book = Book({"auth": ["login"], "audit": ["login"]}, {"login": 100}, 0)
    journal = [*book.begin("login", 1), *book.settle("login", State.BAD, 1, 2)]
    assert [Transition(s, 1, State.BAD, c) for s, c in (("path:auth", "login"), ("path:audit", "login"))] == journal[-2:]


def outage_and_crash() -> Story:
    """TC15 up to the crash: bad from 60, probed every 15 s, the run that began at 195 is lost."""
    story = Story()
    story.run(State.GOOD, 0, 1)
    story.begin(60)
    story.settle(State.BAD, 60, 85)
    for start in range(90, 181, 15):
        story.run(State.BAD, start, start + 10, hold=32.5)
    story.begin(195)
    return story


def test_a_crash_makes_a_gap_and_no_recovery() -> None:
    """TC15: bad [60, 212.5), unknown [212.5, 400), and bad again from 400."""
    story = outage_and_crash()
    story.restart(400)
    story.begin(400)
    story.settle(State.BAD, 400, 425)
    expected = [(State.GOOD, 0, 60), (State.BAD, 60, 212.5), (State.UNKNOWN, 212.5, 400), (State.BAD, 400, 430)]
    assert story.segments(430) == expected
    spent = timeline_of(story.journal).spent(60_000, 400_000)
    assert (spent.bad, spent.unknown) == (152_500, 187_500)


def test_a_quick_restart_leaves_no_trace() -> None:
    """Within the hold of the last result nothing is to be journalled."""
    story = outage_and_crash()
    before = list(story.journal)
    story.restart(205)
    assert before == story.journal
    story.run(State.BAD, 206, 216)
    assert story.segments(216)[-1] == (State.BAD, 60, 216)


def test_a_removed_check_counts_until_the_restart() -> None:
    """It was required when it failed; from the restart on the others decide, and its own account is closed."""
    story = Story(("login", "refresh"))
    story.run(State.BAD, 0, 1, "login")
    story.run(State.GOOD, 0, 1, "refresh", hold=500)
    story.restart(50, ("refresh",))
    assert story.segments(60) == [(State.BAD, 0, 50), (State.GOOD, 50, 60)]
    assert story.segments(60, "check:login") == [(State.BAD, 0, 50), (State.UNKNOWN, 50, 60)]
    story.restart(70)
    assert story.segments(80)[-1] == (State.GOOD, 50, 80)


def test_a_removed_check_that_expired_before_the_restart_did_so_in_time() -> None:
    """Its hold ends while we are down; that time is unknown, not bad."""
    story = Story(("login", "refresh"))
    story.run(State.BAD, 0, 1, "login")
    story.run(State.GOOD, 0, 1, "refresh", hold=500)
    story.restart(300, ("refresh",))
    assert story.segments(310) == [(State.BAD, 0, 100), (State.UNKNOWN, 100, 300), (State.GOOD, 300, 310)]


def test_a_new_check_counts_from_the_restart() -> None:
    """It was not required before, so it makes nothing unknown before."""
    story = Story()
    story.run(State.GOOD, 0, 1, hold=500)
    story.restart(50, ("login", "refresh"))
    story.run(State.GOOD, 60, 61, "refresh")
    assert story.segments(70) == [(State.GOOD, 0, 50), (State.UNKNOWN, 50, 60), (State.GOOD, 60, 70)]


def test_a_check_that_becomes_required_is_not_required_for_the_past() -> None:
    """A second restart must not read the new requirement into the time before the first."""
    book = Book({"auth": ["login"]}, {"login": 900, "extra": 900}, 0)
    journal = [*book.begin("login", 0), *book.settle("login", State.GOOD, 0, 1)]
    journal += [*book.begin("extra", 10), *book.settle("extra", State.BAD, 10, 11)]
    journal += [*book.begin("extra", 20), *book.settle("extra", State.GOOD, 20, 21)]
    for now in (50, 60):
        both = {"auth": ["login", "extra"]}
        book = Book.restore(both, {"login": 900, "extra": 900}, now, journal=journal, held=book.held())
        journal += book.advance(now)
    assert [Episode(State.GOOD, 0, 70)] == timeline_of(journal).episodes(0, 70)


def test_a_path_that_is_gone_is_closed() -> None:
    """Its last state does not go on for ever."""
    story = outage_and_crash()
    book = Book.restore({}, {}, 200_000, journal=story.journal, held=story.book.held())
    story.journal += book.advance(200_000)
    assert story.segments(300)[1:] == [(State.BAD, 60, 200), (State.UNKNOWN, 200, 300)]


def test_a_changed_interval_does_not_change_the_past() -> None:
    """What a result was entered with is how long it holds."""
    story = outage_and_crash()
    book = Book.restore({"auth": ["login"]}, {"login": 5}, 400_000, journal=story.journal, held=story.book.held())
    story.journal += book.advance(400_000)
    assert story.segments(400)[1:] == [(State.BAD, 60, 212.5), (State.UNKNOWN, 212.5, 400)]


def test_without_its_last_result_a_check_holds_from_its_last_transition() -> None:
    """The journal alone gives the least that is certain: 60 + 100 s."""
    story = outage_and_crash()
    book = Book.restore({"auth": ["login"]}, {"login": 100_000}, 400_000, journal=story.journal, held=[])
    story.journal += book.advance(400_000)
    assert story.segments(400)[1:] == [(State.BAD, 60, 160), (State.UNKNOWN, 160, 400)]


def test_a_clock_behind_the_journal_waits_for_it() -> None:
    """Nothing is entered before the last line of the journal."""
    story = outage_and_crash()
    story.restart(10)
    assert story.book.frontier("auth") == 60_000
    story.begin(11)
    story.settle(State.GOOD, 11, 70)
    assert [(line.at_ms, line.state) for line in story.journal[-2:]] == [(60_000, State.GOOD)] * 2


def test_a_restart_in_the_instant_of_the_last_transition_is_one_of_the_configuration() -> None:
    """What is required now decides from that instant on, though the journal has it otherwise."""
    story = Story(("login", "refresh"))
    story.run(State.GOOD, 0, 0, "refresh", hold=500)
    story.run(State.BAD, 0, 60, "login")
    story.run(State.GOOD, 60, 60, "login")
    story.run(State.BAD, 60, 60, "login")
    story.restart(60, ("refresh",))
    assert story.segments(70) == [(State.BAD, 0, 60), (State.GOOD, 60, 70)]


def test_maintenance_goes_on_across_a_restart() -> None:
    """A window that was declared is handed to the restart, also one that begins and ends in the gap."""
    story = Story()
    story.run(State.GOOD, 0, 1, hold=500)
    windows = (Maintenance("auth", 20_000, 30_000), Maintenance("auth", 40_000, 90_000), Maintenance("gone", 0, 9))
    story.restart(60, windows=windows)
    story.advance(100)
    assert story.segments(100) == [
        (State.GOOD, 0, 20),
        (State.MAINTENANCE, 20, 30),
        (State.GOOD, 30, 40),
        (State.MAINTENANCE, 40, 90),
        (State.GOOD, 90, 100),
    ]


CHECKS = ("a", "b", "c")
VERDICTS = (State.GOOD, State.BAD, State.UNKNOWN)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("begin", "begin", "settle", "settle", "settle", "abandon", "advance", "maintenance", "restart")),
        st.sampled_from(CHECKS),
        st.integers(0, 12),  # passes before it
        st.sampled_from(VERDICTS),
        st.integers(0, 25),  # since, after the start of the run; or start of a window, around now
        st.integers(0, 40),  # hold, or length of a window
    ),
    max_size=30,
)
Steps = list[tuple[str, str, int, State, int, int]]


class Model:
    """What a book should say, recomputed for every millisecond from all that happened."""

    def __init__(self, steps: Steps, *, restarts: bool, worse: bool = False) -> None:
        self.results: dict[str, list[tuple[int, State, int]]] = {check: [] for check in CHECKS}
        self.windows: list[Maintenance] = []
        self.journal: list[Transition] = []
        self.now = 0
        self._running: dict[str, int] = {}
        self._holds = dict.fromkeys(CHECKS, 30)
        self.book = Book({"p": CHECKS}, self._holds, 0)
        for kind, check, apart, state, offset, length in steps:
            self.now += apart
            settled = self.book.frontier("p")
            before = len(self.journal)
            if kind == "restart" and restarts:
                self._restart()
            else:
                told = State.UNKNOWN if worse and state is State.GOOD else state
                self._act(kind, check, told, offset, length)
            assert all(line.at_ms >= settled for line in self.journal[before:] if line.subject == "path:p")
            assert self.book.frontier("p") >= settled
        for check in CHECKS:
            self.journal += self.book.abandon(check, self.now)
        assert self.book.frontier("p") == self.now

    def _act(self, kind: str, check: str, state: State, offset: int, length: int) -> None:
        if kind == "begin":
            self._running.setdefault(check, self.now)
            self.journal += self.book.begin(check, self.now)
        elif kind == "settle" and check in self._running:
            since = min(self._running.pop(check) + offset, self.now)
            self.results[check].append((since, state, since + length))
            self.journal += self.book.settle(check, state, since, self.now, since + length)
        elif kind == "abandon":
            self._running.pop(check, None)
            self.journal += self.book.abandon(check, self.now)
        elif kind == "maintenance":
            self.journal += self.book.advance(self.now)
            start = max(self.now + offset - 12, self.book.frontier("p"))
            self.windows.append(Maintenance("p", start, start + length))
            self.journal += self.book.maintenance("p", start, start + length)
        else:
            self.journal += self.book.advance(self.now)

    def _restart(self) -> None:
        self._running.clear()
        held, windows = self.book.held(), self.windows
        self.book = Book.restore({"p": CHECKS}, self._holds, self.now, journal=self.journal, held=held, windows=windows)
        self.journal += self.book.advance(self.now)

    def check_at(self, check: str, at: int) -> State:
        """Return the latest result that began by then, while it holds."""
        begun = [result for result in self.results[check] if result[0] <= at]
        _, state, until = max(reversed(begun), key=lambda r: r[0]) if begun else (0, State.UNKNOWN, 0)
        return state if at < until else State.UNKNOWN

    def path_at(self, at: int) -> State:
        """Return the worst of the checks, or maintenance."""
        muted = any(window.start_ms <= at < window.end_ms for window in self.windows)
        return State.MAINTENANCE if muted else worst(self.check_at(check, at) for check in CHECKS)


def assert_alike(model: Model) -> None:
    """Compare every millisecond of every account with its recomputation."""
    path = timeline_of(model.journal, "path:p")
    assert [path.state_at(at) for at in range(model.now)] == [model.path_at(at) for at in range(model.now)]
    for check in CHECKS:
        account = timeline_of(model.journal, f"check:{check}")
        expected = [model.check_at(check, at) for at in range(model.now)]
        assert [account.state_at(at) for at in range(model.now)] == expected


@settings(deadline=None, max_examples=50)
@given(STEPS)
def test_a_path_is_what_all_its_verdicts_say(steps: Steps) -> None:
    """In whatever order runs begin, end and overlap: as if all had been known from the start."""
    assert_alike(Model(steps, restarts=False))


@settings(deadline=None, max_examples=50)
@given(STEPS)
def test_a_restart_at_any_point_changes_nothing(steps: Steps) -> None:
    """It loses the runs in flight, and nothing else."""
    assert_alike(Model(steps, restarts=True))


@settings(deadline=None, max_examples=50)
@given(STEPS)
def test_downtime_is_at_most_the_sum_of_the_checks(steps: Steps) -> None:
    """The union is never more than the sum, and never less than the worst of them outside maintenance."""
    model = Model([step for step in steps if step[0] != "maintenance"], restarts=True)
    bad = [timeline_of(model.journal, f"check:{check}").spent(0, model.now).bad for check in CHECKS]
    assert max(bad) <= timeline_of(model.journal, "path:p").spent(0, model.now).bad <= sum(bad)


@settings(deadline=None, max_examples=50)
@given(STEPS)
def test_what_we_do_not_know_is_never_downtime(steps: Steps) -> None:
    """If every good verdict had been an error of ours, the bad time were the same."""
    model, blind = Model(steps, restarts=True), Model(steps, restarts=True, worse=True)
    spent = [timeline_of(each.journal, "path:p").spent(0, each.now) for each in (model, blind)]
    assert spent[0].bad == spent[1].bad
    assert spent[1].good == 0


@settings(deadline=None, max_examples=50)
@given(STEPS)
def test_the_journal_is_in_order_and_says_nothing_twice(steps: Steps) -> None:
    """Of each subject, the lines are in order of time and each changes the state."""
    model = Model(steps, restarts=True)
    for subject in ("path:p", *(f"check:{check}" for check in CHECKS)):
        lines = [line for line in model.journal if line.subject == subject]
        assert all(a.at_ms <= b.at_ms and a.state is not b.state for a, b in pairwise(lines))
