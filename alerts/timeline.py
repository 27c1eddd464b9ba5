"""
The history of one path or check, and what was spent in which state.

A `Timeline` is its transitions with a running sum per state, so that any window costs two bisections and is exact to
the millisecond. There are no buckets. All times are UTC epoch milliseconds, all lengths milliseconds, all integers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What a path or check was worth at an instant. Only `BAD` is downtime; `UNKNOWN` is neither up nor down."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"
    MAINTENANCE = "maintenance"


_PRECEDENCE = (State.MAINTENANCE, State.BAD, State.UNKNOWN, State.GOOD)
_COLUMNS = (State.GOOD, State.BAD, State.UNKNOWN, State.MAINTENANCE)
_COLUMN = {state: column for column, state in enumerate(_COLUMNS)}
_UNKNOWN = _COLUMN[State.UNKNOWN]

_Sums = tuple[int, int, int, int]


def worst(states: Iterable[State]) -> State:
    """Return the state that prevails: maintenance over bad over unknown over good. Of nothing, nothing is known."""
    seen = set(states)
    return next((state for state in _PRECEDENCE if state in seen), State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Spent:
    """Milliseconds in each state. The four add up to the length of the window asked for."""

    good: int = 0
    bad: int = 0
    unknown: int = 0
    maintenance: int = 0

    @property
    def total(self) -> int:
        """The length of the window."""
        return self.good + self.bad + self.unknown + self.maintenance


@dataclass(frozen=True, slots=True)
class Episode:
    """A stretch in one state, from *start_ms* up to but not including *end_ms*."""

    state: State
    start_ms: int
    end_ms: int
    cause: str = ""

    @property
    def length_ms(self) -> int:
        """How long it lasted."""
        return self.end_ms - self.start_ms


class Timeline:
    """
    A history that only grows at its end.

    Time before the first transition is unknown. The last state has no end: ask for windows that end no later than
    what is settled (`Book.frontier`), or the last state is taken to go on.
    """

    def __init__(self, transitions: Iterable[tuple[int, State, str]] = ()) -> None:
        self._at: list[int] = []
        self._states: list[State] = []
        self._causes: list[str] = []
        self._sums: list[_Sums] = []
        for at_ms, state, cause in transitions:
            self.append(at_ms, state, cause)

    def __len__(self) -> int:
        """Return the number of transitions kept."""
        return len(self._at)

    @property
    def last(self) -> State:
        """The state that holds at the end of the history; unknown if there is none."""
        return self._states[-1] if self._states else State.UNKNOWN

    @property
    def since_ms(self) -> int | None:
        """Since when the last state holds, or None where there is no history."""
        return self._at[-1] if self._at else None

    @property
    def cause(self) -> str:
        """Why the last state came about."""
        return self._causes[-1] if self._causes else ""

    def append(self, at_ms: int, state: State, cause: str = "") -> None:
        """
        Enter *state* from *at_ms* on. The state that already holds is no transition and changes nothing.

        A second transition at the same instant replaces the first, which lasted for no time.

        Raises:
            ValueError: *at_ms* is before the last transition.
        """
        if self._at and at_ms < self._at[-1]:
            raise ValueError(f"history is not rewritten: {at_ms} is before the last transition, at {self._at[-1]}")
        if self._at and at_ms == self._at[-1] and state is not self._states[-1]:
            for column in (self._at, self._states, self._causes, self._sums):
                column.pop()
        if self._at and state is self._states[-1]:
            return
        self._sums.append(self._sums_at(at_ms) if self._at else (0, 0, 0, 0))
        self._at.append(at_ms)
        self._states.append(state)
        self._causes.append(cause)

    def state_at(self, at_ms: int) -> State:
        """Return the state that held at an instant: at a transition, the new one."""
        index = bisect_right(self._at, at_ms) - 1
        return self._states[index] if index >= 0 else State.UNKNOWN

    def spent(self, start_ms: int, end_ms: int) -> Spent:
        """Return the time in each state within [*start_ms*, *end_ms*). An empty or reversed window holds no time."""
        if end_ms <= start_ms:
            return Spent()
        start, end = self._sums_at(start_ms), self._sums_at(end_ms)
        return Spent(*(after - before for before, after in zip(start, end, strict=True)))

    def episodes(self, start_ms: int, end_ms: int) -> list[Episode]:
        """Return the stretches that make up [*start_ms*, *end_ms*), in order and cut to it."""
        if end_ms <= start_ms:
            return []
        first = bisect_right(self._at, start_ms) - 1
        found = []
        begin = start_ms
        for index in range(first, len(self._at)):
            end = min(self._at[index + 1], end_ms) if index + 1 < len(self._at) else end_ms
            state, cause = (self._states[index], self._causes[index]) if index >= 0 else (State.UNKNOWN, "")
            found.append(Episode(state, begin, end, cause))
            begin = end
            if end == end_ms:
                break
        return _joined(found)

    def _sums_at(self, at_ms: int) -> _Sums:
        """Return the time in each state from the first transition to *at_ms*; negative unknown time before it."""
        index = bisect_right(self._at, at_ms) - 1
        if index < 0:
            column, since, sums = _UNKNOWN, self._at[0] if self._at else 0, (0, 0, 0, 0)
        else:
            column, since, sums = _COLUMN[self._states[index]], self._at[index], self._sums[index]
        grown = list(sums)
        grown[column] += at_ms - since
        return (grown[0], grown[1], grown[2], grown[3])


def _joined(episodes: list[Episode]) -> list[Episode]:
    """Join the unknown time before the history with an unknown start of it."""
    if len(episodes) > 1 and episodes[0].state is episodes[1].state:
        head, second, *rest = episodes
        return [Episode(head.state, head.start_ms, second.end_ms, second.cause), *rest]
    return episodes
