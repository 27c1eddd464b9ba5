"""What is written into a store by its tests. Times are UTC epoch milliseconds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import text

from alerts.account import Held
from alerts.incident import Cause, Incident, Status
from alerts.journal import Kind, Line
from alerts.message import Message, MessageKind
from alerts.timeline import State
from critpath import Outcome, Reason, Result, RunClass, Step
from scheduler.store import Batch, Store, schema

AT = 1_800_000_000_000
PATIENCE = 15.0
Open = Callable[..., Awaitable[Store]]


def result(number: int, at_ms: int = AT, **differs: Any) -> Result:
    values: dict[str, Any] = {
        "run_id": f"run-{number}",
        "check": "login",
        "path": "auth",
        "run_class": RunClass.SCHEDULED,
        "attempt": 1,
        "started_ms": at_ms,
        "seconds": 0.1 + 0.2,
        "outcome": Outcome.FAILED,
        "reason": Reason.TIMEOUT,
        "message": "no end — é \U0001f600",
        "steps": (Step("sign in", 0.0, 0.25, False),),
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "correlation_id": "b1d3c3f6-5b8e-4a4e-9d7a-3f0f5a1f9c11",
    }
    return Result(**{**values, **differs})


INCIDENT = Incident(
    id="01JHKQ7Z8Y0000000000000000",
    environment="prod",
    path="auth",
    severity="SEV-1",
    status=Status.OPEN,
    started_ms=AT,
    opened_ms=AT + 1,
    cause=Cause("login", Reason.TIMEOUT, "late", "sign in", "run-1", "trace"),
    failing=frozenset({"login", "refresh"}),
)
HELD = Held("login", State.BAD, AT, AT + 5000, "timeout: late", ("auth",))
LINES = [
    Line(Kind.SEGMENT, "check:login", AT, "bad", "timeout: late"),
    Line(Kind.SEGMENT, "path:auth", AT, "bad", "login: timeout: late"),
]


def message(kind: MessageKind = MessageKind.TRIGGER, incident: str = INCIDENT.id, path: str = "auth") -> Message:
    return Message(kind, incident, f"prod/{path}/x", "prod", path, "SEV-1", "broken", "since then", AT, AT, labels={"a": "b"})


def whole(*messages: tuple[str, Message]) -> Batch:
    """Return a batch with something of everything."""
    return Batch([result(1), result(2, AT + 5000)], LINES, [HELD], {"login": AT - 9}, [INCIDENT], list(messages))


async def counts(store: Store) -> dict[str, int]:
    """Return the number of rows of every table that is not empty."""
    async with store._engine.connect() as connection:
        found = {t.name: await connection.scalar(text(f"SELECT count(*) FROM {t.name}")) for t in schema.metadata.sorted_tables}  # noqa: S608
    return {name: count for name, count in found.items() if count}
