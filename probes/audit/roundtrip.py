"""An action of a user is found again in the audit trail, by its correlation id, and the ledger behind it is whole."""

from __future__ import annotations

from typing import Any

from config import parse_duration
from critpath import Answer, Context, ProbeFailed, Reason, Session, check_that
from probes.audit.chain import ChainBroken, Head, follow

_PAGE = 200
_TAIL = 50
_MOST = 1000


async def probe(ctx: Context) -> None:
    """Do one audited action, wait for its event, compare it to the letter, then follow the ledger's tail."""
    api = await ctx.session(ctx.params["identity"])
    async with ctx.step("action"):
        done = await api.call(ctx.params["action"])
    async with ctx.step("event"):
        event = await _event(ctx, api, done.correlation_id)
        check_that(event["tenant"], equals=ctx.facts["tenant"], otherwise="the audit event names another tenant")
        check_that(event["actor"], equals=done.user_id, otherwise="the audit event names another actor")
        check_that(
            event["correlation"], equals=done.correlation_id, otherwise="the audit event has lost its correlation id"
        )
    async with ctx.step("ledger"):
        await _follow_ledger(ctx, api, done.correlation_id)


async def _event(ctx: Context, api: Session, correlation_id: str) -> dict[str, Any]:
    began = ctx.clock.monotonic()
    deadline, pause = parse_duration(ctx.params["deadline"]), parse_duration(ctx.params["poll"])
    while True:
        events = (await api.call("audit_events", correlation_id=correlation_id)).events or []
        if events:
            ctx.measure("audit_delay_seconds", ctx.clock.monotonic() - began)
            check_that(
                len(events), equals=1, otherwise="the action was recorded more than once", reason=Reason.DUPLICATE
            )
            return dict(events[0])
        if ctx.clock.monotonic() - began + pause > deadline:
            message = f"the action succeeded, but its audit event did not come within {ctx.params['deadline']}"
            raise ProbeFailed(Reason.LOST, message)
        await ctx.clock.sleep(pause)


async def _follow_ledger(ctx: Context, api: Session, correlation_id: str) -> None:
    """Read the ledger's tail, from some entries before the one we remember, and find our action in it."""
    notes = await ctx.recall()
    known = Head(notes["sequence"], notes["hash"]) if "sequence" in notes else None
    first: int = ctx.facts["first_sequence"]
    newest = await _newest(ctx, api) if known is None else 0
    start = max(first, (known.sequence if known else newest) - _TAIL)
    page = await _page(ctx, api, start)
    if (newest := int(str(page.head or 0))) - start > _MOST:  # we were away for long: a full audit is not this check's work
        known, start = None, newest - _TAIL
        page = await _page(ctx, api, start)
    entries = list(page.entries or [])
    while len(page.entries or []) == _PAGE:
        page = await _page(ctx, api, start + len(entries))
        entries += page.entries or []
    try:
        head = follow(entries, first=start, genesis=ctx.facts["genesis_hash"] if start == first else None, known=known)
    except ChainBroken as exc:
        raise ProbeFailed(Reason.CHAIN_BROKEN, f"the ledger's chain is broken: {exc}") from exc
    if head is None or (known and head.sequence < known.sequence):
        was = f"it ended with number {known.sequence} before" if known else "it is empty"
        raise ProbeFailed(Reason.CHAIN_BROKEN, f"the ledger has lost its newest entries: {was}")
    if correlation_id not in [entry.get("correlation") for entry in entries]:
        raise ProbeFailed(Reason.LOST, "the action has an audit event, but no entry in the ledger")
    await ctx.remember(sequence=head.sequence, hash=head.hash)


async def _newest(ctx: Context, api: Session) -> int:
    return int(str((await _page(ctx, api, 1, limit=1)).head or 0))


async def _page(ctx: Context, api: Session, first: int, limit: int = _PAGE) -> Answer:
    return await api.call("ledger_entries", tenant=ctx.facts["tenant"], after=str(first - 1), limit=str(limit))
