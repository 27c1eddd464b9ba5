"""
The twin's database: one SQLite file, seeded from `seed.json`.

Calls block for microseconds and never await, so each method of the modules above is atomic in the event loop.
"""

import json
import sqlite3
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

HERE = Path(__file__).parent
# Cheap on purpose: seeding six accounts must not be felt at the start.
HASHER = PasswordHasher(time_cost=1, memory_cost=512, parallelism=1)
TABLES = (
    "users", "user_sessions", "token_blacklist", "cases", "entities", "relationships", "ingest_jobs",
    "ingest_records", "provenance_ledger_v2", "audit_events", "maestro_runs",
)  # fmt: skip


def now_ms() -> int:
    """The wall clock, epoch milliseconds."""
    return time.time_ns() // 1_000_000


def iso(ms: int) -> str:
    """Epoch milliseconds as JavaScript's `toISOString` writes them."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Store:
    """SQL in, rows out."""

    def __init__(self, folder: Path) -> None:
        self._db = sqlite3.connect(folder / "twin.sqlite3", isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;")
        self._db.executescript((HERE / "schema.sql").read_text(encoding="utf-8"))
        self.seed: dict[str, Any] = json.loads((HERE / "seed.json").read_text(encoding="utf-8"))
        self.fixtures = frozenset(entity["id"] for entity in self.seed["entities"])
        if not self.one("SELECT 1 FROM users"):
            self._sow()

    def run(self, sql: str, *values: Any) -> int:
        """Execute one statement; the number of rows it changed."""
        return self._db.execute(sql, values).rowcount

    def insert(self, sql: str, *values: Any) -> int:
        """Execute one INSERT; the row's number."""
        return self._db.execute(sql, values).lastrowid or 0

    def one(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """The first row, if any."""
        row: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: Any) -> Sequence[sqlite3.Row]:
        """Every row."""
        return self._db.execute(sql, values).fetchall()

    def reset(self) -> None:
        """Forget everything and seed again."""
        for table in TABLES:
            self.run(f"DELETE FROM {table}")  # noqa: S608 - names of our own
        self._sow()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _sow(self) -> None:
        # Fixtures are a day old, so that they come before any canary in lists ordered by age.
        born = now_ms() - 86_400_000
        for user in self.seed["users"]:
            self.run(
                "INSERT INTO users (id, email, username, first_name, last_name, role, tenant_id, password_hash)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                user["id"], user["email"], user["email"].partition("@")[0], user["firstName"], user["lastName"],
                user["role"], user["tenantId"], HASHER.hash(user["password"]),
            )  # fmt: skip
        for position, case in enumerate(self.seed["cases"]):
            self.run(
                "INSERT INTO cases VALUES (?, ?, ?, ?, ?, ?)",
                case["id"], case["tenantId"], case["title"], case["status"], json.dumps(case["iocs"]), born + position,
            )  # fmt: skip
        for position, entity in enumerate(self.seed["entities"]):
            self.run(
                "INSERT INTO entities VALUES (?, ?, ?, ?, ?, ?)",
                entity["id"], entity["tenantId"], entity["type"], json.dumps(entity["props"], ensure_ascii=False),
                born + position, born + position,
            )  # fmt: skip
        for link in self.seed["relationships"]:
            self.run(
                "INSERT INTO relationships VALUES (?, ?, ?, ?, ?, ?, ?)",
                link["id"], link["tenantId"], link["from"], link["to"], link["type"], "{}", born,
            )  # fmt: skip
