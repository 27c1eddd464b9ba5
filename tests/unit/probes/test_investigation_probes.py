"""The probes of investigation: a known fixture is found as it is, and nothing invented passes for it."""

from __future__ import annotations

from typing import Any

import pytest

from critpath import Outcome, Probe, Reason, Result
from critpath.testing import FakeAnswer, FakeTools, run_once
from probes.investigation import entity, expand, search

FIXTURE = {
    "case": "Meridian",
    "case_id": "case-7",
    "entity_id": "ent-1",
    "entity_name": "Meridian Holdings",
    "entity_version": 7,
    "edge_id": "rel-1",
    "neighbour_id": "ent-2",
}
FACTS = {"environment_evidence": {"header": "x-env", "values": ("prod",)}, "mock_ids": ("mock-1", "mock-2")}
OURS, THEIRS = {"X-Env": "prod"}, {"X-Env": "dev"}
FAILED = Outcome.FAILED


async def tries(probe: Probe, answers: dict[Any, Any], **params: Any) -> Result:
    return await run_once(probe, FakeTools(answers), params={"identity": "analyst", **params}, fixture=FIXTURE, facts=FACTS)


def reason(result: Result) -> tuple[Outcome, Reason]:
    return result.outcome, result.reason


@pytest.mark.parametrize(
    ("answer", "outcome", "why"),
    [
        (FakeAnswer(ids=["case-1", "case-7"], headers=OURS), Outcome.OK, Reason.NONE),
        (FakeAnswer(ids=["case-7"]), Outcome.OK, Reason.NONE),
        (FakeAnswer(ids=["case-1"]), FAILED, Reason.WRONG_ANSWER),
        (FakeAnswer(ids=[]), FAILED, Reason.WRONG_ANSWER),
        (FakeAnswer(ids=None), FAILED, Reason.WRONG_ANSWER),
        (FakeAnswer(ids=["case-7"], errors=["half"]), FAILED, Reason.WRONG_ANSWER),
        (FakeAnswer(ids=["case-7"], headers=THEIRS), FAILED, Reason.WRONG_ENVIRONMENT),
        (FakeAnswer(500), FAILED, Reason.STATUS),
    ],
)
async def test_a_search_finds_the_known_case(answer: FakeAnswer, outcome: Outcome, why: Reason) -> None:
    """Neither nothing, nor something else, nor a part, nor another environment's answer will do."""
    assert reason(await tries(search.probe, {"searchAll": answer})) == (outcome, why)


def known(**differs: Any) -> FakeAnswer:
    values: dict[str, Any] = {"id": "ent-1", "name": "Meridian Holdings", "props": {"version": 7}, "headers": OURS}
    return FakeAnswer(**{**values, **differs})


@pytest.mark.parametrize(
    ("answer", "outcome", "why"),
    [
        (known(), Outcome.OK, Reason.NONE),
        (known(id="ent-9"), FAILED, Reason.WRONG_ANSWER),
        (known(id="mock-2"), FAILED, Reason.MOCK_DATA),
        (known(id=None), FAILED, Reason.MISSING),
        (known(name="Another"), FAILED, Reason.WRONG_ANSWER),
        (known(props={"version": 6}), FAILED, Reason.WRONG_ANSWER),
        (known(props=None), FAILED, Reason.WRONG_ANSWER),
        (known(headers=THEIRS), FAILED, Reason.WRONG_ENVIRONMENT),
        (known(status=502), FAILED, Reason.STATUS),
    ],
)
async def test_the_known_entity_is_as_it_is_known(answer: FakeAnswer, outcome: Outcome, why: Reason) -> None:
    """Its id, name and version, from the right environment and from a database."""
    assert reason(await tries(entity.probe, {"entity": answer})) == (outcome, why)


@pytest.mark.parametrize(
    ("listed", "why", "said"),
    [
        (["ent-8", "mock-1", "mock-2"], Reason.MOCK_DATA, "mock-1"),
        ([], Reason.MISSING, "'ent-1' is not there"),
        (None, Reason.MISSING, "'ent-1' is not there"),
    ],
)
async def test_a_missing_entity_is_looked_into(listed: Any, why: Reason, said: str) -> None:
    """A target that lists its built-in records has lost its database; another has lost the entity."""
    answers = {"entity": known(id=None), "entities": FakeAnswer(ids=listed)}
    result = await tries(entity.probe, answers, list_operation="entities")
    assert reason(result) == (FAILED, why)
    assert said in result.message


def graph(**differs: Any) -> FakeAnswer:
    values: dict[str, Any] = {"nodes": ["ent-1", "ent-2"], "edges": ["rel-1"], "ends": [["ent-1", "ent-2"]], "headers": OURS}
    return FakeAnswer(**{**values, **differs})


@pytest.mark.parametrize(
    ("answer", "outcome", "why", "said"),
    [
        (graph(), Outcome.OK, Reason.NONE, ""),
        (graph(edges=[], ends=[]), FAILED, Reason.WRONG_ANSWER, "no edges"),
        (graph(edges=None), FAILED, Reason.WRONG_ANSWER, "no edges"),
        (graph(edges=["rel-9"]), FAILED, Reason.WRONG_ANSWER, "the known edge is missing"),
        (graph(nodes=["ent-1"]), FAILED, Reason.WRONG_ANSWER, "the known neighbour is missing"),
        (graph(nodes=None), FAILED, Reason.WRONG_ANSWER, "the known neighbour is missing"),
        (graph(ends=[["ent-1", "ent-2"], ["ent-8", "ent-9"]]), FAILED, Reason.WRONG_ANSWER, "edges of another entity"),
        (graph(nodes=["mock-1"]), FAILED, Reason.MOCK_DATA, "mock-1"),
        (graph(headers=THEIRS), FAILED, Reason.WRONG_ENVIRONMENT, "environment 'dev'; configured is 'prod'"),
    ],
)
async def test_an_expansion_shows_the_known_neighbour(answer: FakeAnswer, outcome: Outcome, why: Reason, said: str) -> None:
    """By the known edge, and with edges of this entity alone."""
    result = await tries(expand.probe, {"expandNeighbors": answer})
    assert reason(result) == (outcome, why)
    assert said in result.message


async def test_a_target_that_says_nothing_of_its_environment_is_believed() -> None:
    """Where the profile knows no evidence, none is asked for."""
    tools = FakeTools({"searchAll": FakeAnswer(ids=["case-7"], headers=THEIRS)})
    result = await run_once(search.probe, tools, params={"identity": "analyst"}, fixture=FIXTURE)
    assert result.outcome is Outcome.OK


@pytest.mark.parametrize(
    ("probe", "answer"), [(search.probe, FakeAnswer(ids=["case-7"])), (entity.probe, known()), (expand.probe, graph())]
)
async def test_the_operation_can_be_another_of_the_profile(probe: Probe, answer: FakeAnswer) -> None:
    """A target with other words uses the same probe."""
    assert (await tries(probe, {"mine": answer}, operation="mine")).outcome is Outcome.OK
