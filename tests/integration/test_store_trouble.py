"""The store in trouble: killed, tampered with, wanted by two, away, or not ours. On SQLite and on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from alerts.journal import Kind, Line, fault
from alerts.message import Message
from critpath.testing import FakeClock
from scheduler.store import Batch, StoreError, open_store
from tests.integration.postgres import Postgres
from tests.integration.store_doubles import AT, LINES, PATIENCE, Open, counts, message, whole

pytestmark = pytest.mark.integration


class Broken(Message):
    """A message that cannot be written."""

    def to_dict(self) -> dict[str, Any]:
        """Fail."""
        raise ValueError("it breaks here")


async def test_a_batch_is_written_whole_or_not_at_all(opened: Open) -> None:
    """What fails at its last row has left nothing, and the chain takes the next batch as if it had not been."""
    store = await opened()
    values = {name: getattr(message(), name) for name in message().to_dict()}
    with pytest.raises(ValueError, match="it breaks here"):
        await store.records.write(whole(("log", Broken(**values))))
    assert await counts(store) == {}
    await store.records.write(whole(("log", message())))
    assert await counts(store) == {"results": 2, "journal": 2, "check_states": 1, "incidents": 1, "outbox": 1}
    assert fault(await store.records.entries()) is None


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from critpath.testing import FakeClock
from scheduler.store import open_store
from tests.integration.store_doubles import AT, Message, message, whole

class Lethal(Message):
    def to_dict(self):
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    store = await open_store(sys.argv[1], Path(sys.argv[2]), FakeClock(AT), own=True)
    values = {name: getattr(message(), name) for name in message().to_dict()}
    await store.records.write(whole(("log", Lethal(**values))))

asyncio.run(main())
"""


async def test_a_daemon_killed_in_the_middle_of_a_write_has_written_nothing(opened: Open, url: str, tmp_path: Path) -> None:
    """And it owns the journal no more."""
    root = Path(__file__).parents[2]
    killed = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", KILLED, url, str(tmp_path)], cwd=root, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    end = time.monotonic() + PATIENCE
    while True:
        try:
            store = await opened(own=True)
            break
        except StoreError:  # a server may take a moment to notice
            assert time.monotonic() < end, "the dead daemon still owns the journal"
            await asyncio.sleep(0.05)
    assert await counts(store) == {}


async def test_one_daemon_owns_a_journal(opened: Open) -> None:
    """A second one is refused until the first has gone; those that only read are let in."""
    first = await opened(own=True)
    assert await counts(await opened()) == {}
    with pytest.raises(
        StoreError, match=r"^another critpath daemon .*owns this database; one process watches one environment$"
    ):
        await opened(own=True)
    await first.aclose()
    await opened(own=True)


@pytest.mark.parametrize(
    ("tampering", "said"),
    [
        (
            "UPDATE journal SET state = 'good', cause = '' WHERE seq = 2",
            "entry 2 has been changed: its hash does not fit its content",
        ),
        ("UPDATE journal SET at_ms = at_ms + 1 WHERE seq = 1", "entry 1 has been changed: its hash does not fit its content"),
        ("DELETE FROM journal WHERE seq = 2", "entry 2 is missing: 3 comes next"),
    ],
)
async def test_a_changed_journal_is_found_out(opened: Open, tampering: str, said: str) -> None:
    """Whoever can write to the database cannot rewrite history unnoticed."""
    store = await opened()
    await store.records.write(Batch(lines=[*LINES, Line(Kind.STOP, "daemon", AT)]))
    assert fault(await store.records.entries()) is None
    async with store._engine.begin() as connection:
        await connection.execute(text(tampering))
    assert fault(await store.records.entries()) == said


async def test_two_that_write_notes_at_once_do_not_hinder_each_other(opened: Open) -> None:
    """A command beside the daemon, and many tasks within it, wait for one another."""
    one, other = await opened(), await opened()
    await asyncio.gather(
        *(store.notebook.remember(f"check-{n}", {"n": n}) for n in range(10) for store in (one, other)[n % 2 :][:1])
    )
    assert [(await one.notebook.recall(f"check-{n}"))["n"] for n in range(10)] == list(range(10))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("mysql://host/name", "store.url: 'mysql' is not supported; write sqlite:///FILE or postgresql://HOST/NAME"),
        ("nonsense", "store.url is not a database URL; write sqlite:///FILE or postgresql://HOST/NAME"),
        ("sqlite:////proc/nowhere/x.db", "the store's folder cannot be made"),
        ("postgresql://u:pass-word@127.0.0.1:1/x", "the store postgresql+asyncpg://u:***@127.0.0.1:1/x cannot be used"),
    ],
)
async def test_a_store_that_cannot_be_used_says_why(bad: str, said: str, tmp_path: Path) -> None:
    """As an operator's matter, and without the password."""
    with pytest.raises(StoreError) as caught:
        await open_store(bad, tmp_path, FakeClock(AT))
    assert str(caught.value).startswith(said)
    assert "pass-word" not in str(caught.value)


async def test_a_database_of_a_newer_version_is_left_alone(opened: Open, url: str, tmp_path: Path) -> None:
    """An older program does not guess at a schema that it does not know."""
    store = await opened()
    async with store._engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="9999"):
        await open_store(url, tmp_path, FakeClock(AT))


async def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    """It is not overwritten."""
    (tmp_path / "x.db").write_text("my notes, which are long enough to be a header of something else\n" * 50)
    with pytest.raises(StoreError, match="file is not a database"):
        await open_store("sqlite:///x.db", tmp_path, FakeClock(AT))
    assert (tmp_path / "x.db").read_text().startswith("my notes")


async def test_a_database_that_is_not_there_says_so(postgres: Postgres, tmp_path: Path) -> None:
    """The server answers, and refuses."""
    with pytest.raises(StoreError, match='database "nowhere" does not exist'):
        await open_store(f"postgresql://postgres@127.0.0.1:{postgres.port}/nowhere", tmp_path, FakeClock(AT))


async def test_a_server_that_goes_and_comes_back_is_survived(postgres: Postgres, tmp_path: Path) -> None:
    """Every error meanwhile is one that the pipeline knows, and then the same batch is written once."""
    store = await open_store(postgres.database(), tmp_path, FakeClock(AT))
    await store.records.write(Batch(lines=LINES[:1]))
    await asyncio.to_thread(postgres.stop, "immediate")
    starting = None
    try:
        for _ in range(2):
            with pytest.raises((SQLAlchemyError, OSError)):
                await store.records.write(Batch(lines=LINES[1:]))
        starting = asyncio.create_task(asyncio.to_thread(postgres.start))
        end = time.monotonic() + PATIENCE
        while True:  # also while it starts, and refuses for that
            try:
                await store.records.write(Batch(lines=LINES[1:]))
                break
            except (SQLAlchemyError, OSError):
                assert time.monotonic() < end, "the store did not come back"
                await asyncio.sleep(0.002)
    finally:
        await (asyncio.to_thread(postgres.start) if starting is None else starting)
    entries = await store.records.entries()
    assert [entry.subject for entry in entries] == ["check:login", "path:auth"]
    assert fault(entries) is None
    await store.aclose()
