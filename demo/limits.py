"""Rate limits (Contract A.7)."""

import time
from collections.abc import Callable
from dataclasses import dataclass

QUARTER = 15 * 60.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands after one more request. `reset` is seconds until the window, or the block, ends."""

    allowed: bool
    limit: int
    remaining: int
    reset: int
    blocked: bool = False


class Limiter:
    """A fixed window per key; who exceeds it is blocked for *block* seconds more, if there is a block."""

    def __init__(
        self, limit: int, window: float = QUARTER, block: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limit, self.window, self.block = limit, window, block
        self._clock = clock
        self._ends: dict[str, float] = {}
        self._hits: dict[str, int] = {}

    def hit(self, key: str) -> Standing:
        """Count one request of *key* and say whether it may pass."""
        now = self._clock()
        if now >= self._ends.get(key, 0.0):
            self._ends[key], self._hits[key] = now + self.window, 0
        self._hits[key] += 1
        if self._hits[key] == self.limit + 1 and self.block:
            self._ends[key] = now + self.block
        over = self._hits[key] > self.limit
        reset = max(1, round(self._ends[key] - now))
        return Standing(not over, self.limit, max(0, self.limit - self._hits[key]), reset, over and self.block > 0)

    def clear(self) -> None:
        """Forget everybody."""
        self._ends.clear()
        self._hits.clear()


class Limits:
    """The limiters that the twin mounts; every one counts only when limits are on."""

    def __init__(self, *, enabled: bool) -> None:
        self.enabled = enabled
        self.public = Limiter(100)
        self.authenticated = Limiter(1000)
        self.login = Limiter(5, block=QUARTER)
        self.refresh = Limiter(100, block=2 * QUARTER)

    def clear(self) -> None:
        """Forget everybody."""
        for limiter in (self.public, self.authenticated, self.login, self.refresh):
            limiter.clear()


def standard_headers(standing: Standing) -> dict[str, str]:
    """The `RateLimit-*` headers of the public and the authenticated limiter."""
    return {
        "ratelimit-policy": f"{standing.limit};w={QUARTER:.0f}",
        "ratelimit-limit": str(standing.limit),
        "ratelimit-remaining": str(standing.remaining),
        "ratelimit-reset": str(standing.reset),
    }


def auth_headers(standing: Standing) -> dict[str, str]:
    """The `X-RateLimit-*` headers of the login and refresh limiters; reset is an epoch second."""
    return {
        "x-ratelimit-limit": str(standing.limit),
        "x-ratelimit-remaining": str(standing.remaining),
        "x-ratelimit-reset": str(int(time.time()) + standing.reset),
    }
