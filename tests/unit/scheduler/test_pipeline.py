"""The way of a verdict, over a store in memory that can be broken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy.exc import OperationalError

from alerts.journal import Kind
from alerts.message import MessageKind
from alerts.timeline import State
from config import Configuration
from critpath import Outcome, RunClass, Verdict
from critpath.testing import FakeClock
from scheduler.account import Account
from scheduler.checks import required_checks
from scheduler.metrics import Metrics, Snapshot
from scheduler.pipeline import Pipeline
from scheduler.store import Batch
from tests.unit.scheduler.scheduler_doubles import CHECKS, CONFIGURATION, START, attempt, verdict


@dataclass
class Ledger:
    """Batches in the order in which they were written; fails with *broken*."""

    written: list[Batch] = field(default_factory=list)
    broken: Exception | None = None
    tried: int = 0

    async def write(self, batch: Batch) -> None:
        """Keep it, or fail."""
        self.tried += 1
        if self.broken:
            raise self.broken
        self.written.append(batch)


class Desk:
    """A pipeline with all its neighbours."""

    def __init__(self, configuration: Configuration = CONFIGURATION) -> None:
        self.clock, self.ledger, self.woken = FakeClock(START), Ledger(), 0
        settings = configuration.settings
        self.required = required_checks(CHECKS, settings.paths)
        holds = {name: round(check.settings.hold() * 1000) for name, check in CHECKS.items()}
        self.account = Account(settings, self.required, holds, START, journal=[])
        self.account.take(self.account.book.advance(START))  # all is unknown from here on
        self.metrics = Metrics(CollectorRegistry(), lambda: Snapshot({}, {}, {}, {}, {}, {}, {}, 0, 0.0, 0, 0.0, None))
        self.last_good: dict[str, int] = {}
        self.pipeline = Pipeline(
            configuration,
            self.account,
            self.ledger,  # type: ignore[arg-type]
            self.metrics,
            self.clock,
            self.wake,
            self.last_good,
        )

    def wake(self) -> None:
        """Count."""
        self.woken += 1

    async def run(self, outcome: Outcome, check: str = "login", **differs: Any) -> Verdict:
        """Run *check* for one second, with this outcome."""
        subject, at = CHECKS[check], (self.clock.now() - START) / 1000
        made = verdict(outcome, at, check=check, path=subject.settings.path, **differs)
        await self.pipeline.began(subject, made.run_id)
        self.clock.advance(1)
        await self.pipeline.verdict(subject, made)
        return made

    def sample(self, name: str) -> float | None:
        """Return a metric."""
        return self.metrics.registry.get_sample_value(name)


async def test_a_verdict_is_one_batch() -> None:
    """Attempts, segments and the result that holds are written together, once."""
    desk = Desk()
    made = await desk.run(Outcome.OK)
    assert [bool(batch.results) for batch in desk.ledger.written] == [True]
    batch = desk.ledger.written[0]
    assert tuple(batch.results) == made.attempts
    # The path is not good yet: its other checks have not run.
    assert [(line.kind, line.subject, line.state, line.at_ms) for line in batch.lines] == [
        (Kind.SEGMENT, "check:login", "good", START)
    ]
    assert [(held.check, held.state) for held in batch.held] == [("login", State.GOOD)]
    assert batch.last_good_ms["login"] == START
    assert (batch.incidents, batch.messages, desk.woken) == ([], [], 0)


async def test_a_failure_is_one_batch_with_its_incident_and_its_messages() -> None:
    """The state, the incident and a row for every channel, in one transaction; then the dispatcher is woken."""
    desk = Desk()
    await desk.run(Outcome.FAILED, message="500")
    (batch,) = desk.ledger.written
    assert {(line.subject, line.state, line.cause) for line in batch.lines} == {
        ("check:login", "bad", "timeout: 500"),
        ("path:auth", "bad", "login: timeout: 500"),
    }
    (incident,) = batch.incidents
    assert (incident.path, incident.severity, incident.started_ms, incident.failing) == (
        "auth",
        "SEV-1",
        START,
        frozenset({"login"}),
    )
    assert [(channel, message.kind, message.incident_id) for channel, message in batch.messages] == [
        (channel, MessageKind.TRIGGER, incident.id) for channel in ("oncall", "chat", "log")
    ]
    assert dict(batch.messages)["oncall"].labels["priority"] == "P1"
    assert desk.woken == 1


async def test_message_rows_come_only_with_a_change_to_tell() -> None:
    """A second failure of the same outage is written with its incident, and says nothing to anyone."""
    desk = Desk()
    await desk.run(Outcome.FAILED)
    await desk.run(Outcome.FAILED)
    second = next(batch for batch in reversed(desk.ledger.written) if batch.results)
    assert (len(second.incidents), second.messages, desk.woken) == (1, [], 1)


async def test_a_child_of_a_broken_path_is_bad_without_a_page() -> None:
    """Investigation requires auth: it has an incident that names auth, and no message."""
    desk = Desk()
    await desk.run(Outcome.FAILED)
    await desk.run(Outcome.FAILED, "search")
    batch = desk.ledger.written[-1]
    assert [(incident.path, incident.suppressed_by) for incident in batch.incidents] == [("investigation", "auth")]
    assert batch.messages == []
    assert desk.account.state("investigation") is State.BAD


@pytest.mark.parametrize(
    "broken", [OSError("no space left"), OSError(), OperationalError("insert", {}, Exception("database is locked"))]
)
async def test_a_write_that_fails_keeps_the_batch_and_the_order(broken: Exception) -> None:
    """Later batches wait behind it; when the store is back all are written once, in order, and only then is anyone told."""
    desk = Desk()
    desk.ledger.broken = broken
    await desk.run(Outcome.FAILED)
    await desk.run(Outcome.OK, "refresh")
    await desk.pipeline.tick()
    assert (desk.ledger.written, desk.woken, desk.pipeline.healthy) == ([], 0, False)
    assert desk.sample("critpath_store_errors_total") == desk.ledger.tried >= 3
    desk.ledger.broken = None
    await desk.pipeline.tick()
    checks = [batch.results[0].check for batch in desk.ledger.written if batch.results]
    assert (checks, desk.woken, desk.pipeline.healthy) == (["login", "refresh"], 1, True)
    before = len(desk.ledger.written)
    await desk.pipeline.tick()
    assert len(desk.ledger.written) == before


async def test_a_bug_in_writing_is_not_hidden() -> None:
    """Only what a store may do is forgiven."""
    desk = Desk()
    desk.ledger.broken = ValueError("a bug")
    with pytest.raises(ValueError, match="a bug"):
        await desk.run(Outcome.OK)


async def test_our_own_error_opens_nothing() -> None:
    """The path is unknown, there is no incident, and nobody is told."""
    desk = Desk()
    await desk.run(Outcome.ERROR)
    assert desk.account.state("auth") is State.UNKNOWN
    assert all(not batch.incidents and not batch.messages for batch in desk.ledger.written)


async def test_an_aborted_run_leaves_the_result_before_it() -> None:
    """Stopping says nothing about the target."""
    desk = Desk()
    for name in ("login", "refresh", "permissions", "sign-in"):
        await desk.run(Outcome.OK, name)
    await desk.run(Outcome.ABORTED)
    assert desk.account.state("auth") is State.GOOD


async def test_a_run_that_was_abandoned_is_settled() -> None:
    """The time it withheld goes on with the result before it."""
    desk = Desk()
    await desk.pipeline.began(CHECKS["login"], "r")
    desk.clock.advance(1)
    assert desk.account.book.frontier("auth") == START
    await desk.pipeline.abandon(CHECKS["login"], "r")
    assert desk.account.book.frontier("auth") == START + 1000


async def test_a_result_ends_when_its_time_is_over() -> None:
    """Login holds for 1.5 intervals and a timeout, 460 s from its start; then it is unknown, and the tick writes it."""
    desk = Desk()
    await desk.run(Outcome.OK)
    desk.clock.advance(458.999)
    await desk.pipeline.tick()
    assert len(desk.ledger.written) == 1
    desk.clock.advance(0.001)
    await desk.pipeline.tick()
    (line,) = desk.ledger.written[-1].lines
    assert (line.subject, line.state, line.at_ms) == ("check:login", "unknown", START + 460_000)


async def test_outside_of_production_nobody_is_woken() -> None:
    """The path is bad all the same."""
    settings = CONFIGURATION.settings.model_copy(update={"environment": "labs"})
    desk = Desk(Configuration(settings, CONFIGURATION.profile, CONFIGURATION.file))
    await desk.run(Outcome.FAILED)
    assert desk.account.state("auth") is State.BAD
    assert (desk.ledger.written[-1].incidents, desk.woken) == ([], 0)


async def test_an_outage_resolves_after_three_clean_runs_over_a_minute() -> None:
    """One trigger and one all-clear; in between the check runs more often than usual."""
    desk = Desk()
    calm = desk.pipeline.interval(CHECKS["login"])
    await desk.run(Outcome.FAILED)
    assert desk.pipeline.interval(CHECKS["login"]) < calm == 300
    assert desk.pipeline.interval(CHECKS["refresh"]) == 300
    for _ in range(4):
        for name in ("login", "refresh", "permissions", "sign-in"):
            await desk.run(Outcome.OK, name)
        desk.clock.advance(30)
    kinds = [message.kind for batch in desk.ledger.written for channel, message in batch.messages if channel == "log"]
    assert kinds == [MessageKind.TRIGGER, MessageKind.RESOLVE]
    assert desk.pipeline.interval(CHECKS["login"]) == calm


async def test_starting_and_stopping_are_entered() -> None:
    """An incident of a check that is watched no more ends with the start."""
    desk = Desk()
    await desk.run(Outcome.FAILED)
    await desk.pipeline.stop()
    assert [line.kind for line in desk.ledger.written[-1].lines if line.subject == "daemon"] == [Kind.STOP]
    await desk.pipeline.start({**desk.required, "auth": ["refresh"]})
    batch = desk.ledger.written[-1]
    assert [line.kind for line in batch.lines if line.subject == "daemon"] == [Kind.START]
    assert [incident.is_open for incident in batch.incidents] == [False]
    assert {message.kind for _, message in batch.messages} == {MessageKind.RESOLVE}


async def test_every_attempt_of_a_run_is_kept_and_counted() -> None:
    """A flake shows in the metrics alone."""
    desk = Desk()
    attempts = [attempt(Outcome.FAILED, 0, 1), attempt(Outcome.OK, 6, 2), attempt(Outcome.OK, 12, 3)]
    await desk.run(Outcome.OK, attempts=attempts, flake=True, run_class=RunClass.SCHEDULED)
    assert len(desk.ledger.written[-1].results) == 3
    labels = {"check": "login", "path": "auth"}
    assert desk.metrics.registry.get_sample_value("critpath_check_flakes_total", labels) == 1
    assert desk.account.incidents == {}
