"""The log as a channel."""

from __future__ import annotations

from collections.abc import Callable

from structlog.testing import CapturingLogger

from alerts.channels import build
from alerts.channels.log import Log
from alerts.message import Message


async def test_a_message_is_one_line(make: Callable[..., Message], now_ms: int) -> None:
    """The event says what happened, the fields say the rest, times are readable."""
    log = CapturingLogger()
    channel = build("log", "journal", log=log)
    await channel.send(make(), now_ms=now_ms)
    await channel.send(make("resolve", late=True), now_ms=now_ms)
    (level, (event,), trigger), (_, (other,), resolve) = log.calls
    assert (level, event, other) == ("warning", "incident_triggered", "incident_resolved")
    assert (trigger["path"], trigger["severity"], trigger["started"]) == ("auth", "SEV-1", "2027-01-15T07:58:30.000Z")
    assert "resolved" not in trigger
    assert (resolve["resolved"], resolve["late"]) == ("2027-01-15T07:59:30.000Z", True)
    await channel.aclose()


async def test_it_never_fails(make: Callable[..., Message], now_ms: int) -> None:
    """A broken pipe behind the log is no reason to hold a message."""

    class Broken:
        def warning(self, event: str, **fields: object) -> None:
            raise BrokenPipeError

    channel = Log("journal", log=Broken())
    await channel.send(make(), now_ms=now_ms)
    assert channel.resend_seconds is None
