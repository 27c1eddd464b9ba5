"""
Transactions that end, even where whoever asked for them is cancelled.

A probe's deadline may fall into a write. A transaction that is cut in the middle would keep SQLite's only write lock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def to_its_end(method: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Let *method* finish before a cancellation of its caller goes on."""

    @wraps(method)
    async def shielded(*args: P.args, **kwargs: P.kwargs) -> R:
        work = asyncio.ensure_future(method(*args, **kwargs))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])
            raise

    return shielded
