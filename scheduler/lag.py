"""How late our own event loop is: a timeout that coincides with that is our fault, not the target's."""

from __future__ import annotations

import asyncio
from collections import deque

from critpath import Clock

_PERIOD_SECONDS = 0.25
_KEPT_SECONDS = 60.0


class LoopLag:
    """Measures by how much short sleeps overrun."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._samples: deque[tuple[float, float]] = deque()

    async def watch(self) -> None:
        """Measure until cancelled."""
        while True:
            due = self._clock.monotonic() + _PERIOD_SECONDS
            await asyncio.sleep(_PERIOD_SECONDS)
            now = self._clock.monotonic()
            self._samples.append((now, max(0.0, now - due)))
            while self._samples and self._samples[0][0] < now - _KEPT_SECONDS:
                self._samples.popleft()

    def worst(self, since: float = 0.0) -> float:
        """Return the worst lag in seconds since a moment of the monotonic clock, of the last minute at most."""
        return max((lag for at, lag in self._samples if at >= since), default=0.0)
