"""What the probes' tools need of the daemon. `scheduler` implements these; tests use small doubles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from critpath import Canary, Context


class Gate(Protocol):
    """The request budget that all our traffic to the target shares."""

    async def request(self, ctx: Context, surface: str) -> None:
        """
        Take one request.

        Raises:
            ProbeError: `THROTTLED`, where none is left for this class of run.
        """
        ...

    async def login(self, ctx: Context, username: str) -> None:
        """
        Take one login of an account, durably, before it is made.

        Raises:
            ProbeError: `THROTTLED`, where the account has none left.
        """
        ...

    def back_off(self, surface: str, seconds: float) -> None:
        """Obey the target: no request to *surface* for so many seconds."""
        ...


class Notebook(Protocol):
    """Small durable notes of a check, and the canary register."""

    async def recall(self, check: str) -> Mapping[str, Any]:
        """Return the last notes of a check; empty at first."""
        ...

    async def remember(self, check: str, notes: Mapping[str, Any]) -> None:
        """Replace the notes of a check."""
        ...

    async def open_canary(self, ctx: Context, kind: str) -> Canary:
        """Record the intent to write, durably, and return the canary with its fresh nonce."""
        ...
