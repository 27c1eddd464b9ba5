"""The journal and what belongs to it: written in one transaction for each verdict, read back after a restart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Insert, RowMapping, Table, Update, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts import journal
from alerts.account import Held, Transition
from alerts.incident import Incident, Status
from alerts.journal import Entry, Kind, Line
from alerts.message import Message
from alerts.timeline import State
from critpath import Clock, Outcome, Reason, Result, RunClass, Step
from scheduler.store import schema
from scheduler.store.shielded import to_its_end

# Made once: a statement made anew is analysed anew, each time.
_ADD_RESULTS = insert(schema.results)
_ADD_ENTRIES = insert(schema.journal)


@dataclass(slots=True)
class Batch:
    """All that one verdict changes."""

    results: Sequence[Result] = ()
    lines: Sequence[Line] = ()
    held: Sequence[Held] = ()
    last_good_ms: Mapping[str, int] = field(default_factory=dict)
    incidents: list[Incident] = field(default_factory=list)
    messages: list[tuple[str, Message]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.results or self.lines or self.held or self.incidents or self.messages)


class Records:
    """Writes batches, keeps the end of the chain, and reads history."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._last: Entry | None = None

    @to_its_end
    async def open(self) -> None:
        """Find the end of the chain."""
        async with self._engine.connect() as connection:
            row = (
                (await connection.execute(select(schema.journal).order_by(schema.journal.c.seq.desc()).limit(1)))
                .mappings()
                .first()
            )
        self._last = _entry(row) if row else None

    @to_its_end
    async def write(self, batch: Batch) -> None:
        """Write *batch* in one transaction: all of it, or nothing."""
        now = self._clock.now()
        entries = journal.append(self._last, batch.lines, now)
        async with self._engine.begin() as connection:
            if batch.results:
                await connection.execute(_ADD_RESULTS, [_result_row(result) for result in batch.results])
            if entries:
                await connection.execute(_ADD_ENTRIES, [{**asdict(e), "kind": e.kind.value} for e in entries])
            for held in batch.held:
                row = _held_row(held, batch.last_good_ms.get(held.check))
                await _replace(connection, schema.check_states, "check_name", row)
            for incident in batch.incidents:
                await _replace(connection, schema.incidents, "id", _incident_row(incident))
            if batch.messages:
                rows = [_outbox_row(channel, message, now) for channel, message in batch.messages]
                await connection.execute(insert(schema.outbox), rows)
        if entries:
            self._last = entries[-1]

    @property
    def head(self) -> Entry | None:
        """The last entry of the chain."""
        return self._last

    @to_its_end
    async def transitions(self) -> list[Transition]:
        """Return every segment of the journal, in its order."""
        query = select(schema.journal).where(schema.journal.c.kind == Kind.SEGMENT.value).order_by(schema.journal.c.seq)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [Transition(r["subject"], r["at_ms"], State(r["state"]), r["cause"]) for r in rows]

    @to_its_end
    async def entries(self) -> list[Entry]:
        """Return the whole journal."""
        async with self._engine.connect() as connection:
            rows = (await connection.execute(select(schema.journal).order_by(schema.journal.c.seq))).mappings().all()
        return [_entry(row) for row in rows]

    @to_its_end
    async def held(self) -> list[Held]:
        """Return the last result of each check."""
        async with self._engine.connect() as connection:
            rows = (await connection.execute(select(schema.check_states))).mappings().all()
        return [
            Held(r["check_name"], State(r["state"]), r["since_ms"], r["until_ms"], r["cause"], tuple(json.loads(r["paths"])))
            for r in rows
        ]

    @to_its_end
    async def last_good(self) -> dict[str, int]:
        """Return the start of the last good attempt of each check that had one."""
        columns = schema.check_states.c
        query = select(columns.check_name, columns.last_good_ms).where(columns.last_good_ms.is_not(None))
        async with self._engine.connect() as connection:
            return {row.check_name: row.last_good_ms for row in await connection.execute(query)}

    @to_its_end
    async def incidents(self, *, since_ms: int = 0, unresolved: bool = False) -> list[Incident]:
        """Return incidents, oldest first: those that began at *since_ms* or later, or that are not over."""
        table = schema.incidents
        query = select(table.c.document).order_by(table.c.started_ms, table.c.id)
        query = (
            query.where(table.c.status != Status.RESOLVED.value) if unresolved else query.where(table.c.started_ms >= since_ms)
        )
        async with self._engine.connect() as connection:
            return [Incident.from_dict(json.loads(text)) for text in (await connection.execute(query)).scalars()]

    @to_its_end
    async def latest_results(self, check: str, limit: int = 20) -> list[Result]:
        """Return the newest attempts of a check, newest first."""
        table = schema.results
        query = (
            select(table).where(table.c.check_name == check).order_by(table.c.started_ms.desc(), table.c.id.desc()).limit(limit)
        )
        async with self._engine.connect() as connection:
            return [_result(row) for row in (await connection.execute(query)).mappings()]

    @to_its_end
    async def forget_results(self, before_ms: int) -> int:
        """Delete attempts that started before *before_ms*; the journal stays. Returns how many."""
        async with self._engine.begin() as connection:
            done = await connection.execute(delete(schema.results).where(schema.results.c.started_ms < before_ms))
        return done.rowcount


