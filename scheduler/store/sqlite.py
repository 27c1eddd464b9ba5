"""
SQLite's driver connection, with fewer ways between threads.

aiosqlite hands every call to the connection's own thread and back, which costs more than most calls. Making and closing
a cursor touches no file, and a rollback has nothing to do where no transaction is open: neither goes there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import aiosqlite
from aiosqlite.context import Result


class _Connection(aiosqlite.Connection):
    """One user at a time, as in a pool. *idle*: its thread has nothing of ours to do."""

    idle = True

    def cursor(self) -> Result[aiosqlite.Cursor]:
        """Return a cursor, made at once."""
        return Result(self._made())

    async def rollback(self) -> None:
        """Roll back what is open, if anything is."""
        if self.in_transaction or not self.idle:
            await super().rollback()

    async def _made(self) -> aiosqlite.Cursor:
        return _Cursor(self, self._conn.cursor())

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        # Where we are cancelled in the middle, the thread goes on: not idle, until what is asked for next has come back.
        self.idle = False
        result = await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
        self.idle = True
        return result


class _Cursor(aiosqlite.Cursor):
    _conn: _Connection

    async def close(self) -> None:
        """Close at once, or after what the thread is still doing."""
        if self._conn.idle:
            self._cursor.close()
        else:
            await super().close()


async def open_connection(database: str, **options: Any) -> aiosqlite.Connection:
    """Open the file *database*; *options* are those of `sqlite3.connect`. To be given to SQLAlchemy as `async_creator_fn`."""
    options["check_same_thread"] = False  # two threads use it in turn, never at once
    connection = _Connection(lambda: sqlite3.connect(database, **options), iter_chunk_size=64)
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does: a hanging disk must not hold up our end
    return await connection
