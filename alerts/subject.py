"""
The accounts of one check and of one path: how results become transitions. `alerts.account.Book` keeps them in step.

Both settle only what lies before a limit they are given, so that nothing is ever taken back.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from alerts.timeline import State, worst

NO_VERDICT = "no verdict yet"
EXPIRED = "no verdict in time"
NO_CHECKS = "no required check is configured"


@dataclass(frozen=True, slots=True)
class Transition:
    """One line of the journal: from *at_ms* on, the subject (`check:login`, `path:auth`) is in *state*."""

    subject: str
    at_ms: int
    state: State
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """
    The last result of a check and until when it holds; kept beside the journal, it lets a restart go on exactly.

    *paths* are those that required the check at the time.
    """

    check: str
    state: State
    since_ms: int
    until_ms: int
    cause: str = ""
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A declared window of a path, [*start_ms*, *end_ms*). One with the *key* of an earlier one takes its place."""

    path: str
    start_ms: int
    end_ms: int
    cause: str = ""
    key: str = ""


class CheckAccount:
    """One check: the result that holds, the runs in flight, and the results that still wait for an earlier run."""

    def __init__(self, name: str, hold_ms: int, last: Held, state: State | None) -> None:
        self.name = name
        self.subject = f"check:{name}"
        self.hold_ms = hold_ms
        self.state = state
        self.cause = last.cause
        self.last = last
        self.running: dict[str, int] = {}
        self.alarm_ms: int | None = None
        self._until_ms: int | None = None
        self._waiting: list[Held] = [last]

    def frontier(self, now: int) -> int:
        """Return up to when the check is settled."""
        return min(self.running.values(), default=now)

    def live(self, now: int) -> State:
        """Return the state by the latest result, settled or not. A run that hangs does not prolong it."""
        return self.last.state if now < self.last.until_ms else State.UNKNOWN

    def receive(self, result: Held) -> None:
        """Take a result; it takes effect once it is settled up to there."""
        self.last = result
        insort(self._waiting, result, key=lambda held: held.since_ms)

    def next_ms(self) -> int | None:
        """Return when the state may change next without a further verdict."""
        begins = self._waiting[0].since_ms if self._waiting else None
        return min((at for at in (begins, self._until_ms) if at is not None), default=None)

    def settle_before(self, limit: int) -> Iterator[Transition]:
        """Yield the transitions before *limit*: a result holds until the next one, at most until its end."""
        while (at := self.next_ms()) is not None and at < limit:
            state, cause, self._until_ms = State.UNKNOWN, EXPIRED, None
            if self._waiting and self._waiting[0].since_ms == at:
                result = self._waiting.pop(0)
                state, cause = result.state, result.cause
                self._until_ms = None if state is State.UNKNOWN else max(at, result.until_ms)
            if state is not self.state:
                self.state, self.cause = state, cause
                yield Transition(self.subject, at, state, cause)


class PathAccount:
    """One path: the states of its required checks, merged in order of time, with maintenance on top."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.subject = f"path:{name}"
        self.state: State | None = None
        self.members: dict[str, tuple[State, str]] = {}
        self.running: list[tuple[int, str, str]] = []
        self.windows: dict[str, Maintenance] = {}
        self.alarm_ms: int | None = None
        self._muted: Maintenance | None = None
        self._events: list[tuple[int, int, str, State | None, str]] = []
        self._order = count()

    def frontier(self, now: int) -> int:
        """Return up to when the path is settled."""
        return self.running[0][0] if self.running else now

    def note(self, at_ms: int, check: str = "", state: State | None = None, cause: str = "") -> None:
        """Enter that a check takes a state, or none any more, at an instant; or, without one, that windows change."""
        heappush(self._events, (at_ms, next(self._order), check, state, cause))

    def declare(self, window: Maintenance) -> None:
        """Enter a window of maintenance."""
        self.windows[window.key or f"{window.start_ms}..{window.end_ms}"] = window
        self.note(window.start_ms)
        self.note(window.end_ms)

    def next_ms(self) -> int | None:
        """Return when the next event is due."""
        return self._events[0][0] if self._events else None

    def resume(self, last: Transition | None, before: int) -> None:
        """Go through the events before an instant without a word, and be in the state that the journal says."""
        for _ in self.settle_before(before if last is None else last.at_ms + 1):
            pass
        self.state = last.state if last else None

    def settle_before(self, limit: int) -> Iterator[Transition]:
        """Yield the transitions before *limit*. Events of one instant are one."""
        while (at := self.next_ms()) is not None and at < limit:
            while self._events and self._events[0][0] == at:
                self._apply(*heappop(self._events))
            state, cause = self.judge()
            if state is not self.state:
                self.state = state
                yield Transition(self.subject, at, state, cause)

    def judge(self) -> tuple[State, str]:
        """Return the state that follows from the members and windows, and its cause."""
        if self._muted:
            return State.MAINTENANCE, self._muted.cause
        state = worst(state for state, _ in self.members.values())
        if state is State.GOOD:
            return state, ""
        members = self.members.items()
        causes = [f"{check}: {cause}" if cause else check for check, (its, cause) in members if its is state]
        return state, "; ".join(causes) or NO_CHECKS

    def muted_at(self, at_ms: int) -> Maintenance | None:
        """Return a window of maintenance in which an instant lies."""
        return next((w for w in self.windows.values() if w.start_ms <= at_ms < w.end_ms), None)

    def _apply(self, at_ms: int, _order: int, check: str, state: State | None, cause: str) -> None:
        if not check:
            self.windows = {key: window for key, window in self.windows.items() if at_ms < window.end_ms}
            self._muted = self.muted_at(at_ms)
        elif state is None:
            self.members.pop(check, None)
        else:
            self.members[check] = (state, cause)
