"""The requests that came in lately, for tests that count and look."""

from collections import deque
from typing import Any

from demo.exchange import Exchange
from demo.store import iso, now_ms

CAPACITY = 2_000


class Requests:
    """The last 2,000 requests of every surface but control, oldest first."""

    def __init__(self) -> None:
        self._kept: deque[dict[str, Any]] = deque(maxlen=CAPACITY)

    def note(self, exchange: Exchange) -> None:
        """Keep one; status 0 means that no answer was given."""
        self._kept.append(
            {
                "at": iso(now_ms()),
                "surface": exchange.surface,
                "method": exchange.method,
                "path": exchange.path,
                "userAgent": exchange.headers.get("user-agent", ""),
                "correlationId": exchange.correlation_id,
                "status": exchange.status,
            }
        )

    def list(self) -> list[dict[str, Any]]:
        """All that is kept."""
        return list(self._kept)

    def clear(self) -> None:
        """Forget them."""
        self._kept.clear()
