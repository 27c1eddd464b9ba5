"""The probe of ingestion: writes only where it may, names the stage of a loss, and removes nothing but its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from critpath import Outcome, ProbeError, ProbeFailed, Reason, Result
from critpath.testing import Call, Canned, FakeAnswer, FakeTools, run_once
from probes.ingestion import roundtrip

FIXTURE = {"entity_id": "ent-1", "entity_name": "Meridian"}
FACTS = {
    "environment_evidence": {"header": "x-env", "values": ("prod",)},
    "queued_states": ["queued"],
    "running_states": ["active"],
    "failed_states": ["failed"],
}
PARAMS = {"identity": "analyst", "deadline": "30s", "poll": "3s"}
FAILED, ERROR = Outcome.FAILED, Outcome.ERROR


def found(*records: dict[str, Any]) -> FakeAnswer:
    return FakeAnswer(ids=[record["id"] for record in records], records=list(records))


def mine(call: Call, **differs: Any) -> dict[str, Any]:
    """Return the record as it was sent, as id `new-1`."""
    props = {"critpath": call.variables["q"], "note": "synthetic canary", "added": "by the target"}
    return {"id": "new-1", "props": {**props, **differs}}


class Story:
    """A target in which the record arrives, with what differs."""

    def __init__(self, **differs: Canned | list[Canned]) -> None:
        answers: dict[Any, Any] = {
            "entity": self.entity,
            "ingest": FakeAnswer(202, job="job-1"),
            "entities": lambda call: found(mine(call)),
            "remove_record": FakeAnswer(done=True),
            **differs,
        }
        self.tools = FakeTools(answers)
        self.after: FakeAnswer | None = None

    def entity(self, call: Call) -> FakeAnswer:
        """Answer the question before the writing, and the one after the removal."""
        if call.variables["id"] == "ent-1":
            return FakeAnswer(id="ent-1", removed=None, headers={"x-env": "prod"})
        return self.after or FakeAnswer(id="new-1", removed="2026-01-01T00:00:00Z")

    async def run(self, **facts: Any) -> Result:
        """Walk the path."""
        return await run_once(
            roundtrip.probe, self.tools, params=PARAMS, fixture=FIXTURE, facts={**FACTS, **facts}, deadline=45
        )

    @property
    def asked(self) -> list[str]:
        """The operations, in order."""
        return [call.operation for call in self.tools.calls]


async def test_a_record_that_arrives_is_removed_again() -> None:
    """It was entered in the register, found under its id, and proved gone; the delay is measured."""
    story = Story(entities=[found(), lambda call: found(mine(call))])
    result = await story.run()
    assert (result.outcome, result.message) == (Outcome.OK, "")
    assert [step.name for step in result.steps] == ["environment", "accepted", "stored", "removed"]
    assert [(canary.remote_id, canary.is_gone) for canary in story.tools.canaries] == [("new-1", True)]
    assert result.measurements == {"stored_seconds": 3.0}
    sent = next(call for call in story.tools.calls if call.operation == "ingest")
    assert sent.variables["record"]["critpath"] == story.tools.canaries[0].nonce


async def test_a_record_that_is_read_as_missing_is_removed_too() -> None:
    """A target may delete hard instead of soft."""
    story = Story()
    story.after = FakeAnswer(id=None, removed=None)
    assert (await story.run()).outcome is Outcome.OK


@pytest.mark.parametrize("headers", [{}, {"x-env": "dev"}])
async def test_nothing_is_written_where_the_target_is_not_proved_to_be_ours(headers: dict[str, str]) -> None:
    """Neither without evidence nor with that of another environment; and that is our own error, not an outage."""
    story = Story(entity=FakeAnswer(id="ent-1", removed=None, headers=headers))
    result = await story.run()
    assert (result.outcome, result.reason, result.failing_step) == (ERROR, Reason.BLOCKED, "environment")
    assert "nothing is written" in result.message
    assert story.asked == ["entity"]
    assert story.tools.canaries == []


async def test_without_evidence_in_the_profile_none_is_asked_for() -> None:
    """Another target may have none."""
    story = Story()
    assert (await story.run(environment_evidence=None)).outcome is Outcome.OK


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(FakeAnswer(500), Reason.STATUS), (FakeAnswer(job=None), Reason.LOST), (FakeAnswer(job=""), Reason.LOST)],
)
async def test_an_entry_that_does_not_take_the_record_is_red(answer: FakeAnswer, reason: Reason) -> None:
    """It refuses, or gives no job; the canary stays in the register, for the record may be there all the same."""
    story = Story(ingest=answer)
    result = await story.run()
    assert (result.outcome, result.reason, result.failing_step) == (FAILED, reason, "accepted")
    assert [canary.is_gone for canary in story.tools.canaries] == [False]


@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [
        (FakeAnswer(state="queued"), Reason.STUCK, "stage processed: the job is still 'queued', within 30s: no worker took it"),
        (FakeAnswer(state="active"), Reason.STUCK, "stage processed: the job is still 'active', within 30s"),
        (FakeAnswer(state="failed", failure="disk"), Reason.LOST, "stage processed: the job failed: disk"),
        (FakeAnswer(state="failed", failure=None), Reason.LOST, "stage processed: the job failed: no reason given"),
        (
            FakeAnswer(state="completed"),
            Reason.LOST,
            "stage stored: accepted, then not in the database within 30s; the job says 'completed'",
        ),
    ],
)
async def test_a_record_that_never_arrives_is_lost_at_a_stage(status: FakeAnswer, reason: Reason, said: str) -> None:
    """The state of its job tells which."""
    control = {"id": "ent-1", "props": {}}
    story = Story(entities=lambda call: found(control) if call.variables["q"] == "Meridian" else found(), ingest_status=status)
    result = await story.run()
    assert (result.outcome, result.reason, result.failing_step, result.message) == (FAILED, reason, "stored", said)
    assert result.seconds == 30.0


async def test_where_reading_does_not_work_nothing_can_be_told() -> None:
    """A search that does not even find what is known says nothing about ingestion."""
    result = await Story(entities=found()).run()
    assert (result.outcome, result.reason) == (ERROR, Reason.BLOCKED)
    assert "does not even find the known entity" in result.message


OTHER = {"id": "real-1", "props": {"critpath": "another", "name": "A real record"}}
BARE = {"id": "real-2", "props": None}


async def test_what_else_a_search_finds_is_left_alone() -> None:
    """A fuzzy search puts others first: ours alone is registered, compared and removed."""
    story = Story(entities=lambda call: found(BARE, OTHER, mine(call)))
    result = await story.run()
    assert (result.outcome, result.message) == (Outcome.OK, "")
    assert story.tools.canaries[0].remote_id == "new-1"
    assert [call.variables for call in story.tools.calls if call.operation == "remove_record"] == [{"id": "new-1"}]


@pytest.mark.parametrize(
    ("records", "reason", "said"),
    [
        (
            lambda call: found(mine(call), {**mine(call), "id": "new-2"}),
            Reason.DUPLICATE,
            "the record is stored more than once",
        ),
        (lambda call: found(mine(call, note="other")), Reason.CORRUPT, "the field 'note' was changed on the way"),
        (lambda call: found(mine(call, note=None)), Reason.CORRUPT, "the field 'note' was changed on the way"),
    ],
)
async def test_a_record_that_arrives_otherwise_is_red(records: Callable[[Call], FakeAnswer], reason: Reason, said: str) -> None:
    """Twice, or changed; and what is wrong is removed as well."""
    story = Story(entities=records)
    result = await story.run()
    assert (result.outcome, result.reason) == (FAILED, reason)
    assert said in result.message
    assert [(canary.remote_id, canary.is_gone) for canary in story.tools.canaries] == [("new-1", True)]


async def test_a_removal_that_does_nothing_leaves_the_canary_in_the_register() -> None:
    """It says that it removed, and the record is still there: a leftover of ours, and no outage of ingestion."""
    story = Story()
    story.after = FakeAnswer(id="new-1", removed=None)
    result = await story.run()
    assert (result.outcome, result.reason, result.failing_step) == (ERROR, Reason.RESIDUE, "removed")
    assert not story.tools.canaries[0].is_gone


@pytest.mark.parametrize(
    ("operation", "outcome", "reason"),
    [
        ("ingest", FAILED, Reason.TIMEOUT),
        ("entity", ERROR, Reason.BLOCKED),
        ("entities", ERROR, Reason.BLOCKED),
        ("remove_record", ERROR, Reason.RESIDUE),
    ],
)
async def test_only_the_entry_itself_can_fail_for_ingestion(operation: str, outcome: Outcome, reason: Reason) -> None:
    """Where reading back is broken, nothing is known of ingestion; where removing is, we have a leftover."""
    result = await Story(**{operation: ProbeFailed(Reason.TIMEOUT, "x")}).run()
    assert (result.outcome, result.reason) == (outcome, reason)
    assert result.message.endswith("x")


@pytest.mark.parametrize("operation", ["entity", "ingest", "entities", "remove_record"])
async def test_an_error_of_our_own_comes_through(operation: str) -> None:
    """With its own reason."""
    result = await Story(**{operation: ProbeError(Reason.THROTTLED, "x")}).run()
    assert (result.outcome, result.reason, result.message) == (ERROR, Reason.THROTTLED, "x")


async def test_a_kill_switch_is_called_one_also_where_it_stops_the_reading() -> None:
    """Every path that it stops says why."""
    result = await Story(entity=ProbeFailed(Reason.KILL_SWITCH, "x")).run()
    assert (result.outcome, result.reason) == (FAILED, Reason.KILL_SWITCH)
