"""What a channel is, and the one way in which it fails."""

from __future__ import annotations

from typing import Protocol

from alerts.message import Message
from critpath.errors import CritpathError


class DeliveryError(CritpathError):
    """
    The receiver did not take the message.

    *permanent*: the same message will be refused again, as long as nobody mends the configuration.
    *retry_after*: seconds that the receiver asks us to wait. The text holds no secret: it is stored, shown and logged.
    """

    def __init__(self, message: str = "", *, permanent: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after


class Channel(Protocol):
    """
    Speaks one protocol. It keeps no queue and never tries twice: backoff and order are the dispatcher's.

    *resend_seconds* is set by a level-triggered channel, which forgets what it isn't told again and again.
    """

    @property
    def name(self) -> str:
        """The name under which the configuration knows it."""
        ...

    @property
    def resend_seconds(self) -> float | None:
        """How often an accepted message is to be repeated, or None."""
        ...

    async def send(self, message: Message, *, now_ms: int) -> None:
        """Return when the receiver has accepted *message*; raise `DeliveryError` otherwise."""
        ...

    async def aclose(self) -> None:
        """Let go of connections. Nothing is sent afterwards."""
        ...
