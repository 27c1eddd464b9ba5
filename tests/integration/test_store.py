"""The store: the same tests on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from alerts.account import Transition
from alerts.incident import Status
from alerts.journal import Kind, Line, fault
from alerts.message import MessageKind
from alerts.timeline import State
from critpath import Context
from scheduler.store import Batch, engine, schema
from tests.integration.store_doubles import AT, HELD, INCIDENT, LINES, Open, counts, message, result, whole

pytestmark = pytest.mark.integration


async def test_the_migrations_make_exactly_the_schema(opened: Open) -> None:
    """Types included; and opening what is up to date changes nothing."""
    store = await opened()
    await opened()

    def differences(connection: Connection) -> list[Any]:
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), schema.metadata))

    async with store._engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_every_migration_can_be_taken_back(opened: Open) -> None:
    """Down to nothing, and up again."""
    store = await opened()

    def down(connection: Connection) -> list[str]:
        configuration = Config()
        configuration.set_main_option("script_location", str(engine._MIGRATIONS))
        configuration.set_main_option("path_separator", "os")
        configuration.attributes["connection"] = connection
        command.downgrade(configuration, "base")
        return inspect(connection).get_table_names()

    async with store._engine.begin() as connection:
        assert await connection.run_sync(down) == ["alembic_version"]
    assert await counts(await opened()) == {}


async def test_a_restart_restores_everything(opened: Open) -> None:
    """What was written is read back to the letter, and the chain goes on where it ended."""
    first = await opened(own=True)
    await first.records.write(whole(("log", message())))
    await first.aclose()
    second = await opened(own=True)
    records = second.records
    assert await records.transitions() == [Transition(each.subject, AT, State.BAD, each.cause) for each in LINES]
    assert await records.held() == [HELD]
    assert await records.last_good() == {"login": AT - 9}
    assert await records.incidents() == [INCIDENT]
    assert await records.latest_results("login") == [result(2, AT + 5000), result(1)]
    assert [row.message for row in await second.outbox.pending()] == [message()]
    assert records.head == first.records.head
    await records.write(Batch(lines=[Line(Kind.START, "daemon", AT)]))
    entries = await records.entries()
    assert [entry.seq for entry in entries] == [1, 2, 3]
    assert fault(entries) is None


async def test_what_is_written_again_replaces_what_was(opened: Open) -> None:
    """One row for each check and each incident; a good time that is not known leaves the one before."""
    records = (await opened()).records
    await records.write(whole())
    good = replace(HELD, state=State.GOOD, cause="")
    over = replace(INCIDENT, status=Status.RESOLVED, resolved_ms=AT + 9)
    await records.write(Batch(held=[good], incidents=[over]))
    assert await records.held() == [good]
    assert await records.last_good() == {"login": AT - 9}
    assert await records.incidents() == [over]
    assert await records.incidents(unresolved=True) == []
    assert await records.incidents(since_ms=AT + 1) == []


async def test_the_outbox_keeps_its_order_and_what_became_of_each_row(opened: Open) -> None:
    """Pending in the order of writing, failures and dead letters included; sent rows are gone from it."""
    store = await opened()
    outbox, resolve = store.outbox, message(MessageKind.RESOLVE)
    await store.records.write(whole(("chat", message()), ("log", message()), ("chat", resolve)))
    rows = await outbox.pending()
    assert [(row.channel, row.message.kind) for row in rows] == [
        ("chat", MessageKind.TRIGGER),
        ("log", MessageKind.TRIGGER),
        ("chat", MessageKind.RESOLVE),
    ]
    assert {(row.attempts, row.created_ms, row.next_ms, row.sent_ms, row.last_error, row.dead) for row in rows} == {
        (0, AT, AT, None, None, False)
    }
    chat, log, over = (row.id for row in rows)
    await outbox.mark_failed(log, 3, AT + 60_000, "it answered 404", dead=True)
    await outbox.coalesce(chat, over, AT + 5)
    (left,) = await (await opened()).outbox.pending()
    assert (left.id, left.attempts, left.next_ms, left.last_error, left.dead) == (log, 3, AT + 60_000, "it answered 404", True)
    await outbox.mark_sent(log, AT + 7)
    assert await outbox.pending() == []


async def test_what_a_channel_accepted_last_can_be_told_again(opened: Open) -> None:
    """Of each incident the newest accepted row: a trigger for as long as it is the last, a resolve for a while."""
    store = await opened()
    resolve = message(MessageKind.RESOLVE, "01J2", "audit")
    batch = Batch(
        messages=[("chat", message()), ("chat", message(incident="01J2", path="audit")), ("chat", resolve), ("log", message())]
    )
    await store.records.write(batch)
    for row in await store.outbox.pending():
        await store.outbox.mark_sent(row.id, AT + row.id)
    last = await store.outbox.latest_sent("chat", AT)
    assert [(row.message.path, row.message.kind) for row in last] == [
        ("auth", MessageKind.TRIGGER),
        ("audit", MessageKind.RESOLVE),
    ]
    late = await store.outbox.latest_sent("chat", AT + 1000)
    assert [row.message.path for row in late] == ["auth"]


async def test_spends_are_kept_and_old_ones_forgotten(opened: Open) -> None:
    """In the order of time; nothing is written for nothing."""
    spends = (await opened()).spends
    await spends.add([])
    await spends.add([("request", "", AT + 2), ("login", "probe@example.org", AT), ("request", "", AT - 1)])
    kept = [("login", "probe@example.org", AT), ("request", "", AT + 2)]
    again = (await opened()).spends
    assert await again.since(AT) == kept
    assert await again.since(0) == [("request", "", AT - 1), *kept]
    await again.forget(AT)
    assert await again.since(0) == kept


async def test_a_cancelled_transaction_ends_and_blocks_nobody(opened: Open) -> None:
    """A probe's deadline may fall into a write: the write is done, and the next one is not kept waiting."""
    store = await opened()
    for number in range(30):
        writing = asyncio.create_task(store.notebook.remember("login", {"number": number}))
        await asyncio.sleep(number % 7 * 0.0005)
        writing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await writing
    async with asyncio.timeout(4):
        await store.notebook.remember("login", {"number": "last"})
    assert await store.notebook.recall("login") == {"number": "last"}


