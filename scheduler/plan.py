"""Does the schedule fit the request budget? Pure arithmetic over the configuration, before anything is asked."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from config import Settings
from config.profile import CheckSettings


@dataclass(frozen=True, slots=True)
class Line:
    """What one check asks of the target within a window, if all its runs are good."""

    check: str
    path: str
    interval: float
    runs: int
    requests: int
    logins: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The sum. *allowed* leaves out the reserve for confirmations; it is `None` where the target sets no limit."""

    window: float
    lines: tuple[Line, ...]
    requests: int
    allowed: int | None
    logins: dict[str, int]
    logins_allowed: int | None

    @property
    def fits(self) -> bool:
        """Whether every run of the schedule may ask all it needs."""
        return not self.problems()

    def urgent_interval(self, check: CheckSettings, settings: Settings, urgent: int = 1) -> float:
        """
        Return the seconds between runs of a check whose path it broke: `recheck`, where the target's limits allow it.

        What the schedule leaves free, and half of the reserve, is shared by the *urgent* checks: watching an outage closely
        must not throttle everything else.
        """
        wanted = [check.recheck]
        if (requests := settings.limits.requests) and check.requests and self.allowed is not None:
            free = max(0, self.allowed - self.requests) + requests.reserve / 2
            wanted.append(requests.per * check.requests * urgent / free if free else check.interval)
        if (logins := settings.limits.logins) and check.logins:
            wanted.append(logins.per * max(check.logins.values()) / logins.count)
        return min(check.interval, max(wanted))

    def problems(self) -> list[str]:
        """Return what does not fit, each with the checks concerned and the nearest schedule that does."""
        found = []
        if self.allowed is not None and self.requests > self.allowed:
            factor = math.ceil(self.requests / self.allowed * 10) / 10
            dearest = ", ".join(line.check for line in sorted(self.lines, key=lambda item: -item.requests)[:3])
            found.append(
                f"{self.requests} requests in {self.window:g} s, but only {self.allowed} are allowed besides the reserve; "
                f"the dearest are {dearest}: make every interval {factor:g} times as long, or theirs longer still"
            )
        if self.logins_allowed is not None:
            found += [
                f"{count} logins of {who!r} in {self.window:g} s, but only {self.logins_allowed} are allowed besides the "
                f"reserve: make the interval of its checks longer, or give one of them an account of its own"
                for who, count in sorted(self.logins.items())
                if count > self.logins_allowed
            ]
        return found


def plan(settings: Settings) -> Plan:
    """Return what the enabled checks ask within the window of the limits, or within 15 minutes where there are none."""
    limits = settings.limits
    window = (limits.requests or limits.logins).per if limits.requests or limits.logins else 900.0  # type: ignore[union-attr]
    lines, logins = [], Counter[str]()
    for name, check in settings.checks.items():
        if check.enabled:
            runs = _runs(check, window)
            each = sum(check.logins.values())
            lines.append(Line(name, check.path, check.interval, runs, runs * check.requests, runs * each))
            for identity, count in check.logins.items():
                logins[identity] += _runs(check, limits.logins.per if limits.logins else window) * count
    return Plan(
        window=window,
        lines=tuple(lines),
        requests=sum(line.requests for line in lines),
        allowed=limits.requests.count - limits.requests.reserve if limits.requests else None,
        logins=dict(logins),
        logins_allowed=limits.logins.count - limits.logins.reserve if limits.logins else None,
    )


def _runs(check: CheckSettings, window: float) -> int:
    return math.ceil(window / check.interval)
