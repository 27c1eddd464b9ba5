"""
Delivers the outbox: at least once, in order, and never silently not at all.

`Dispatcher` reads, sends and notes; `alerts.delivery` decides. A row is marked sent after its channel accepted it: a
crash in between says the same again, with the same keys.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from itertools import count
from typing import Any

from alerts.channels.base import Channel, DeliveryError
from alerts.delivery import Delivery, after_failure, backoff, given_up, next_in_lane, to_repeat
from alerts.message import Message
from alerts.ports import Outbox, OutboxRow
from critpath.clock import Clock

logger = logging.getLogger(__name__)

REPEAT_RESOLVED_MS = 15 * 60_000
POLL_SECONDS = 30.0
"""How long a row waits at most if nobody called `Dispatcher.wake` for it."""


def _spread(seconds: float) -> float:
    return seconds * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, nothing secret


class Dispatcher:
    """
    Sends what the outbox holds. Messages in one lane go one after another, lanes never wait for each other.

    A lane is one incident on one channel; on a level-triggered channel it is one alert, for there a message about an
    older episode would overwrite the present one. *send_timeout* (seconds) is a backstop above the channels' own.
    *on_sent* gets the row and the time, *on_failed* the row, the error and whether it is dead now. Nothing they or a
    channel raise stops the dispatcher. Not thread-safe: all of it belongs to one event loop.
    """

    def __init__(  # noqa: PLR0913
        self,
        outbox: Outbox,
        channels: Mapping[str, Channel],
        clock: Clock,
        *,
        on_sent: Callable[[OutboxRow, int], None] | None = None,
        on_failed: Callable[[OutboxRow, DeliveryError, bool], None] | None = None,
        jitter: Callable[[float], float] = _spread,
        send_timeout: float = 30.0,
    ) -> None:
        self._outbox = outbox
        self._channels = channels
        self._clock = clock
        self._on_sent = on_sent
        self._on_failed = on_failed
        self._jitter = jitter
        self._send_timeout = send_timeout
        self._woken = asyncio.Event()
        self._looking = asyncio.Lock()
        self._closing = False
        self._unread_ms: int | None = None
        self._rows: list[OutboxRow] = []
        self._flights: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._repeat_ms: dict[str, int] = {}

    @property
    def pending_count(self) -> int:
        """How many rows were still to be delivered at the last look. Those that were given up are not counted."""
        return sum(not given_up(row) for row in self._rows)

    @property
    def dead_count(self) -> int:
        """How many rows were dead letters at the last look, those of SEV-1 included, which are tried still."""
        return sum(row.dead for row in self._rows)

    def oldest_age_seconds(self, now_ms: int) -> float:
        """Return the age of the oldest undelivered row. It grows, too, while the outbox cannot be read."""
        times = [row.created_ms for row in self._rows if not given_up(row)]
        times += [] if self._unread_ms is None else [self._unread_ms]
        return max(0, now_ms - min(times, default=now_ms)) / 1000

    def wake(self) -> None:
        """Say that rows were committed. They are sent now, not at the next look."""
        if self._unread_ms is None:
            self._unread_ms = self._clock.now()
        self._woken.set()

    async def run(self) -> None:
        """Deliver until cancelled, or until `drain` is called, which waits for what is being sent at that moment."""
        while not self._closing:
            self._woken.clear()
            await self._nap(await self._look())

    async def drain(self, deadline_seconds: float) -> int:
        """End `run`, try all once more, whatever its backoff, for at most so long. Return how many rows remain."""
        end = self._clock.monotonic() + deadline_seconds
        self._closing = True
        self._woken.set()
        wait = await self._look(hurry=True)
        while (self._flights or self.pending_count) and (left := end - self._clock.monotonic()) > 0:
            await self._nap(min(wait, left))
            self._woken.clear()
            wait = await self._look()
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        if flights:
            await asyncio.wait(flights, timeout=1)
        return self.pending_count

    async def _nap(self, seconds: float) -> None:
        waits = [asyncio.ensure_future(self._woken.wait()), asyncio.ensure_future(self._clock.sleep(seconds))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _look(self, *, hurry: bool = False) -> float:
        """Start all that is due, and return the seconds until something else is."""
        async with self._looking:
            return await self._start_due(hurry=hurry)

    async def _start_due(self, *, hurry: bool) -> float:
        """
        Start all that is due, of two callers one after the other.

        Only this method starts sends. So what it reads is true of every lane that was idle before it began to read.
        What it reads of the others may be overtaken; they wait for the next look, for which a landing send calls.
        """
        busy = frozenset(self._flights)
        now, unread = self._clock.now(), self._unread_ms
        try:
            self._rows = await self._outbox.pending()
        except Exception:
            logger.exception("the outbox cannot be read")
            self._unread_ms = now if unread is None else unread
            return 1.0
        self._unread_ms = None
        wait = POLL_SECONDS
        lanes: dict[tuple[str, str], list[OutboxRow]] = {}
        for row in self._rows:
            lanes.setdefault(self._lane(row), []).append(row)
        for lane in lanes.keys() - busy:
            delivery = next_in_lane(lanes[lane], now)
            if delivery is None:
                continue
            if delivery.due_ms <= now or hurry:
                self._start(lane, self._deliver(delivery))
            else:
                wait = min(wait, (delivery.due_ms - now) / 1000)
        return wait if self._closing else min(wait, await self._repeat(self._rows, busy, now))

    async def _repeat(self, unsent: list[OutboxRow], busy: frozenset[tuple[str, str]], now_ms: int) -> float:
        """Start the repetitions that are due, all of them at the first look; return the seconds until the next."""
        wait = POLL_SECONDS
        for name, channel in self._channels.items():
            if channel.resend_seconds is None:
                continue
            if self._repeat_ms.get(name, now_ms) <= now_ms:
                self._repeat_ms[name] = now_ms + round(channel.resend_seconds * 1000)
                try:
                    latest = await self._outbox.latest_sent(name, now_ms - REPEAT_RESOLVED_MS)
                except Exception:
                    logger.exception("what %s was told cannot be read", name)
                    latest, self._repeat_ms[name] = [], now_ms + 1000
                for row in to_repeat(latest, [row for row in unsent if row.channel == name]):
                    lane = self._lane(row)
                    if lane not in busy and lane not in self._flights:
                        self._start(lane, self._send_again(row))
            wait = min(wait, (self._repeat_ms[name] - now_ms) / 1000)
        return wait

    def _lane(self, row: OutboxRow) -> tuple[str, str]:
        channel = self._channels.get(row.channel)
        level = channel is not None and channel.resend_seconds is not None
        return row.channel, row.message.alert_key if level else row.incident_id

    def _start(self, lane: tuple[str, str], work: Coroutine[Any, Any, None]) -> None:
        self._flights[lane] = task = asyncio.create_task(work)
        task.add_done_callback(partial(self._landed, lane))

    def _landed(self, lane: tuple[str, str], task: asyncio.Task[None]) -> None:
        del self._flights[lane]
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a delivery went wrong", exc_info=error)
        self._woken.set()

    async def _deliver(self, delivery: Delivery) -> None:
        row = delivery.carrier
        error = await self._send(row.channel, delivery.message)
        now = self._clock.now()
        if error is None:
            await self._note(partial(self._settle, delivery, now))
            _tell(self._on_sent, row, now)
        else:
            retry = after_failure(row, error, now, self._jitter)
            level = logging.ERROR if retry.dead else logging.WARNING
            logger.log(level, "%s did not take row %d of incident %s: %s", row.channel, row.id, row.incident_id, error)
            await self._note(partial(self._outbox.mark_failed, row.id, retry.attempts, retry.next_ms, str(error), retry.dead))
            _tell(self._on_failed, row, error, retry.dead)

    async def _send_again(self, row: OutboxRow) -> None:
        """Repeat an accepted row. Its failure changes nothing: the next repetition comes soon enough."""
        error = await self._send(row.channel, row.message)
        if error is not None:
            logger.warning("%s was not reminded of incident %s: %s", row.channel, row.incident_id, error)

    async def _settle(self, delivery: Delivery, now_ms: int) -> None:
        """Note what was accepted. The first trigger and the resolve go last, together: until then all is said again."""
        if delivery.resolve is None:
            await self._outbox.mark_sent(delivery.carrier.id, now_ms)
            return
        first, *others = delivery.triggers
        for row in others:
            await self._outbox.mark_sent(row.id, now_ms)
        await self._outbox.coalesce(first.id, delivery.resolve.id, now_ms)

    async def _note(self, write: Callable[[], Awaitable[None]]) -> None:
        """Write until it is written. The lane stays busy: for want of a disk an accepted message is not sent twice."""
        for attempt in count(1):
            try:
                await write()
                break
            except Exception:
                logger.exception("the outbox cannot be written")
            await self._clock.sleep(backoff(attempt))

    async def _send(self, name: str, message: Message) -> DeliveryError | None:
        """Send, and return what went wrong. Of a foreign error only the type is kept: its text may quote secrets."""
        channel = self._channels.get(name)
        if channel is None:
            return DeliveryError(f"no channel is called {name}", permanent=True)
        send = asyncio.ensure_future(channel.send(message, now_ms=self._clock.now()))
        limit = asyncio.ensure_future(self._clock.sleep(self._send_timeout))
        try:
            await asyncio.wait((send, limit), return_when=asyncio.FIRST_COMPLETED)
        finally:
            late = not send.done()
            send.cancel()
            limit.cancel()
            await asyncio.wait((send,))
        if late or send.cancelled():
            return DeliveryError(f"no answer within {self._send_timeout:g} s" if late else "the channel stopped itself")
        error = send.exception()
        if error is None or isinstance(error, DeliveryError):
            return error
        return DeliveryError(f"the channel failed with {type(error).__name__}")


def _tell(listener: Callable[..., None] | None, *what: Any) -> None:
    if listener is not None:
        try:
            listener(*what)
        except Exception:
            logger.exception("a listener of the dispatcher failed")