async def test_a_canary_is_residue_until_it_is_proved_gone(opened: Open) -> None:
    """From the intent on, over restarts; its nonce is of letters alone and never the same."""
    store = await opened()
    ctx = Context("ingest", "ingestion", 5.0, run_id="run-1")
    first, second = [await store.notebook.open_canary(ctx, "ingest") for _ in range(2)]
    assert first.nonce != second.nonce
    assert first.nonce.isalpha()
    assert await store.notebook.residue() == 2
    await first.stored("id-1")
    assert await (await opened()).notebook.residue() == 2
    await first.gone()
    assert await store.notebook.residue() == 1


async def test_notes_are_of_one_check_and_replaced_whole(opened: Open) -> None:
    """Empty at first, and kept over restarts."""
    notebook = (await opened()).notebook
    assert await notebook.recall("audit") == {}
    await notebook.remember("audit", {"sequence": 7, "hash": "é"})
    await notebook.remember("audit", {"sequence": 8})
    await notebook.remember("other", {"x": None})
    assert await (await opened()).notebook.recall("audit") == {"sequence": 8}
    assert await notebook.recall("other") == {"x": None}


async def test_old_attempts_are_forgotten_and_the_journal_is_not(opened: Open) -> None:
    """The account does not rest on attempts."""
    store = await opened()
    await store.records.write(whole())
    assert await store.records.forget_results(AT + 1) == 1
    assert await counts(store) == {"results": 1, "journal": 2, "check_states": 1, "incidents": 1}