@cache
def _update(table: Table, key: str) -> Update:
    return update(table).where(table.c[key] == bindparam("replaced"))


async def _replace(connection: AsyncConnection, table: Table, key: str, row: dict[str, Any]) -> None:
    changed = await connection.execute(_update(table, key), {**row, "replaced": row[key]})
    if changed.rowcount == 0:
        statement: Insert = insert(table).values(**row)
        await connection.execute(statement)


def _entry(row: RowMapping) -> Entry:
    return Entry(**{**row, "kind": Kind(row["kind"])})


def _result_row(result: Result) -> dict[str, Any]:
    return {
        "run_id": result.run_id,
        "check_name": result.check,
        "path": result.path,
        "run_class": result.run_class.value,
        "attempt": result.attempt,
        "started_ms": result.started_ms,
        "seconds": result.seconds,
        "outcome": result.outcome.value,
        "reason": result.reason.value,
        "message": result.message,
        "steps": json.dumps([asdict(step) for step in result.steps]),
        "trace_id": result.trace_id,
        "correlation_id": result.correlation_id,
    }


def _result(row: RowMapping) -> Result:
    return Result(
        run_id=row["run_id"],
        check=row["check_name"],
        path=row["path"],
        run_class=RunClass(row["run_class"]),
        attempt=row["attempt"],
        started_ms=row["started_ms"],
        seconds=row["seconds"],
        outcome=Outcome(row["outcome"]),
        reason=Reason(row["reason"]),
        message=row["message"],
        steps=tuple(Step(**step) for step in json.loads(row["steps"])),
        trace_id=row["trace_id"],
        correlation_id=row["correlation_id"],
    )


def _held_row(held: Held, last_good_ms: int | None) -> dict[str, Any]:
    row = {
        "check_name": held.check,
        "state": held.state.value,
        "since_ms": held.since_ms,
        "until_ms": held.until_ms,
        "cause": held.cause,
        "paths": json.dumps(held.paths),
    }
    return row if last_good_ms is None else {**row, "last_good_ms": last_good_ms}


def _incident_row(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "path": incident.path,
        "status": incident.status.value,
        "severity": incident.severity,
        "started_ms": incident.started_ms,
        "resolved_ms": incident.resolved_ms,
        "document": json.dumps(incident.to_dict()),
    }


def _outbox_row(channel: str, message: Message, now: int) -> dict[str, Any]:
    return {
        "incident_id": message.incident_id,
        "channel": channel,
        "kind": message.kind.value,
        "message": json.dumps(message.to_dict()),
        "created_ms": now,
        "attempts": 0,
        "next_ms": now,
        "dead": False,
    }
