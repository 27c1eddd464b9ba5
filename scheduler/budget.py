"""
The request budget: all that we ask of the target from one address, whichever check asks.

A sliding window never lets more through than a fixed one of the same length. A part is kept for confirming failures,
so that being throttled cannot silence one. What was spent is kept over restarts; logins before they are made.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from config.profile import Allowance, Limits
from critpath import Clock, Context, ProbeError, Reason

Spend = tuple[str, str, int]
"""Kind (`request` or `login`), key (the account of a login), UTC epoch milliseconds."""


class SpendStore(Protocol):
    """Where spends are kept."""

    async def add(self, spends: list[Spend]) -> None: ...  # noqa: D102
    async def since(self, at_ms: int) -> list[Spend]: ...  # noqa: D102


class SlidingWindow:
    """At most *count* within any *per* seconds. Pure."""

    def __init__(self, allowance: Allowance) -> None:
        self.allowance = allowance
        self._spent: deque[int] = deque()

    def left(self, now: int, *, reserve: bool) -> int:
        """Return how many may still be taken now; the reserve only with *reserve*."""
        horizon = now - round(self.allowance.per * 1000)
        while self._spent and self._spent[0] <= horizon:
            self._spent.popleft()
        kept = 0 if reserve else self.allowance.reserve
        return max(0, self.allowance.count - kept - len(self._spent))

    def take(self, now: int) -> None:
        """Take one."""
        self._spent.append(now)

    def next_free(self, now: int) -> float:
        """Return in how many seconds the oldest one leaves the window."""
        return max(0.0, (self._spent[0] + self.allowance.per * 1000 - now) / 1000) if self._spent else 0.0


class RequestBudget:
    """Implements `probes.ports.Gate` over the limits of the profile."""

    def __init__(self, limits: Limits, clock: Clock, store: SpendStore) -> None:
        self._limits = limits
        self._clock = clock
        self._store = store
        self._requests = SlidingWindow(limits.requests) if limits.requests else None
        self._logins: dict[str, SlidingWindow] = {}
        self._silent_until: dict[str, float] = {}
        self._unsaved: list[Spend] = []

    async def open(self) -> None:
        """Take up what earlier processes spent."""
        allowances = [a for a in (self._limits.requests, self._limits.logins) if a]
        if not allowances:
            return
        horizon = self._clock.now() - round(max(a.per for a in allowances) * 1000)
        for kind, key, at_ms in await self._store.since(horizon):
            if kind == "request" and self._requests:
                self._requests.take(at_ms)
            elif kind == "login" and (window := self._login_window(key)):
                window.take(at_ms)

    async def request(self, ctx: Context, surface: str) -> None:
        """Take one request, or raise `ProbeError(THROTTLED)`."""
        wait = self._silent_until.get(surface, 0.0) - self._clock.monotonic()
        if wait > 0:
            raise ProbeError(Reason.THROTTLED, f"the target asked us to be silent on {surface} for another {wait:.0f} s")
        if self._requests is None:
            return
        now = self._clock.now()
        if self._requests.left(now, reserve=ctx.attempt > 1) == 0:
            free = self._requests.next_free(now)
            raise ProbeError(Reason.THROTTLED, f"our request budget is spent; the next request is free in {free:.0f} s")
        self._requests.take(now)
        self._unsaved.append(("request", "", now))

    async def login(self, ctx: Context, username: str) -> None:
        """Take one login of an account, durably, or raise `ProbeError(THROTTLED)`."""
        window = self._login_window(username)
        if window is None:
            return
        now = self._clock.now()
        if window.left(now, reserve=ctx.attempt > 1) == 0:
            free = window.next_free(now)
            raise ProbeError(Reason.THROTTLED, f"the account has no login left; the next one is free in {free:.0f} s")
        window.take(now)
        await self._store.add([("login", username, now)])

    def back_off(self, surface: str, seconds: float) -> None:
        """Be silent on a surface."""
        self._silent_until[surface] = max(self._silent_until.get(surface, 0.0), self._clock.monotonic() + seconds)

    async def flush(self) -> None:
        """Save what was spent since the last time."""
        unsaved = list(self._unsaved)
        await self._store.add(unsaved)
        del self._unsaved[: len(unsaved)]

    def remaining(self) -> int | None:
        """Return how many requests are left, the reserve included; `None` without a limit."""
        return self._requests.left(self._clock.now(), reserve=True) if self._requests else None

    def _login_window(self, username: str) -> SlidingWindow | None:
        if self._limits.logins is None:
            return None
        return self._logins.setdefault(username, SlidingWindow(self._limits.logins))
