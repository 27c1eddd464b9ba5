"""Small durable things: a check's notes, the canary register, and what was spent of the request budget."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from critpath import Clock, Context
from scheduler.store import schema
from scheduler.store.shielded import to_its_end


class StoredCanary:
    """One record of ours in the target. Implements `critpath.Canary`."""

    def __init__(self, engine: AsyncEngine, clock: Clock, nonce: str) -> None:
        self.nonce = nonce
        self._engine = engine
        self._clock = clock

    async def stored(self, remote_id: str) -> None:
        """Note under which id the target keeps the record."""
        await self._set(remote_id=remote_id, stored_ms=self._clock.now())

    async def gone(self) -> None:
        """Note that the record was read to be removed."""
        await self._set(gone_ms=self._clock.now())

    @to_its_end
    async def _set(self, **values: Any) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(update(schema.canaries).where(schema.canaries.c.nonce == self.nonce).values(**values))


class StoredNotebook:
    """Implements `probes.ports.Notebook`."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    @to_its_end
    async def recall(self, check: str) -> Mapping[str, Any]:
        """Return the check's notes."""
        query = select(schema.notes.c.document).where(schema.notes.c.check_name == check)
        async with self._engine.connect() as connection:
            document = await connection.scalar(query)
        return json.loads(document) if document else {}

    @to_its_end
    async def remember(self, check: str, notes: Mapping[str, Any]) -> None:
        """Replace the check's notes."""
        table, document = schema.notes, json.dumps(dict(notes))
        async with self._engine.begin() as connection:
            changed = await connection.execute(update(table).where(table.c.check_name == check).values(document=document))
            if changed.rowcount == 0:
                await connection.execute(insert(table).values(check_name=check, document=document))

    @to_its_end
    async def open_canary(self, ctx: Context, kind: str) -> StoredCanary:
        """Record the intent to write. The nonce is letters only: the target's filters rewrite what looks like a number."""
        nonce = "critpath" + uuid.uuid4().hex.translate(_LETTERS)
        async with self._engine.begin() as connection:
            await connection.execute(
                insert(schema.canaries).values(
                    nonce=nonce, kind=kind, check_name=ctx.check, run_id=ctx.run_id, intended_ms=self._clock.now()
                )
            )
        return StoredCanary(self._engine, self._clock, nonce)

    @to_its_end
    async def residue(self) -> int:
        """Return how many canaries are not proved to be gone."""
        query = select(func.count()).select_from(schema.canaries).where(schema.canaries.c.gone_ms.is_(None))
        async with self._engine.connect() as connection:
            return await connection.scalar(query) or 0


class StoredSpends:
    """What was asked of the target, kept over restarts."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @to_its_end
    async def add(self, spends: Sequence[tuple[str, str, int]]) -> None:
        """Add (kind, key, at_ms), durably."""
        if spends:
            async with self._engine.begin() as connection:
                rows = [{"kind": kind, "key": key, "at_ms": at_ms} for kind, key, at_ms in spends]
                await connection.execute(insert(schema.spends), rows)

    @to_its_end
    async def since(self, at_ms: int) -> list[tuple[str, str, int]]:
        """Return what was spent since then, oldest first."""
        table = schema.spends
        query = select(table.c.kind, table.c.key, table.c.at_ms).where(table.c.at_ms >= at_ms).order_by(table.c.at_ms)
        async with self._engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(query)]

    @to_its_end
    async def forget(self, before_ms: int) -> None:
        """Delete what was spent before then."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(schema.spends).where(schema.spends.c.at_ms < before_ms))


_LETTERS = str.maketrans("0123456789", "ghijklmnop")
