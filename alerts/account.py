"""
From verdicts to history: the `Book` of one environment.

While a run is in flight, nothing is known of the time since its start: its verdict may be backdated to there. So that
time is withheld from the account. A path is settled up to its *frontier*: the earliest start of a run in flight among
its required checks, or now if there is none. What lies before the frontier is final, so transitions are only ever
added, in order of time, and never rewritten.

Pure: no clock, no I/O. Every operation returns the transitions to be journalled because of it; in case of a crash,
`Book.restore` goes on from the journal and from what `Book.held` said last.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from heapq import heappop, heappush
from itertools import count

from alerts.subject import (
    NO_VERDICT,
    CheckAccount,
    Held,
    Maintenance,
    PathAccount,
    Transition,
)
from alerts.timeline import State, worst

__all__ = ["Book", "CheckAccount", "Held", "Maintenance", "PathAccount", "Transition"]

_GONE = "no longer configured"
_CHANGED = "other checks are required from here on"


class Book:
    """
    The accounts of all checks and paths of one environment.

    *paths* names the required checks of each path, *checks* how long a result of each check holds, in milliseconds.
    Checks that no path requires have an account of their own. *now* never goes back: an earlier one counts as the
    latest seen. Checks and paths that the book does not know are ignored, so that a run may outlive its configuration.
    """

    def __init__(  # noqa: PLR0913 - the configuration, and the three things that `restore` knows
        self,
        paths: Mapping[str, Collection[str]],
        checks: Mapping[str, int],
        start_ms: int,
        *,
        journal: Collection[Transition] = (),
        held: Iterable[Held] = (),
        windows: Iterable[Maintenance] = (),
    ) -> None:
        self._required = {path: frozenset(required) for path, required in paths.items()}
        if stray := sorted(frozenset().union(*self._required.values()) - set(checks)):
            raise ValueError(f"a path requires checks that are not given: {', '.join(stray)}")
        self._now = max([start_ms, *(transition.at_ms for transition in journal)])
        self._order = count()
        self._due: list[tuple[int, int, CheckAccount | PathAccount]] = []
        self._new: list[Transition] = []
        past: defaultdict[str, list[Transition]] = defaultdict(list)
        for transition in journal:
            past[transition.subject].append(transition)

        self._checks: dict[str, CheckAccount] = {}
        memory = {result.check: result for result in held}
        for name in dict.fromkeys([*checks, *memory, *_names(past, "check:")]):
            known = past[f"check:{name}"]
            paths_now = tuple(path for path, required in self._required.items() if name in required)
            last = _remembered(name, checks.get(name, 0), known, memory.get(name), self._now, paths_now)
            self._checks[name] = CheckAccount(name, checks.get(name, 0), last, known[-1].state if known else None)

        # Up to now the paths are as they were, from now on as they are configured.
        before = {name: account.last.paths if past[account.subject] else () for name, account in self._checks.items()}
        everything = dict.fromkeys([*paths, *_names(past, "path:"), *(p for names in before.values() for p in names)])
        self._paths = {name: PathAccount(name) for name in everything}
        self._paths_of = {check: [self._paths[name] for name in names] for check, names in before.items()}
        for window in windows:
            if window.path in paths:
                self._paths[window.path].declare(window)
        for name, account in self._checks.items():
            for path in self._paths_of[name]:
                path.members[name] = (State.UNKNOWN, "")
                for transition in past[account.subject]:
                    path.note(transition.at_ms, name, transition.state, transition.cause)
            self._touch(account)
        for path in self._paths.values():
            self._reopen(path, past[path.subject])
        self._retire(checks)

    @classmethod
    def restore(  # noqa: PLR0913
        cls,
        paths: Mapping[str, Collection[str]],
        checks: Mapping[str, int],
        start_ms: int,
        *,
        journal: Iterable[Transition],
        held: Iterable[Held],
        windows: Iterable[Maintenance] = (),
    ) -> Book:
        """
        Go on after a stop or a crash, as if there had been no verdicts in between.

        Needed of the *journal*, in its order: the last transition of each subject, and those of the checks since the
        last one of their path. Runs that were in flight are lost: the result before them holds until its end, then
        all is unknown. What was required before is so until *start_ms*, what is required now from then on.
        The first operation returns what has to be journalled; store `held()` in the same transaction.
        """
        return cls(paths, checks, start_ms, journal=tuple(journal), held=held, windows=windows)

    def begin(self, check: str, at_ms: int, run: str = "") -> list[Transition]:
        """
        Note that a run which counts starts: its check is withheld from here on, until `settle` or `abandon`.

        *run* tells apart runs of one check that overlap; a run that was begun before keeps its start.
        """
        account = self._checks.get(check)
        if account and run not in account.running:
            start = max(at_ms, account.frontier(self._now))
            account.running[run] = start
            for path in self._paths_of[check]:
                insort(path.running, (start, check, run))
        return self.advance(at_ms)

    def settle(  # noqa: PLR0913, PLR0917 - a verdict, taken apart so that this file knows nothing of runs
        self,
        check: str,
        state: State,
        since_ms: int,
        now: int,
        hold_until_ms: int | None = None,
        cause: str = "",
        run: str = "",
    ) -> list[Transition]:
        """
        Enter the verdict of a run and end its withholding.

        The state holds from *since_ms*: the start of the run, or of its first failing attempt. What is settled stays:
        a *since_ms* before the frontier of the check is moved there, which happens only if `begin` was not called.
        Without *hold_until_ms* the result holds for the check's hold time from *since_ms*.
        """
        self._pass(now)
        if account := self._checks.get(check):
            since = min(max(since_ms, account.frontier(self._now)), self._now)
            until = since_ms + account.hold_ms if hold_until_ms is None else hold_until_ms
            account.receive(Held(check, state, since, until, cause, account.last.paths))
            self._land(account, run)
        return self._drain()

    def abandon(self, check: str, now: int = 0, run: str = "") -> list[Transition]:
        """End a run without a verdict. Nothing is said: the result before it holds, for as long as it may."""
        self._pass(now)
        if account := self._checks.get(check):
            self._land(account, run)
        return self._drain()

    def maintenance(self, path: str, start_ms: int, end_ms: int, cause: str = "", key: str = "") -> list[Transition]:
        """
        Declare maintenance beforehand. It excludes nothing that is settled: it starts at the frontier at the earliest.

        Declare with the *key* of an earlier window to end that one early, or to extend it. For `restore`, store as its
        start the later of *start_ms* and `frontier(path)`; of a window that has begun, keep the start it had.
        """
        if account := self._paths.get(path):
            frontier = account.frontier(self._now)
            account.declare(Maintenance(path, max(start_ms, frontier), max(end_ms, frontier), cause, key))
            account.note(frontier)
            self._emit(account)
        return self._drain()

    def advance(self, now: int) -> list[Transition]:
        """Let time pass: results come to their end, maintenance begins and ends. Returns what is new, in order."""
        self._pass(now)
        return self._drain()

    def frontier(self, path: str) -> int:
        """Return up to when a path is settled. Never goes back."""
        return self._paths[path].frontier(self._now)

    def state(self, path: str) -> State:
        """Return the settled state of a path, at its frontier: the one in the journal."""
        return self._paths[path].state or State.UNKNOWN

    def current(self, path: str) -> State:
        """Return the state of a path by the latest verdicts that hold, as if the runs in flight had not begun."""
        muted = self._paths[path].muted_at(self._now)
        return State.MAINTENANCE if muted else worst(map(self.check_state, self._required[path]))

    def check_state(self, check: str) -> State:
        """Return the state of a check by its latest verdict, while that holds."""
        return self._checks[check].live(self._now)

    def held(self, *checks: str) -> list[Held]:
        """Return the last result of these checks, or of all: to be stored in the transaction of the verdict."""
        return [self._checks[check].last for check in checks or self._checks]

    def _pass(self, now: int) -> None:
        """Let time pass: first every check that is due, then the paths."""
        self._now = max(self._now, now)
        paths: dict[str, PathAccount] = {}
        while self._due and self._due[0][0] <= self._now:
            account = heappop(self._due)[2]
            account.alarm_ms = None
            if isinstance(account, PathAccount):
                paths[account.name] = account
            else:
                self._touch(account)
                paths.update((path.name, path) for path in self._paths_of[account.name])
        for path in paths.values():
            self._emit(path)

    def _land(self, account: CheckAccount, run: str) -> None:
        start = account.running.pop(run, None)
        for path in self._paths_of[account.name] if start is not None else ():
            del path.running[bisect_left(path.running, (start, account.name, run))]
        self._touch(account)
        for path in self._paths_of[account.name]:
            self._emit(path)

    def _touch(self, account: CheckAccount) -> None:
        """Settle a check as far as it goes, and tell the paths that require it."""
        for transition in account.settle_before(self._limit(account)):
            self._new.append(transition)
            for path in self._paths_of[account.name]:
                path.note(transition.at_ms, account.name, transition.state, transition.cause)
        self._wake(account)

    def _emit(self, path: PathAccount) -> None:
        self._new.extend(path.settle_before(self._limit(path)))
        self._wake(path)

    def _limit(self, account: CheckAccount | PathAccount) -> int:
        # The start of a run in flight is itself still open: its verdict may begin to hold right there.
        return account.frontier(self._now) if account.running else self._now + 1

    def _wake(self, account: CheckAccount | PathAccount) -> None:
        """Set the alarm for the next change. What is due but withheld waits for the run in flight instead."""
        at = account.next_ms()
        if at is not None and at > self._now and (account.alarm_ms is None or at < account.alarm_ms):
            account.alarm_ms = at
            heappush(self._due, (at, next(self._order), account))

    def _drain(self) -> list[Transition]:
        new, self._new = sorted(self._new, key=lambda transition: transition.at_ms), []
        return new

    def _reopen(self, path: PathAccount, known: list[Transition]) -> None:
        required = self._required.get(path.name, frozenset())
        changed = required ^ set(path.members)
        for check, account in self._checks.items():
            if check not in changed:
                continue
            path.note(self._now, check, (account.state or State.UNKNOWN) if check in required else None, account.cause)
        path.note(self._now)
        path.resume(known[-1] if known else None, self._now)
        emitted = list(path.settle_before(self._now + 1))
        state, cause = path.judge()
        if state is not path.state:
            # The journal ends at this very instant, and what it says is not what is configured.
            path.state = state
            emitted.append(Transition(path.subject, self._now, state, cause))
        elif changed and not (emitted and emitted[-1].at_ms == self._now):
            # Without this line, a later restart would take the new checks to have been required before.
            emitted.append(Transition(path.subject, self._now, state, _CHANGED))
        self._new.extend(emitted)
        self._wake(path)

    def _retire(self, checks: Mapping[str, int]) -> None:
        """Close the accounts of what is configured no more, and go on with the paths as they are configured."""
        for name in [name for name in self._checks if name not in checks]:
            account = self._checks.pop(name)
            if account.state is not State.UNKNOWN:
                self._new.append(Transition(account.subject, self._now, State.UNKNOWN, _GONE))
        self._paths = {name: self._paths[name] for name in self._required}
        self._paths_of = {check: [] for check in self._checks}
        for path, required in self._required.items():
            for check in required:
                self._paths_of[check].append(self._paths[path])
        for name, account in self._checks.items():
            account.last = replace(account.last, paths=tuple(path.name for path in self._paths_of[name]))


def _names(past: Mapping[str, object], prefix: str) -> list[str]:
    return [subject.removeprefix(prefix) for subject in past if subject.startswith(prefix)]


def _remembered(  # noqa: PLR0913, PLR0917 - all that there is to go by
    name: str, hold_ms: int, known: list[Transition], held: Held | None, now: int, paths: tuple[str, ...]
) -> Held:
    """Return the result from which a check goes on: the one kept, where it fits the journal, else what that says."""
    if not known:
        return held or Held(name, State.UNKNOWN, now, now, NO_VERDICT, paths)
    last = known[-1]
    if held and held.until_ms > last.at_ms and (held.since_ms >= last.at_ms or held.state is last.state):
        return replace(held, since_ms=max(held.since_ms, last.at_ms))
    paths = held.paths if held else paths
    return Held(name, last.state, last.at_ms, last.at_ms + hold_ms, last.cause, paths)
