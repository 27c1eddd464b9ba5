"""The daemon as an object: built, started, stopped. It alone owns the signals and the order of things."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator, Mapping
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, disable_created_metrics
from sqlalchemy.exc import SQLAlchemyError

from alerts.channels import Channel, build
from alerts.outbox import Dispatcher
from alerts.timeline import State
from config import Configuration
from config.settings import AlertmanagerChannel, WebhookChannel
from config.values import SecretReference
from critpath import OperatorError, RunClass, SystemClock, Verdict
from probes.toolbox import Workshop
from scheduler.account import Account
from scheduler.budget import RequestBudget
from scheduler.checks import Attempts, Check, load_checks, new_run_id, required_checks
from scheduler.jobs import Jobs
from scheduler.lag import LoopLag
from scheduler.metrics import Metrics, Snapshot
from scheduler.pipeline import Pipeline
from scheduler.runner import Runner
from scheduler.secrets import Secrets
from scheduler.snapshot import take_snapshot
from scheduler.store import Store, open_store
from scheduler.web.server import application, serve

log = structlog.get_logger("critpath.daemon")

_TICK_SECONDS = 1.0
_GRACE_SECONDS = 8.0
_DRAIN_SECONDS = 3.0
_CLOCK_STEP_SECONDS = 2.0
_RECENT_MS = 30 * 86_400_000
_RESIDUE_EVERY_SECONDS = 10.0
_HOUSEKEEPING_EVERY_SECONDS = 3600.0


class Daemon:
    """One process, one environment. `Daemon.build`, then `run` until `request_stop`."""

    def __init__(self, configuration: Configuration, store: Store, clock: SystemClock) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        secrets = Secrets(configuration)
        self.configuration = configuration
        self.clock = clock
        self.store = store
        self.checks = load_checks(configuration)
        self.lag = LoopLag(clock)
        self.budget = RequestBudget(configuration.settings.limits, clock, store.spends)
        self.workshop = Workshop(configuration, self.budget, store.notebook, clock, secrets.read)
        self.workshop.warm_up(browser=any(check.settings.browser for check in self.checks.values()))
        self.runner = Runner(Attempts(self.workshop, clock), clock, configuration.settings.confirmation.gap, self.lag)
        self.metrics = Metrics(CollectorRegistry(), self._snapshot)
        self.channels = build_channels(configuration, secrets)
        self.dispatcher = Dispatcher(store.outbox, self.channels, clock)
        self.jobs = Jobs(
            self.checks,
            self._run_check,
            lambda check: self.pipeline.interval(check),  # noqa: PLW0108 - the pipeline is made later
            self.metrics,
        )
        self.verdicts: dict[str, Verdict] = {}
        self.residue = 0
        self.account: Account
        self.pipeline: Pipeline
        self._stopping = asyncio.Event()
        self._drift = 0.0
        self._counted = self._tidied = clock.monotonic()

    @classmethod
    async def build(cls, configuration: Configuration) -> Daemon:
        """
        Return a daemon that continues where the last one of this store left off.

        Raises:
            OperatorError: the store, a probe or a channel cannot be used.
        """
        clock = SystemClock()
        settings = configuration.settings
        password = Secrets(configuration).read(settings.store.password) if settings.store.password else None
        store = await open_store(settings.store.url, configuration.file.resolve().parent, clock, password=password, own=True)
        try:
            daemon = cls(configuration, store, clock)
            await daemon._restore()
        except BaseException:
            await store.aclose()
            raise
        return daemon

    async def run(self) -> None:
        """Watch until `request_stop`, or until a part of the daemon dies: then stop loudly."""
        self.jobs.start()
        log.info(
            "watching", target=self.configuration.profile.title, checks=len(self.checks), paths=len(self.account.timelines)
        )
        parts = [
            asyncio.create_task(part, name=name)
            for name, part in (
                ("dispatcher", self.dispatcher.run()),
                ("event loop", self.lag.watch()),
                ("ticker", self._tick()),
                ("web", serve(application(self.metrics.registry, lambda: self.ready), self.configuration.settings.web.listen)),
            )
        ]
        stopping = asyncio.create_task(self._stopping.wait(), name="stopping")
        try:
            done, _ = await asyncio.wait([*parts, stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._stop([*parts, stopping])
        for part in done - {stopping}:
            if (error := part.exception()) is not None:
                raise (
                    error if isinstance(error, OperatorError) else OperatorError(f"the {part.get_name()} died: {error!r}")
                ) from error
            raise OperatorError(f"the {part.get_name()} ended by itself")

    def request_stop(self) -> None:
        """Stop soon: running attempts get a bounded time."""
        self._stopping.set()

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """Stop on SIGTERM and SIGINT; the handlers before are put back afterwards."""
        loop, watched = asyncio.get_running_loop(), (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.getsignal(number) for number in watched}
        for number in watched:
            loop.add_signal_handler(number, self.request_stop)
        try:
            yield
        finally:
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)

    @property
    def address(self) -> str:
        """Where its metrics are."""
        return f"http://{self.configuration.settings.web.listen}"

    @property
    def ready(self) -> bool:
        """Whether verdicts are being written: the loop turns, and nothing waits for the store."""
        return not self._stopping.is_set() and self.pipeline.healthy

    async def _restore(self) -> None:
        records, settings = self.store.records, self.configuration.settings
        self.account = await Account.read(settings, self.checks, records, self.clock.now())
        self.pipeline = Pipeline(
            self.configuration, self.account, records, self.metrics, self.clock, self.dispatcher.wake, await records.last_good()
        )
        for check in self.checks.values():
            self.metrics.declare(check.name, check.settings.path)
        await self.budget.open()
        self.residue = await self.store.notebook.residue()
        await self.pipeline.start(required_checks(self.checks, settings.paths))

    async def _run_check(self, check: Check) -> None:
        run_id = new_run_id()
        structlog.contextvars.bind_contextvars(check=check.name, run=run_id)
        await self.pipeline.began(check, run_id)
        try:
            known_bad = self.account.book.check_state(check.name) is State.BAD
            verdict = await self.runner.run(check, RunClass.SCHEDULED, run_id, known_bad=known_bad)
            await asyncio.shield(self.pipeline.verdict(check, verdict))
        except BaseException:  # a run that never ends would withhold its path from the account for ever
            await asyncio.shield(self.pipeline.abandon(check, run_id))
            raise
        self.verdicts[check.name] = verdict
        since = (self.clock.now() - verdict.attempts[-1].started_ms) / 1000
        self.jobs.hasten(check, max(0.0, self.pipeline.interval(check) - since))

    def _snapshot(self) -> Snapshot:
        parts = (self.account, self.dispatcher, self.lag, self.budget)
        return take_snapshot(*parts, residue=self.residue, now=self.clock.now())

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            await self.pipeline.tick()
            with contextlib.suppress(SQLAlchemyError, OSError):  # the pipeline says so, and the next tick tries again
                await self.budget.flush()
                await self._keep_house()
            self._notice_clock_step()

    async def _keep_house(self) -> None:
        """Do now and then what need not be done at every tick: count leftovers, forget what is old."""
        now = self.clock.monotonic()
        if now - self._counted >= _RESIDUE_EVERY_SECONDS:
            self._counted, self.residue = now, await self.store.notebook.residue()
        if now - self._tidied >= _HOUSEKEEPING_EVERY_SECONDS:
            self._tidied = now
            await self.store.records.forget_results(self.clock.now() - _RECENT_MS)
            await self.store.spends.forget(self.clock.now() - _RECENT_MS)

    def _notice_clock_step(self) -> None:
        drift = self.clock.wall_drift()
        if abs(drift - self._drift) > _CLOCK_STEP_SECONDS:
            log.warning("the system's wall clock was set; our own time goes on evenly", seconds=round(drift - self._drift, 1))
            self._drift = drift
            self.jobs.realign()

    async def _stop(self, tasks: list[asyncio.Task[Any]]) -> None:
        self._stopping.set()
        log.info("stopping")
        await self.jobs.stop(_GRACE_SECONDS)
        await self.dispatcher.drain(_DRAIN_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.pipeline.stop()
        with contextlib.suppress(SQLAlchemyError, OSError):
            await self.budget.flush()
        await self.workshop.aclose()
        for channel in self.channels.values():
            with contextlib.suppress(Exception):
                await channel.aclose()
        await self.store.aclose()
        log.info("stopped")


def build_channels(configuration: Configuration, secrets: Secrets) -> Mapping[str, Channel]:
    """Return the configured channels by name."""
    made: dict[str, Channel] = {}
    for name, settings in configuration.settings.channels.items():
        options: dict[str, Any] = {}
        if isinstance(settings, AlertmanagerChannel):
            options["urls"] = settings.urls
        elif isinstance(settings, WebhookChannel):
            options["url"] = secrets.read(settings.url) if isinstance(settings.url, SecretReference) else settings.url
            options["secret"] = secrets.read(settings.secret) if settings.secret else None
        else:
            options["log"] = structlog.get_logger("critpath.page")
        made[name] = build(settings.kind, name, **options)
    return made
