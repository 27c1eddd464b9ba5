"""
The way of a verdict: into the account, into an incident, into one transaction, then to everybody who wants to know.

Nothing is said to anyone before it is written. A write that fails is kept, and tried again before the next one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping

import structlog
from sqlalchemy.exc import SQLAlchemyError
from ulid import ULID

from alerts.account import Transition
from alerts.incident import Decision, Incident, Policy, observe, remove_check, suppressor
from alerts.journal import Kind, Line
from alerts.message import Message
from alerts.page import Subject, compose, duration
from alerts.timeline import State
from config import Configuration
from critpath import Clock, Outcome, Verdict
from scheduler.account import Account
from scheduler.checks import Check
from scheduler.metrics import Metrics
from scheduler.plan import plan
from scheduler.store import Batch, Records

log = structlog.get_logger("critpath.pipeline")

_STATES = {Outcome.OK: State.GOOD, Outcome.DEGRADED: State.GOOD, Outcome.FAILED: State.BAD, Outcome.ERROR: State.UNKNOWN}


class Pipeline:
    """
    Takes verdicts one at a time. *wake* is called when there may be something to deliver.

    `healthy` is false while something that is known could not be written.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the stages of the way
        self,
        configuration: Configuration,
        account: Account,
        records: Records,
        metrics: Metrics,
        clock: Clock,
        wake: Callable[[], None],
        last_good: dict[str, int],
    ) -> None:
        self._settings = configuration.settings
        self._plan = plan(configuration.settings)
        self._labels = configuration.profile.alerts
        self._account = account
        self._records = records
        self._metrics = metrics
        self._clock = clock
        self._wake = wake
        self._last_good = last_good
        self._lock = asyncio.Lock()
        self._unwritten: deque[Batch] = deque()
        resolution = self._settings.resolution
        self._policy = Policy(resolution.successes, round(resolution.span * 1000), round(resolution.reopen_within * 1000))
        self.healthy = True

    async def began(self, check: Check, run_id: str) -> None:
        """Note that a counting run starts: time is withheld from the account until its verdict."""
        async with self._lock:
            now = self._clock.now()
            await self._write(Batch(lines=self._settled(self._account.book.begin(check.name, now, run_id))))

    async def verdict(self, check: Check, verdict: Verdict) -> None:
        """Account for a verdict of a counting run."""
        async with self._lock:
            now = self._clock.now()
            batch = Batch(results=verdict.attempts, lines=self._settled(self._book(check, verdict, now)))
            decision = self._decide(check, verdict, now)
            if verdict.outcome.works:
                self._last_good[check.name] = verdict.attempts[-1].started_ms
            batch.held = self._account.book.held(check.name)
            batch.last_good_ms = self._last_good
            self._enter(batch, check.settings.path, decision, now)
            await self._write(batch)
        self._tell(verdict, decision)

    async def abandon(self, check: Check, run_id: str) -> None:
        """Note that a counting run ended without a verdict."""
        async with self._lock:
            await self._write(Batch(lines=self._settled(self._account.book.abandon(check.name, self._clock.now(), run_id))))

    async def tick(self) -> None:
        """Let time pass: results come to their end. Also tries again what could not be written."""
        async with self._lock:
            await self._write(Batch(lines=self._settled(self._account.book.advance(self._clock.now()))))

    async def start(self, required: Mapping[str, Collection[str]]) -> None:
        """Enter what happened while no daemon ran, and close what the configuration does not watch any more."""
        async with self._lock:
            now = self._clock.now()
            lines = self._settled(self._account.book.advance(now))
            batch = Batch([], [*lines, Line(Kind.START, "daemon", now)], self._account.book.held())
            for incident in self._account.open_incidents():
                for check in sorted(incident.failing - set(required.get(incident.path, ()))):
                    known, state = self._account.incidents[incident.path], self._account.state(incident.path)
                    self._enter(batch, incident.path, remove_check(known, check, state, now, self._policy), now)
            await self._write(batch)
        self._wake()

    async def stop(self) -> None:
        """Enter that the daemon stops."""
        async with self._lock:
            now = self._clock.now()
            lines = self._settled(self._account.book.advance(now))
            await self._write(Batch(lines=[*lines, Line(Kind.STOP, "daemon", now)]))

    def interval(self, check: Check) -> float:
        """Return the seconds until the next run of a check: shorter while its path is broken by it."""
        if not self._account.is_urgent(check.name, check.settings.path):
            return check.settings.interval
        urgent = sum(len(incident.failing) for incident in self._account.open_incidents())
        return self._plan.urgent_interval(check.settings, self._settings, urgent)

    def _book(self, check: Check, verdict: Verdict, now: int) -> list[Transition]:
        if verdict.outcome is Outcome.ABORTED:
            return self._account.book.abandon(check.name, now, verdict.run_id)
        cause = "" if verdict.outcome.works else f"{verdict.reason}: {verdict.message}"
        started = verdict.attempts[-1].started_ms
        hold = started + round((1.5 * self.interval(check) + check.settings.timeout) * 1000)
        return self._account.book.settle(
            check.name, _STATES[verdict.outcome], verdict.since_ms, now, hold, cause, run=verdict.run_id
        )

    def _settled(self, transitions: Iterable[Transition]) -> list[Line]:
        new = list(transitions)
        self._account.take(new)
        return [Line(Kind.SEGMENT, each.subject, each.at_ms, each.state.value, each.cause) for each in new]

    def _decide(self, check: Check, verdict: Verdict, now: int) -> Decision:
        path = check.settings.path
        known = self._account.incidents.get(path)
        if self._settings.environment != "prod":
            return Decision(known, reason="incidents are of production alone")
        requires = {name: settings.requires for name, settings in self._settings.paths.items()}
        return observe(
            known,
            verdict,
            self._account.state(path),
            now,
            self._policy,
            new_id=lambda: str(ULID()),
            environment=self._settings.environment,
            severity=self._account.path(path).severity,
            required=check.settings.required,
            last_good_ms=self._last_good.get(check.name),
            suppressed_by=suppressor(path, self._account.loud(), requires),
        )

    def _enter(self, batch: Batch, path: str, decision: Decision, now: int) -> None:
        if decision.incident and decision.incident is not self._account.incidents.get(path):
            self._account.incidents[path] = decision.incident
            batch.incidents.append(decision.incident)
            batch.messages += self._messages(decision, decision.incident, now)

    def _messages(self, decision: Decision, incident: Incident, now: int) -> list[tuple[str, Message]]:
        labels = {**self._labels.common, **self._labels.severities.get(incident.severity, {})}  # type: ignore[call-overload]
        settings = self._settings.paths.get(incident.path)
        if settings is None:  # taken out of the configuration while its incident was open
            subject, left = Subject(incident.path, labels=labels), ""
        else:
            subject = Subject(settings.title, settings.users, settings.runbook, settings.deployables, labels)
            left = self._budget_left(incident.path)
        messages = [compose(kind, incident, subject, now, budget_left=left) for kind in decision.send]
        return [(channel, message) for message in messages for channel in self._settings.channels]

    def _budget_left(self, path: str) -> str:
        assessed = self._account.rolling(path)
        if assessed.remaining_ratio is None:
            return ""
        return f"{assessed.remaining_ratio:.1%} of {duration(round(assessed.budget_ms))} left in 30 days"

    async def _write(self, batch: Batch) -> None:
        if batch:
            self._unwritten.append(batch)
        while self._unwritten:
            try:
                await self._records.write(self._unwritten[0])
            except (SQLAlchemyError, OSError) as exc:
                self._metrics.store_errors.inc()
                self.healthy = False
                log.error(  # noqa: TRY400 - the operator's matter, not a bug: no traceback
                    "the journal cannot be written; it is tried again",
                    error=(str(exc) or type(exc).__name__).splitlines()[0],
                    waiting=len(self._unwritten),
                )
                return
            if self._unwritten.popleft().messages:
                self._wake()
        self.healthy = True

    def _tell(self, verdict: Verdict, decision: Decision) -> None:
        for result in verdict.attempts:
            self._metrics.observe(result)
        self._metrics.judge(verdict)
        if decision.send:
            log.warning(
                "incident",
                path=verdict.path,
                incident=decision.incident.id if decision.incident else "",
                reason=decision.reason,
            )
        log.info(
            "verdict",
            check=verdict.check,
            path=verdict.path,
            run=verdict.run_id,
            run_class=verdict.run_class.value,
            outcome=verdict.outcome.value,
            reason=verdict.reason.value,
            message=verdict.message,
            attempts=len(verdict.attempts),
            seconds=round(verdict.evidence.seconds, 3),
            correlation=verdict.evidence.correlation_id,
            trace=verdict.evidence.trace_id,
        )
