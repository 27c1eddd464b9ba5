"""The system's clock carried forward, and the double of it."""

from __future__ import annotations

import time

import pytest
import time_machine

from critpath import Clock, SystemClock
from critpath.testing import FakeClock


def test_a_step_of_the_wall_clock_moves_the_drift_and_not_the_time() -> None:
    """An hour forward on the wall is an hour of drift, and no hour of ours."""
    clock = SystemClock()
    before = clock.now()
    with time_machine.travel(time.time() + 3600, tick=False):
        assert clock.wall_drift() == pytest.approx(3600, abs=5)
        assert clock.now() - before < 5000


def test_the_time_never_goes_back() -> None:
    """Of many readings each is at least the one before."""
    clock = SystemClock()
    readings = [clock.now() for _ in range(1000)]
    assert readings == sorted(readings)
    assert abs(clock.wall_drift()) < 1


async def test_sleeping_on_the_fake_clock_takes_no_time() -> None:
    """An hour passes on the clock, both ways of reading it agree, and it is noted."""
    clock: Clock = FakeClock(1000)
    began = time.monotonic()
    await clock.sleep(3600)
    assert time.monotonic() - began < 1
    assert (clock.now(), clock.monotonic()) == (3_601_000, 3600.0)
    assert isinstance(clock, FakeClock)
    assert clock.slept == [3600]


def test_the_fake_clock_does_not_go_back() -> None:
    """A negative step is none."""
    clock = FakeClock()
    clock.advance(-5)
    assert clock.monotonic() == 0
