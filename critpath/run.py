"""`run_probe`: the one place where a probe is called, timed and judged."""

from __future__ import annotations

import asyncio

from critpath.errors import ProbeException
from critpath.model import Outcome, Reason, Result
from critpath.probe import Context, Probe

CLOSING_SECONDS = 5.0


async def run_probe(probe: Probe, ctx: Context) -> Result:
    """
    Call *probe* once, within the deadline of *ctx*, and judge it.

    Never raises, except when the daemon itself is being cancelled. Whatever the probe borrowed is given back.
    """
    started_ms = ctx.clock.now()
    ctx.started = ctx.clock.monotonic()
    try:
        outcome, reason, message = await _judge(probe, ctx)
    finally:
        seconds = ctx.clock.monotonic() - ctx.started
        await _close(ctx)
    if outcome is Outcome.OK and ctx.slow_after is not None and seconds > ctx.slow_after:
        outcome, reason = Outcome.DEGRADED, Reason.SLOW
        message = f"worked, but took {seconds:.2f} s; the objective is {ctx.slow_after:g} s"
    return Result(
        run_id=ctx.run_id,
        check=ctx.check,
        path=ctx.path,
        run_class=ctx.run_class,
        attempt=ctx.attempt,
        started_ms=started_ms,
        seconds=seconds,
        outcome=outcome,
        reason=reason,
        message=message,
        steps=tuple(ctx.steps),
        trace_id=ctx.trace_id,
        correlation_id=ctx.correlation_id,
        measurements=dict(ctx.measurements),
    )


async def _judge(probe: Probe, ctx: Context) -> tuple[Outcome, Reason, str]:
    limit = asyncio.timeout(ctx.deadline)
    try:
        async with limit:
            await probe(ctx)
        if limit.expired():  # the probe swallowed its own cancellation
            raise TimeoutError
    except ProbeException as exc:
        return exc.outcome, exc.reason, str(exc)
    except TimeoutError as exc:
        # A TimeoutError that is not our deadline is a bug: clients translate their own.
        if limit.expired() and ctx.own_work is not None:
            reason, what = ctx.own_work
            return Outcome.ERROR, reason, f"our own work took too long: {what} did not end within {ctx.deadline:g} s"
        if limit.expired():
            return Outcome.FAILED, Reason.TIMEOUT, f"no end within {ctx.deadline:g} s"
        return Outcome.ERROR, Reason.BUG, f"the probe let a TimeoutError escape: {exc!r}"
    except Exception as exc:  # noqa: BLE001 - a probe may raise anything; the scheduler must survive it
        return Outcome.ERROR, Reason.BUG, f"the probe raised {type(exc).__name__}: {exc}"
    return Outcome.OK, Reason.NONE, ""


async def _close(ctx: Context) -> None:
    if ctx.tools is None:
        return
    try:
        async with asyncio.timeout(CLOSING_SECONDS):
            await ctx.tools.aclose(ctx)
    except Exception as exc:  # noqa: BLE001 - closing must not hide what the attempt found
        ctx.measure("close_failed", 1.0)
        del exc
