"""A database for each test, of either kind, and stores that are closed after it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from critpath.testing import FakeClock
from scheduler.store import Store, open_store
from tests.integration.postgres import Postgres, find_binaries, running
from tests.integration.store_doubles import AT


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Return a server, for all tests of this run."""
    binaries = find_binaries()
    if binaries is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is not installed: install Debian's package postgresql")
        pytest.skip("PostgreSQL is not installed: install Debian's package postgresql")
    with running(binaries) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """Return the URL of an empty database."""
    if request.param == "sqlite":
        return "sqlite:///new/critpath.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture
async def opened(url: str, tmp_path: Path) -> Any:
    """Return a function that opens the store; all are closed at the end."""
    stores: list[Store] = []

    async def one(*, own: bool = False) -> Store:
        stores.append(await open_store(url, tmp_path, FakeClock(AT), own=own))
        return stores[-1]

    yield one
    for store in stores:
        await store.aclose()
