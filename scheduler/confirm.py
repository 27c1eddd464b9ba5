"""
Confirmation: one failing attempt is a suspicion, two of at most three are a verdict.

The attempts of a run are *gap* seconds apart, each in a fresh context. `decide` is the rule; `judge` follows it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from critpath import Clock, Outcome, Result, RunClass, Verdict

MOST_ATTEMPTS = 3
FAILURES = 2

Attempt = Callable[[int], Awaitable[Result]]
"""Make attempt number n (from 1) of a run."""


def decide(attempts: Sequence[Result], run_class: RunClass, failures: int = FAILURES) -> Verdict | None:
    """
    Return the verdict of a run, or `None` where one more attempt is needed.

    A first attempt that does not fail decides at once. After a failure: the second one confirms it; without one, a good
    attempt makes it a flake; and where our own errors leave it open, the verdict is that error. Of a check that is bad
    already one failure says enough: *failures* is 1 then.
    """
    first, last = attempts[0], attempts[-1]
    failed = [attempt for attempt in attempts if attempt.outcome is Outcome.FAILED]
    if last.outcome is Outcome.ABORTED or not failed:
        return _verdict(attempts, run_class, last, first.started_ms)
    if len(failed) >= failures:
        return _verdict(attempts, run_class, failed[0], failed[0].started_ms)
    if len(attempts) < MOST_ATTEMPTS:
        return None
    decisive = next((a for a in reversed(attempts) if a.outcome.works), last)
    return _verdict(attempts, run_class, decisive, first.started_ms, flake=decisive.outcome.works)


async def judge(attempt: Attempt, run_class: RunClass, gap: float, clock: Clock, failures: int = FAILURES) -> Verdict:
    """Make attempts until they decide."""
    attempts = [await attempt(1)]
    while (verdict := decide(attempts, run_class, failures)) is None:
        await clock.sleep(gap)
        attempts.append(await attempt(len(attempts) + 1))
    return verdict


def _verdict(
    attempts: Sequence[Result], run_class: RunClass, decisive: Result, since_ms: int, *, flake: bool = False
) -> Verdict:
    return Verdict(
        check=decisive.check,
        path=decisive.path,
        run_class=run_class,
        run_id=decisive.run_id,
        attempts=tuple(attempts),
        outcome=decisive.outcome,
        reason=decisive.reason,
        message=decisive.message,
        since_ms=since_ms,
        flake=flake,
    )
