"""Writes messages to the daemon's own log: the channel that is always there."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Protocol

from alerts.message import Message, MessageKind, utc


class Logger(Protocol):
    """The part of a structlog logger that is used."""

    def warning(self, event: str, **fields: Any) -> Any:
        """Write one line."""
        ...


class Log:
    """
    One line per message, at the same level for a trigger and for its resolve, so that no filter keeps only one of them.

    It never fails: a full disk must not hold up the channels that page.
    """

    resend_seconds: float | None = None

    def __init__(self, name: str, *, log: Logger) -> None:
        self.name = name
        self._log = log

    def __repr__(self) -> str:
        return f"Log({self.name!r})"

    async def send(self, message: Message, *, now_ms: int) -> None:
        """Write *message*."""
        fields: dict[str, Any] = {
            "incident_id": message.incident_id,
            "environment": message.environment,
            "path": message.path,
            "severity": message.severity,
            "title": message.title,
            "text": message.text,
            "started": utc(message.started_ms),
            "told": utc(now_ms),
        }
        if message.resolved_ms is not None:
            fields["resolved"] = utc(message.resolved_ms)
        if message.late:
            fields["late"] = True
        event = "incident_triggered" if message.kind is MessageKind.TRIGGER else "incident_resolved"
        with suppress(Exception):
            self._log.warning(event, **fields, details=dict(message.details), links=dict(message.links))

    async def aclose(self) -> None:
        """Do nothing: the logger is not ours."""
