"""
A record of ours travels from the source to the database, and away again.

The stage at which it was lost is named: `accepted`, `processed`, `stored`, `removed`.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from config import parse_duration
from critpath import Answer, Canary, Context, ProbeError, ProbeFailed, Reason, Session, check_that
from probes.investigation.truth import environment_is_ours


async def probe(ctx: Context) -> None:
    """Write a canary, find it once and unchanged, remove it, and prove that it is gone."""
    api = await ctx.session(ctx.params["identity"])
    async with ctx.step("environment"):
        await _prove_environment(ctx, api)
    canary = await ctx.canary("ingest")
    record = {"critpath": canary.nonce, "note": "synthetic canary"}
    async with ctx.step("accepted"):
        job = (await api.call("ingest", record=record)).job
        check_that(job, otherwise="the entry took the record, but gave no job", reason=Reason.LOST)
    async with ctx.step("stored"):
        ours = await _arrival(ctx, api, canary.nonce)
        if not ours:
            raise await _diagnosis(ctx, api, job)
        await canary.stored(ours[0]["id"])
        try:
            _as_sent(record, ours)
        except ProbeFailed:
            await _remove(api, canary, ours)
            raise
    async with ctx.step("removed"):
        await _remove(api, canary, ours)


async def _prove_environment(ctx: Context, api: Session) -> None:
    """Nothing is written before the target itself has said, in this very run, which environment it is."""
    answer = await _read(api, "entity", id=ctx.fixture["entity_id"])
    evidence = ctx.facts.get("environment_evidence")
    if evidence and answer.headers.get(evidence["header"]) is None:
        message = "the target did not say which environment it is: nothing is written"
        raise ProbeError(Reason.BLOCKED, message)
    try:
        environment_is_ours(ctx, answer)
    except ProbeFailed as exc:
        raise ProbeError(Reason.BLOCKED, f"nothing is written: {exc}") from exc


async def _arrival(ctx: Context, api: Session, nonce: str) -> list[dict[str, Any]]:
    """Ask for the record until it is there or its time is over. Whatever else a search finds is none of ours."""
    began = ctx.clock.monotonic()
    deadline, pause = parse_duration(ctx.params["deadline"]), parse_duration(ctx.params["poll"])
    while True:
        found = await _read(api, "entities", q=nonce, limit=5)
        if ours := [record for record in found.records or [] if (record["props"] or {}).get("critpath") == nonce]:
            ctx.measure("stored_seconds", ctx.clock.monotonic() - began)
            return ours
        if ctx.clock.monotonic() - began + pause > deadline:
            return []
        await ctx.clock.sleep(pause)


async def _diagnosis(ctx: Context, api: Session, job: str) -> Exception:
    """Say where the record was lost; or that we cannot tell, because reading does not work either."""
    control = await _read(api, "entities", q=ctx.fixture["entity_name"], limit=5)
    if ctx.fixture["entity_id"] not in (control.ids or []):
        return ProbeError(Reason.BLOCKED, "could not be told: reading back does not even find the known entity")
    status = await api.call("ingest_status", job=job)
    state = status.state if status.status == HTTPStatus.OK else None
    within = f"within {ctx.params['deadline']}"
    if state in ctx.facts.get("queued_states", ()):
        return ProbeFailed(Reason.STUCK, f"stage processed: the job is still {state!r}, {within}: no worker took it")
    if state in ctx.facts.get("running_states", ()):
        return ProbeFailed(Reason.STUCK, f"stage processed: the job is still {state!r}, {within}")
    if state in ctx.facts.get("failed_states", ()):
        return ProbeFailed(Reason.LOST, f"stage processed: the job failed: {status.failure or 'no reason given'}")
    said = f"the job says {state!r}" if state else "the job is no longer known"
    return ProbeFailed(Reason.LOST, f"stage stored: accepted, then not in the database {within}; {said}")


async def _read(api: Session, operation: str, **variables: Any) -> Answer:
    """
    Read something back. Where reading is broken, ingestion cannot be judged; the checks of reading say what is wrong.

    Raises:
        ProbeError: `BLOCKED`.
    """
    try:
        return await api.call(operation, **variables)
    except ProbeFailed as exc:
        if exc.reason is Reason.KILL_SWITCH:
            raise
        raise ProbeError(Reason.BLOCKED, f"could not be told: reading back fails: {exc}") from exc


def _as_sent(sent: dict[str, Any], stored: list[dict[str, Any]]) -> None:
    check_that(len(stored), equals=1, otherwise="the record is stored more than once", reason=Reason.DUPLICATE)
    for key, value in sent.items():
        found = stored[0]["props"].get(key)
        check_that(found, equals=value, otherwise=f"the field {key!r} was changed on the way", reason=Reason.CORRUPT)


async def _remove(api: Session, canary: Canary, stored: list[dict[str, Any]]) -> None:
    """
    Remove what we wrote and prove it by reading. That it cannot be removed is no outage of ingestion, but a leftover of ours.

    Raises:
        ProbeError: `RESIDUE`.
    """
    for record in stored:
        try:
            await api.call("remove_record", id=record["id"])
            left = await api.call("entity", id=record["id"])
        except ProbeFailed as exc:
            raise ProbeError(Reason.RESIDUE, f"the canary cannot be removed: {exc}") from exc
        if left.id is not None and not left.removed:
            raise ProbeError(Reason.RESIDUE, "the canary is still there after its removal")
    await canary.gone()
