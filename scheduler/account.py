"""What the daemon knows of each path: its settled history, its incident, and what follows for the SLA."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from alerts.account import Book, Held, Transition
from alerts.burn import RULES
from alerts.incident import Incident
from alerts.sla import Assessment, Window, assess, burn_rate, coverage
from alerts.timeline import State, Timeline
from config import PathSettings, Settings
from scheduler.checks import Check, required_checks
from scheduler.store import Records

PATH, CHECK = "path:", "check:"
BURN_WINDOWS = {
    f"{ms // unit}{name}": ms
    for rule in RULES
    for ms in (rule.short_ms, rule.long_ms)
    for unit, name in [next((u, n) for u, n in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m")) if ms % u == 0)]
}
"""The windows of the burn rules, by name: milliseconds. Two rules share one."""
_RECENT_MS = 30 * 86_400_000


class Account:
    """The book of one environment and the timelines that grow out of it."""

    def __init__(  # noqa: PLR0913 - what the configuration says, and what the store remembers
        self,
        settings: Settings,
        required: Mapping[str, list[str]],
        hold_ms: Mapping[str, int],
        now: int,
        *,
        journal: list[Transition],
        held: Iterable[Held] = (),
        incidents: Iterable[Incident] = (),
    ) -> None:
        self.settings = settings
        self.started_ms = now
        self.book = Book.restore(required, hold_ms, now, journal=journal, held=held)
        self.timelines = {path: Timeline() for path in settings.paths}
        self.checks = {check: Timeline() for check in hold_ms}
        self.incidents = {incident.path: incident for incident in incidents}
        self.take(journal)

    @classmethod
    async def read(cls, settings: Settings, checks: Mapping[str, Check], records: Records, now: int) -> Account:
        """Return the account as the store has it, up to *now*: incidents of the last 30 days, and those still open."""
        recent = await records.incidents(since_ms=now - _RECENT_MS)
        return cls(
            settings,
            required_checks(checks, settings.paths),
            {check.name: round(check.settings.hold() * 1000) for check in checks.values()},
            now,
            journal=await records.transitions(),
            held=await records.held(),
            incidents=[*recent, *await records.incidents(unresolved=True)],
        )

    def take(self, transitions: Iterable[Transition]) -> None:
        """Let the timelines grow by what the book, or the journal before it, settled."""
        for each in transitions:
            known = self.timelines if each.subject.startswith(PATH) else self.checks
            timeline = known.get(each.subject.partition(":")[2])
            if timeline is not None:
                timeline.append(each.at_ms, each.state, each.cause)

    def state(self, path: str) -> State:
        """Return what is true of a path by the latest verdicts."""
        return self.book.current(path) if path in self.timelines else State.UNKNOWN

    def loud(self) -> set[str]:
        """Return the paths whose incident somebody was told of."""
        return {path for path, incident in self.incidents.items() if incident.is_loud}

    def open_incidents(self) -> list[Incident]:
        """Return the incidents that are not over, oldest first."""
        return sorted((i for i in self.incidents.values() if i.is_open), key=lambda i: i.started_ms)

    def is_urgent(self, check: str, path: str) -> bool:
        """Whether a check is watched closely: it broke its path, and that is not over."""
        incident = self.incidents.get(path)
        return incident is not None and incident.is_open and check in incident.failing

    def rolling(self, path: str) -> Assessment:
        """Judge a path over the rolling period."""
        frontier = self.book.frontier(path)
        return self._assess(path, Window.rolling(frontier, ms=round(self.settings.slo.rolling * 1000)))

    def month(self, path: str, year_month: tuple[int, int] | None = None) -> Assessment:
        """Judge a path over a calendar month of the contract's zone; the present one by default."""
        zone = self.settings.slo.zone
        window = Window.month(*year_month, zone) if year_month else Window.month_of(self.book.frontier(path), zone)
        return self._assess(path, window)

    def burn(self, path: str) -> dict[str, Decimal]:
        """Return the burn rate of a path in each window."""
        now, objective = self.book.frontier(path), self.path(path).objective
        return {name: burn_rate(self.timelines[path], now, ms, objective) for name, ms in BURN_WINDOWS.items()}

    def coverage(self, path: str) -> dict[str, Decimal]:
        """Return the known share of each window."""
        now = self.book.frontier(path)
        return {name: coverage(self.timelines[path], now, ms) for name, ms in BURN_WINDOWS.items()}

    def seconds_since_start(self, path: str) -> dict[State, float]:
        """Return the settled time of a path in each state since the daemon started."""
        spent = self.timelines[path].spent(self.started_ms, self.book.frontier(path))
        by_state = {
            State.GOOD: spent.good,
            State.BAD: spent.bad,
            State.UNKNOWN: spent.unknown,
            State.MAINTENANCE: spent.maintenance,
        }
        return {state: ms / 1000 for state, ms in by_state.items()}

    def path(self, name: str) -> PathSettings:
        """Return the settings of a path."""
        return self.settings.paths[name]

    def _assess(self, path: str, window: Window) -> Assessment:
        return assess(self.timelines[path], window, self.path(path).objective, self.book.frontier(path))
