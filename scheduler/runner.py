"""One run of a check, from the first attempt to the verdict. The daemon, `critpath check` and the tests call this."""

from __future__ import annotations

from dataclasses import replace

from config import known_secrets
from critpath import Clock, Outcome, Reason, Result, RunClass, Verdict
from scheduler.checks import Attempts, Check
from scheduler.confirm import FAILURES, judge
from scheduler.lag import LoopLag

_LAG_SHARE = 0.2


class Runner:
    """Runs checks. *gap* is the pause in seconds before a failure is tried again."""

    def __init__(self, attempts: Attempts, clock: Clock, gap: float, lag: LoopLag) -> None:
        self._attempts = attempts
        self._clock = clock
        self._gap = gap
        self._lag = lag

    async def run(self, check: Check, run_class: RunClass, run_id: str, *, known_bad: bool = False) -> Verdict:
        """Run *check* and judge it; a failure of one *known_bad* needs no confirming. Raises nothing but cancellation."""

        async def attempt(number: int) -> Result:
            began = self._clock.monotonic()
            result = await self._attempts.attempt(check, run_id, run_class, number)
            redacted = replace(result, message=known_secrets.redact(result.message)) if result.message else result
            return excuse(redacted, self._lag.worst(began), check.settings.timeout)

        return await judge(attempt, run_class, self._gap, self._clock, failures=1 if known_bad else FAILURES)


def excuse(result: Result, lag: float, timeout: float) -> Result:
    """Return *result*, or our own overload in its place: a timeout while our loop hung says nothing about the target."""
    late = result.outcome is Outcome.FAILED and result.reason is Reason.TIMEOUT
    if not late or lag < _LAG_SHARE * timeout:
        return result
    message = f"{result.message}; but our own event loop hung for {lag:.1f} s meanwhile"
    return replace(result, outcome=Outcome.ERROR, reason=Reason.OVERLOADED, message=message)
