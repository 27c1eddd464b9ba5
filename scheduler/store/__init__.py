"""The durable half of the daemon: journal, incidents, outbox, and the small things. SQLite or PostgreSQL by URL."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from critpath import Clock
from scheduler.store.engine import Ownership, StoreError, connect, database_url
from scheduler.store.notebook import StoredNotebook, StoredSpends
from scheduler.store.outbox import StoredOutbox
from scheduler.store.records import Batch, Records

__all__ = ["Batch", "Records", "Store", "StoreError", "open_store"]


class Store:
    """The database of one environment, by subject."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self.ownership = Ownership(engine)
        self.records = Records(engine, clock)
        self.outbox = StoredOutbox(engine)
        self.notebook = StoredNotebook(engine, clock)
        self.spends = StoredSpends(engine)

    @property
    def url(self) -> str:
        """Where the database is, without its password."""
        return self._engine.url.render_as_string(hide_password=True)

    async def aclose(self) -> None:
        """Close every connection; a journal that was owned may be owned by another."""
        await self.ownership.release()
        await self._engine.dispose()


async def open_store(url: str, folder: Path, clock: Clock, *, password: str | None = None, own: bool = False) -> Store:
    """
    Open the database, bring its schema up to date, and with *own* become the one that writes its journal.

    Raises:
        StoreError: it cannot be used, or another daemon owns it.
    """
    store = Store(await connect(database_url(url, folder, password)), clock)
    try:
        if own:
            await store.ownership.take()
        await store.records.open()
    except BaseException:
        await store.aclose()
        raise
    return store
