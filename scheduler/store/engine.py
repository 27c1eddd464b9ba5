"""Opening the database: the driver for its URL, the schema brought up to date, and one daemon at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from critpath import OperatorError

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
_MIGRATIONS = Path(__file__).parent / "migrations"
_ADVISORY_LOCK = 0x63726974


class StoreError(OperatorError):
    """The store cannot be used."""


def database_url(text_url: str, folder: Path, password: str | None = None) -> URL:
    """
    Return the URL with our driver in it; a relative SQLite file starts from *folder*.

    Raises:
        StoreError: the URL is none, or of a database that we do not speak.
    """
    try:
        url = make_url(text_url)
    except ArgumentError:
        raise StoreError("store.url is not a database URL; write sqlite:///FILE or postgresql://HOST/NAME") from None
    if url.drivername not in _DRIVERS:
        raise StoreError(f"store.url: {url.drivername!r} is not supported; write sqlite:///FILE or postgresql://HOST/NAME")
    url = url.set(drivername=_DRIVERS[url.drivername])
    if password:
        url = url.set(password=password)
    if is_sqlite(url) and url.database:
        url = url.set(database=str((folder / url.database).resolve()))
    return url


def is_sqlite(url: URL) -> bool:
    """Whether the URL is of an SQLite file."""
    return url.drivername.startswith("sqlite")


async def connect(url: URL) -> AsyncEngine:
    """
    Return an engine on a database whose schema is the present one.

    Raises:
        StoreError: it cannot be reached, created or migrated. The text names the place, never the password.
    """
    engine = create_async_engine(url, pool_pre_ping=not is_sqlite(url))
    if is_sqlite(url):
        if url.database:
            try:
                Path(url.database).parent.mkdir(parents=True, exist_ok=True)
            except OSError as exc:
                raise StoreError(f"the store's folder cannot be made: {exc}") from exc
        _tune_sqlite(engine)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_migrate)
    except CommandError as exc:
        await engine.dispose()
        place = url.render_as_string(hide_password=True)
        raise StoreError(f"the store {place} is of another version of critpath: {_line(exc)}") from exc
    except (SQLAlchemyError, OSError) as exc:
        await engine.dispose()
        raise StoreError(f"the store {url.render_as_string(hide_password=True)} cannot be used: {_line(exc)}") from exc
    return engine


class Ownership:
    """The right to write the journal: one daemon for each database. Ends with the process, however it ends."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._held: Any = None

    async def take(self) -> None:
        """
        Become the owner.

        Raises:
            StoreError: another daemon is.
        """
        if is_sqlite(self._engine.url):
            self._held = _lock_file(Path(f"{self._engine.url.database}.lock"))
            return
        self._held = await self._engine.connect()
        taken = await self._held.scalar(text(f"SELECT pg_try_advisory_lock({_ADVISORY_LOCK})"))
        await self._held.commit()
        if not taken:
            await self.release()
            raise StoreError("another critpath daemon owns this database; one process watches one environment")

    async def release(self) -> None:
        """Give it up."""
        held, self._held = self._held, None
        if held is None:
            return
        if isinstance(held, int):
            os.close(held)
        else:
            await held.close()


def _lock_file(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        owner = path.read_text().strip() or "unknown"
        os.close(descriptor)
        message = f"another critpath daemon (process {owner}) owns this database; one process watches one environment"
        raise StoreError(message) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor


def _tune_sqlite(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _on_begin(connection: Connection) -> None:
        # A transaction that reads first and writes later could lose its place to another process.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(connection: Connection) -> None:
    configuration = Config()
    configuration.set_main_option("script_location", str(_MIGRATIONS))
    configuration.set_main_option("path_separator", "os")
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, "head")


def _line(error: BaseException) -> str:
    original = getattr(error, "orig", None) or error
    return str(original).splitlines()[0] if str(original) else type(original).__name__
