"""Time, injected. Wall time is UTC epoch milliseconds as an integer; durations come from a monotonic clock."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What the program may know of time."""

    def now(self) -> int:
        """Return UTC epoch milliseconds. Never goes backwards within a process."""
        ...

    def monotonic(self) -> float:
        """Return seconds since some fixed point."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """
    Wall time read once, then carried forward by the monotonic clock.

    A step of the system clock therefore neither stretches an outage nor makes one: see `wall_drift`.
    """

    def __init__(self) -> None:
        self._anchor = time.time_ns() // 1_000_000
        self._origin = self.monotonic()

    def now(self) -> int:
        """Return UTC epoch milliseconds."""
        return self._anchor + round((self.monotonic() - self._origin) * 1000)

    def monotonic(self) -> float:
        """Return seconds, counting time in which the machine slept where the system can tell."""
        clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
        return time.clock_gettime(clock)

    async def sleep(self, seconds: float) -> None:
        """Wait on the running event loop."""
        await asyncio.sleep(seconds)

    def wall_drift(self) -> float:
        """Return by how many seconds the system's wall clock has left ours since the start."""
        return time.time_ns() / 1e9 - self.now() / 1000
