"""
When checks run. APScheduler is known here alone.

Each check has a phase of its own, made from its name, so that starts are spread and the same after every restart. A
check never overlaps itself; a slot in which it could not start is counted, and so is how late it started.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, EVENT_JOB_SUBMITTED, JobEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from scheduler.checks import Check
from scheduler.metrics import Metrics

_JITTER_SHARE = 0.02
_FIRST_WITHIN_SECONDS = 10.0


class Cadence(BaseTrigger):  # type: ignore[misc]
    """Slots on a grid of *interval* seconds with a phase. The interval is asked for anew each time: it may change."""

    def __init__(self, name: str, interval: Callable[[], float]) -> None:
        self._interval = interval
        self._phase = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return the next slot after the last one, or the first one soon after the start."""
        interval = self._interval()
        if previous_fire_time is None:
            return now + timedelta(seconds=self._phase * min(interval, _FIRST_WITHIN_SECONDS))
        after = max(previous_fire_time, now).timestamp()
        offset = self._phase * interval
        slot = (int((after - offset) // interval) + 1) * interval + offset
        if slot - previous_fire_time.timestamp() < interval / 2:
            slot += interval
        return datetime.fromtimestamp(slot + random.uniform(0, _JITTER_SHARE * interval), UTC)  # noqa: S311


class Jobs:
    """Calls *run* for each check in its slots. *interval* says how long a check's interval is at present."""

    def __init__(
        self,
        checks: dict[str, Check],
        run: Callable[[Check], Awaitable[None]],
        interval: Callable[[Check], float],
        metrics: Metrics,
    ) -> None:
        self._checks = checks
        self._run = run
        self._interval = interval
        self._metrics = metrics
        self._running: set[asyncio.Task[None]] = set()
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._scheduler.add_listener(self._note, EVENT_JOB_SUBMITTED | EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)

    def start(self) -> None:
        """Begin. The first slots come within seconds, whatever the intervals."""
        for check in self._checks.values():
            self._scheduler.add_job(
                self._job,
                Cadence(check.name, partial(self._interval, check)),
                (check,),
                id=check.name,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=max(1, round(check.settings.interval / 2)),
            )
        self._scheduler.start()

    def hasten(self, check: Check, seconds: float) -> None:
        """Run a check in so many seconds, if its next slot is later than that."""
        job = self._scheduler.get_job(check.name)
        soon = datetime.now(UTC) + timedelta(seconds=seconds)
        if job is not None and job.next_run_time is not None and job.next_run_time > soon:
            self._scheduler.modify_job(check.name, next_run_time=soon)

    def realign(self) -> None:
        """Plan every check anew: the system's wall clock was set, and the slots were on the old one."""
        for check in self._checks.values():
            if self._scheduler.get_job(check.name) is not None:
                first = Cadence(check.name, partial(self._interval, check)).get_next_fire_time(None, datetime.now(UTC))
                self._scheduler.modify_job(check.name, next_run_time=first)

    async def stop(self, grace: float) -> None:
        """Start nothing more, give running checks *grace* seconds, then cancel them."""
        if self._scheduler.running:
            self._scheduler.pause()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=grace)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=grace)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def _job(self, check: Check) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine that runs has a task
        self._running.add(task)
        try:
            await self._run(check)
        finally:
            self._running.discard(task)

    def _note(self, event: JobEvent) -> None:
        check = self._checks.get(event.job_id)
        if check is None:
            return
        if event.code == EVENT_JOB_SUBMITTED:
            late = (datetime.now(UTC) - event.scheduled_run_times[0]).total_seconds()
            self._metrics.schedule_lag.labels(check.name).observe(max(0.0, late))
        else:
            self._metrics.schedule_missed.labels(check.name).inc()
