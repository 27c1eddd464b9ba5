"""What delivery needs of a store. `scheduler.store` implements it; the tests have one in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from alerts.message import Message


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """
    One message to one channel, written in the transaction that changed the incident. Times are epoch milliseconds.

    *attempts* counts the sends that failed, *next_ms* is the earliest time of the next one (at first: *created_ms*).
    A *dead* row was refused for good, or grew too old. It stays unsent and visible; of SEV-1 it is still tried, slowly.
    """

    id: int
    incident_id: str
    channel: str
    message: Message
    created_ms: int
    attempts: int
    next_ms: int
    sent_ms: int | None
    last_error: str | None
    dead: bool = False


class Outbox(Protocol):
    """A durable queue. Each method is one transaction, and has been committed when it returns."""

    async def pending(self) -> list[OutboxRow]:
        """Return every row that is not sent, in the order of its id: *dead ones too*, for the dispatcher decides."""
        ...

    async def mark_sent(self, row_id: int, at_ms: int) -> None:
        """Note that the channel accepted the row."""
        ...

    async def mark_failed(self, row_id: int, attempts: int, next_ms: int, error: str, dead: bool) -> None:  # noqa: FBT001
        """Note that a send failed. *dead* is set or cleared as said: a later attempt may find the receiver mended."""
        ...

    async def coalesce(self, trigger_id: int, resolve_id: int, at_ms: int) -> None:
        """Note, for both rows at once, that one message marked late was accepted in their place."""
        ...

    async def latest_sent(self, channel: str, since_ms: int) -> list[OutboxRow]:
        """
        Return the last accepted row of each incident on *channel*.

        That is the trigger of an incident without an accepted resolve, and a resolve accepted at *since_ms* or later.
        """
        ...
