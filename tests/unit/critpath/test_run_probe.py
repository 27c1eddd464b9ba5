"""`run_probe` judges whatever a probe does, and gives back what it borrowed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from critpath import Context, Outcome, Probe, ProbeError, ProbeFailed, Reason, RunClass, run_probe
from critpath.testing import FakeClock, FakeTools


async def works(ctx: Context) -> None:
    """Return at once."""


async def is_red(ctx: Context) -> None:
    """Fail."""
    raise ProbeFailed(Reason.MISSING, "the case is gone")


async def is_ours(ctx: Context) -> None:
    """Err."""
    raise ProbeError(Reason.SECRET, "no password")


async def is_wrong(ctx: Context) -> None:
    """Have a bug."""
    raise KeyError("identity")


async def hangs(ctx: Context) -> None:
    """Never end."""
    await asyncio.Event().wait()


async def leaks_a_timeout(ctx: Context) -> None:
    """Raise a timeout that is not the deadline's."""
    raise TimeoutError("of a socket")


async def swallows(ctx: Context) -> None:
    """Return after the deadline as if nothing had been."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return


def context(**differs: Any) -> Context:
    return Context(check="c", path="p", **{"deadline": 5.0, "clock": FakeClock(), "run_id": "r", **differs})


@pytest.mark.parametrize(
    ("probe", "outcome", "reason", "message"),
    [
        (works, Outcome.OK, Reason.NONE, ""),
        (is_red, Outcome.FAILED, Reason.MISSING, "the case is gone"),
        (is_ours, Outcome.ERROR, Reason.SECRET, "no password"),
        (is_wrong, Outcome.ERROR, Reason.BUG, "the probe raised KeyError: 'identity'"),
        (leaks_a_timeout, Outcome.ERROR, Reason.BUG, "the probe let a TimeoutError escape: TimeoutError('of a socket')"),
    ],
)
async def test_what_a_probe_does_decides_the_outcome(probe: Probe, outcome: Outcome, reason: Reason, message: str) -> None:
    """Returning is `ok`; only `ProbeFailed` speaks against the target; everything else is our own error."""
    result = await run_probe(probe, context())
    assert (result.outcome, result.reason, result.message) == (outcome, reason, message)


@pytest.mark.parametrize("probe", [hangs, swallows])
async def test_an_attempt_that_does_not_end_in_time_failed(probe: Probe) -> None:
    """The deadline is the target's fault, also where the probe hides its own cancellation."""
    result = await run_probe(probe, context(deadline=0.01))
    assert (result.outcome, result.reason) == (Outcome.FAILED, Reason.TIMEOUT)
    assert result.message == "no end within 0.01 s"


@pytest.mark.parametrize(("took", "outcome"), [(1.5, Outcome.OK), (1.51, Outcome.DEGRADED)])
async def test_beyond_the_latency_objective_is_degraded(took: float, outcome: Outcome) -> None:
    """Exactly at the objective is in time."""

    async def slow(ctx: Context) -> None:
        await ctx.clock.sleep(took)

    result = await run_probe(slow, context(slow_after=1.5))
    assert result.outcome is outcome
    assert result.outcome.works
    assert result.reason is (Reason.SLOW if outcome is Outcome.DEGRADED else Reason.NONE)
    assert result.message == ("worked, but took 1.51 s; the objective is 1.5 s" if outcome is Outcome.DEGRADED else "")


async def test_a_slow_failure_stays_a_failure() -> None:
    """The latency objective does not soften what is broken."""

    async def slow_and_red(ctx: Context) -> None:
        await ctx.clock.sleep(2)
        raise ProbeFailed(Reason.LOST, "lost")

    result = await run_probe(slow_and_red, context(slow_after=1.0))
    assert (result.outcome, result.reason) == (Outcome.FAILED, Reason.LOST)


