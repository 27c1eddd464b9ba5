"""The store, for commands that read it beside a daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from config import Configuration
from critpath import Clock
from scheduler.secrets import Secrets
from scheduler.store import Store, open_store


@asynccontextmanager
async def opened_store(configuration: Configuration, clock: Clock) -> AsyncIterator[Store]:
    """Open the store beside a daemon that may own it."""
    settings = configuration.settings.store
    password = Secrets(configuration).read(settings.password) if settings.password else None
    store = await open_store(settings.url, configuration.file.resolve().parent, clock, password=password)
    try:
        yield store
    finally:
        await store.aclose()
