"""The outbox in the database. Implements `alerts.ports.Outbox`."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import RowMapping, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.message import Message, MessageKind
from alerts.ports import OutboxRow
from scheduler.store.schema import outbox
from scheduler.store.shielded import to_its_end


class StoredOutbox:
    """Rows are written by `Records.write`; here they are read and settled."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @to_its_end
    async def pending(self) -> list[OutboxRow]:
        """Return every unsent row, in order."""
        query = select(outbox).where(outbox.c.sent_ms.is_(None)).order_by(outbox.c.id)
        async with self._engine.connect() as connection:
            return [_row(row) for row in (await connection.execute(query)).mappings()]

    async def mark_sent(self, row_id: int, at_ms: int) -> None:
        """Note that the channel accepted the row."""
        await self._set([row_id], sent_ms=at_ms, dead=False, last_error=None)

    async def mark_failed(self, row_id: int, attempts: int, next_ms: int, error: str, dead: bool) -> None:  # noqa: FBT001
        """Note that a send failed."""
        await self._set([row_id], attempts=attempts, next_ms=next_ms, last_error=error, dead=dead)

    async def coalesce(self, trigger_id: int, resolve_id: int, at_ms: int) -> None:
        """Note that one late message was accepted in place of two."""
        await self._set([trigger_id, resolve_id], sent_ms=at_ms, dead=False, last_error=None)

    @to_its_end
    async def latest_sent(self, channel: str, since_ms: int) -> list[OutboxRow]:
        """Return the last accepted row of each incident on a channel."""
        newest = (
            select(func.max(outbox.c.id))
            .where(outbox.c.channel == channel, outbox.c.sent_ms.is_not(None))
            .group_by(outbox.c.incident_id)
        )
        fresh = or_(outbox.c.kind == MessageKind.TRIGGER.value, outbox.c.sent_ms >= since_ms)
        async with self._engine.connect() as connection:
            rows = await connection.execute(select(outbox).where(outbox.c.id.in_(newest), fresh).order_by(outbox.c.id))
            return [_row(row) for row in rows.mappings()]

    @to_its_end
    async def _set(self, ids: list[int], **values: Any) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(**values))


def _row(row: RowMapping) -> OutboxRow:
    return OutboxRow(
        id=row["id"],
        incident_id=row["incident_id"],
        channel=row["channel"],
        message=Message.from_dict(json.loads(row["message"])),
        created_ms=row["created_ms"],
        attempts=row["attempts"],
        next_ms=row["next_ms"],
        sent_ms=row["sent_ms"],
        last_error=row["last_error"],
        dead=row["dead"],
    )