async def test_steps_are_timed_and_the_innermost_that_broke_is_named() -> None:
    """Steps count from the start of the attempt and end in their own order; the inner one ends first."""

    async def walk(ctx: Context) -> None:
        async with ctx.step("one"):
            await ctx.clock.sleep(1)
        async with ctx.step("two"):
            await ctx.clock.sleep(2)
            async with ctx.step("two, inside"):
                await ctx.clock.sleep(3)
                raise ProbeFailed(Reason.LOST, "lost")

    result = await run_probe(walk, context(deadline=60))
    assert [(s.name, s.started, s.seconds, s.ok) for s in result.steps] == [
        ("one", 0.0, 1.0, True),
        ("two, inside", 3.0, 3.0, False),
        ("two", 1.0, 5.0, False),
    ]
    assert result.failing_step == "two, inside"
    assert result.seconds == 6.0
    assert result.ended_ms == result.started_ms + 6000


async def test_the_result_carries_what_the_context_was() -> None:
    """Names, class, attempt, trace, measurements and the start in wall time are copied."""
    clock = FakeClock(1_700_000_000_123)

    async def measuring(ctx: Context) -> None:
        ctx.measure("delay_seconds", 0.5)
        assert ctx.remaining() == 5.0
        await clock.sleep(7)
        assert ctx.remaining() == 0.0

    ctx = context(clock=clock, run_class=RunClass.CONFIRM, attempt=2, trace_id="t", correlation_id="k")
    result = await run_probe(measuring, ctx)
    assert (result.check, result.path, result.run_id, result.run_class, result.attempt) == ("c", "p", "r", RunClass.CONFIRM, 2)
    assert (result.trace_id, result.correlation_id, result.measurements) == ("t", "k", {"delay_seconds": 0.5})
    assert result.started_ms == 1_700_000_000_123


async def test_the_cancellation_of_the_daemon_passes_through() -> None:
    """Stopping is no verdict; what was borrowed is given back all the same."""
    tools, begun = FakeTools(), asyncio.Event()

    async def waits(ctx: Context) -> None:
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(run_probe(waits, context(tools=tools)))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert tools.closed


@dataclass
class Sticky(FakeTools):
    """Tools that cannot be closed."""

    async def aclose(self, ctx: Context) -> None:
        """Break."""
        raise RuntimeError("the browser is stuck")


@pytest.mark.parametrize(("probe", "reason"), [(works, Reason.NONE), (is_red, Reason.MISSING)])
async def test_an_error_of_closing_does_not_hide_the_result(probe: Probe, reason: Reason) -> None:
    """The result stands, and a measurement tells that closing went wrong."""
    result = await run_probe(probe, context(tools=Sticky()))
    assert result.reason is reason
    assert result.measurements == {"close_failed": 1.0}


async def test_a_context_without_tools_says_so() -> None:
    """A probe that borrows from nobody is a bug of whoever made the context."""

    async def borrows(ctx: Context) -> None:
        await ctx.session("operator")

    result = await run_probe(borrows, context())
    assert (result.outcome, result.reason) == (Outcome.ERROR, Reason.BUG)
    assert result.message == "this context was made without tools"


async def test_a_deadline_in_our_own_work_says_nothing_of_the_target() -> None:
    """A browser that is slow to start is our error; the reason is the one that was marked."""

    async def starts_a_browser(ctx: Context) -> None:
        with ctx.on_our_side(Reason.BROWSER, "starting the browser"):
            await asyncio.Event().wait()

    result = await run_probe(starts_a_browser, Context("sign-in", "auth", deadline=0.01))
    assert (result.outcome, result.reason) == (Outcome.ERROR, Reason.BROWSER)
    assert "starting the browser did not end within 0.01 s" in result.message


async def test_after_our_own_work_the_deadline_is_the_targets() -> None:
    """What was marked is over, be it done or failed: a hang that follows is a timeout of the target."""

    async def hangs_later(ctx: Context) -> None:
        with ctx.on_our_side(Reason.BROWSER, "starting the browser"):
            pass
        with pytest.raises(ProbeFailed), ctx.on_our_side(Reason.BROWSER, "opening a page"):
            raise ProbeFailed(Reason.CONNECTION, "refused")
        await asyncio.Event().wait()

    result = await run_probe(hangs_later, Context("sign-in", "auth", deadline=0.01))
    assert (result.outcome, result.reason) == (Outcome.FAILED, Reason.TIMEOUT)
