"""When checks run: slots on a grid, each check with a phase of its own, and our own slowness is no outage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from critpath import Outcome, Reason, Result, RunClass
from critpath.testing import FakeClock
from scheduler.checks import Attempts, Check
from scheduler.jobs import Cadence
from scheduler.lag import LoopLag
from scheduler.runner import Runner, excuse
from tests.unit.scheduler.scheduler_doubles import CHECKS, attempt

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
INTERVAL, JITTER = 300.0, 300.0 * 0.02


def phase(name: str) -> float:
    """Return the seconds after NOW of the first slot, within the first ten."""
    return (Cadence(name, lambda: INTERVAL).get_next_fire_time(None, NOW) - NOW).total_seconds()


def test_a_check_has_the_same_phase_after_every_restart() -> None:
    """It is made of the name alone: SHA-256 of `login` begins with 428821350e… and 0x42882135 / 2^32 = 0.2599."""
    assert phase("login") == phase("login") == pytest.approx(10 * 0x42882135 / 2**32, abs=1e-5)


def test_the_first_slots_come_within_seconds_and_apart() -> None:
    """Of the nine checks no two start at once, and none later than after ten seconds."""
    phases = sorted(phase(name) for name in CHECKS)
    assert len(phases) == len(set(phases)) == 9
    assert 0 <= phases[0] <= phases[-1] <= 10


def test_a_short_interval_has_its_first_slot_sooner() -> None:
    """Within the interval itself."""
    first = Cadence("login", lambda: 2.0).get_next_fire_time(None, NOW)
    assert (first - NOW).total_seconds() == pytest.approx(2 * 0x42882135 / 2**32, abs=1e-5)


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_slots_lie_on_a_grid_and_do_not_drift(name: str) -> None:
    """A hundred slots later each is still at its phase, by at most the jitter of 2 % late."""
    cadence = Cadence(name, lambda: INTERVAL)
    offset = phase(name) / 10 * INTERVAL
    previous, at = NOW, []
    for _ in range(100):
        previous = cadence.get_next_fire_time(previous, previous)
        at.append((previous.timestamp() - offset) % INTERVAL)
    assert all(-0.001 <= late <= JITTER + 0.001 or late >= INTERVAL - 0.001 for late in at)
    assert (previous - NOW).total_seconds() == pytest.approx(100 * INTERVAL, abs=INTERVAL * 1.5 + JITTER)


def test_no_slot_comes_too_soon_after_the_last_run() -> None:
    """A run that was hastened pushes the next slot on, if that is less than half an interval away."""
    cadence = Cadence("login", lambda: INTERVAL)
    for seconds in range(0, 300, 10):
        hastened = NOW + timedelta(seconds=seconds)
        gap = (cadence.get_next_fire_time(hastened, hastened) - hastened).total_seconds()
        assert INTERVAL / 2 <= gap <= INTERVAL * 1.5 + JITTER


def test_slots_that_were_slept_through_are_not_made_up_for() -> None:
    """After an hour of sleep the next slot is in the future, and within one interval."""
    slot = Cadence("login", lambda: INTERVAL).get_next_fire_time(NOW - timedelta(hours=1), NOW)
    assert NOW < slot <= NOW + timedelta(seconds=INTERVAL + JITTER)


def test_a_faster_interval_counts_from_the_next_slot() -> None:
    """While a path is broken the interval is asked for anew."""
    interval = [INTERVAL]
    cadence = Cadence("login", lambda: interval[0])
    slow = cadence.get_next_fire_time(NOW, NOW)
    interval[0] = 15.0
    fast = cadence.get_next_fire_time(slow, slow)
    assert 7.5 <= (fast - slow).total_seconds() <= 15 * 1.5 + 0.3


TIMEOUT = attempt(Outcome.FAILED, reason=Reason.TIMEOUT, message="no end within 10 s")


@pytest.mark.parametrize(("lag", "ours"), [(0.0, False), (1.99, False), (2.0, True), (9.0, True)])
def test_a_timeout_while_our_loop_hung_is_our_own_fault(lag: float, ours: bool) -> None:
    """From a fifth of the timeout on."""
    judged = excuse(TIMEOUT, lag, 10.0)
    assert judged.outcome is (Outcome.ERROR if ours else Outcome.FAILED)
    assert judged.reason is (Reason.OVERLOADED if ours else Reason.TIMEOUT)
    assert judged.message == (
        f"no end within 10 s; but our own event loop hung for {lag:.1f} s meanwhile" if ours else TIMEOUT.message
    )
    assert (judged.run_id, judged.steps) == (TIMEOUT.run_id, TIMEOUT.steps)


@pytest.mark.parametrize("result", [attempt(Outcome.OK), attempt(Outcome.FAILED, reason=Reason.STATUS), attempt(Outcome.ERROR)])
def test_only_a_timeout_is_excused(result: Result) -> None:
    """A wrong answer is wrong however busy we are."""
    assert excuse(result, 100.0, 10.0) is result


class Scripted(Attempts):
    """Attempts that come to what is said."""

    def __init__(self, *results: Result) -> None:
        self._results = list(results)

    async def attempt(self, check: Check, run_id: str, run_class: RunClass, number: int) -> Result:
        """Return the next."""
        return self._results[number - 1]


class Hanging(LoopLag):
    """A loop that always hung for three seconds."""

    def worst(self, since: float = 0.0) -> float:
        """Return it."""
        return 3.0


async def test_a_run_confirms_and_excuses() -> None:
    """Two timeouts make a failed run; with a loop that hung, the first is our error and ends the run."""
    clock, check = FakeClock(), CHECKS["login"]
    runner = Runner(Scripted(TIMEOUT, TIMEOUT), clock, 5.0, LoopLag(clock))
    assert (await runner.run(check, RunClass.SCHEDULED, "r")).outcome is Outcome.FAILED
    verdict = await Runner(Scripted(TIMEOUT, TIMEOUT), clock, 5.0, Hanging(clock)).run(check, RunClass.SCHEDULED, "r")
    assert (verdict.outcome, verdict.reason, len(verdict.attempts)) == (Outcome.ERROR, Reason.OVERLOADED, 1)


def test_the_worst_lag_is_that_since_the_moment_asked_for() -> None:
    """What was before the attempt began does not excuse it."""
    lag = LoopLag(FakeClock())
    lag._samples.extend([(10.0, 5.0), (20.0, 1.0)])
    assert (lag.worst(), lag.worst(15.0), lag.worst(25.0)) == (5.0, 1.0, 0.0)
