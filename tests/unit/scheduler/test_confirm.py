"""Two of at most three: what a sequence of attempts comes to."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from critpath import Outcome, Reason, Result, RunClass
from critpath.testing import FakeClock
from scheduler.confirm import FAILURES, MOST_ATTEMPTS, decide, judge
from tests.unit.scheduler.scheduler_doubles import START, attempt

OF = {"S": Outcome.OK, "D": Outcome.DEGRADED, "F": Outcome.FAILED, "E": Outcome.ERROR, "A": Outcome.ABORTED}


def attempts(letters: str) -> list[Result]:
    """Return one attempt for each letter, ten seconds apart; the number is in the message."""
    return [attempt(OF[letter], 10 * n, n + 1, message=f"{letter}{n + 1}") for n, letter in enumerate(letters)]


# letters: outcome, attempt that decides, seconds from which it holds, flake
TABLE: dict[str, tuple[Outcome, str, int, bool]] = {
    "S": (Outcome.OK, "S1", 0, False),
    "D": (Outcome.DEGRADED, "D1", 0, False),
    "E": (Outcome.ERROR, "E1", 0, False),
    "A": (Outcome.ABORTED, "A1", 0, False),
    "FF": (Outcome.FAILED, "F1", 0, False),
    "FA": (Outcome.ABORTED, "A2", 0, False),
    "FSF": (Outcome.FAILED, "F1", 0, False),
    "FEF": (Outcome.FAILED, "F1", 0, False),
    "FDF": (Outcome.FAILED, "F1", 0, False),
    "FSS": (Outcome.OK, "S3", 0, True),
    "FES": (Outcome.OK, "S3", 0, True),
    "FSE": (Outcome.OK, "S2", 0, True),
    "FSD": (Outcome.DEGRADED, "D3", 0, True),
    "FEE": (Outcome.ERROR, "E3", 0, False),
    "FSA": (Outcome.ABORTED, "A3", 0, False),
    "FEA": (Outcome.ABORTED, "A3", 0, False),
}


@pytest.mark.parametrize("letters", sorted(TABLE))
def test_a_sequence_has_its_verdict(letters: str) -> None:
    """Outcome, the attempt that decided, from when on it holds, and whether it was a flake."""
    made = attempts(letters)
    found = decide(made, RunClass.SCHEDULED)
    assert found is not None
    outcome, decisive, since, flake = TABLE[letters]
    assert (found.outcome, found.message, found.since_ms, found.flake) == (outcome, decisive, START + since * 1000, flake)
    assert found.attempts == tuple(made)
    assert found.reason is next(each.reason for each in made if each.message == decisive)


@pytest.mark.parametrize("letters", ["F", "FS", "FE", "FD"])
def test_one_failure_alone_asks_for_another_attempt(letters: str) -> None:
    """Nothing is said yet, neither good nor bad."""
    assert decide(attempts(letters), RunClass.SCHEDULED) is None


def sequences() -> Iterator[str]:
    """Yield every sequence of attempts that can come about, each as long as it takes to decide."""
    for letters in product(OF, repeat=MOST_ATTEMPTS):
        for length in range(1, MOST_ATTEMPTS + 1):
            if decide(attempts("".join(letters[:length])), RunClass.SCHEDULED) is not None:
                yield "".join(letters[:length])
                break


def test_every_sequence_is_decided_by_its_third_attempt() -> None:
    """And it is bad exactly if two attempts failed."""
    found = set(sequences())
    assert len(found) == 5 - 1 + 5 - 3 + 3 * 5  # undecided are F, and of five after it S, D and E
    for letters in found:
        verdict = decide(attempts(letters), RunClass.SCHEDULED)
        assert verdict is not None
        assert (verdict.outcome is Outcome.FAILED) is (letters.count("F") >= FAILURES), letters


async def test_attempts_are_made_until_they_decide_with_a_gap_between() -> None:
    """Two failures end the run after the second attempt and one gap."""
    clock, made = FakeClock(), []

    async def fails(number: int) -> Result:
        made.append(number)
        return attempt(Outcome.FAILED, 0, number)

    found = await judge(fails, RunClass.ONDEMAND, 5.0, clock)
    assert (found.outcome, found.run_class) == (Outcome.FAILED, RunClass.ONDEMAND)
    assert (made, clock.slept) == ([1, 2], [5.0])


async def test_a_good_first_attempt_is_the_only_one() -> None:
    """No gap, no second request."""
    clock = FakeClock()

    async def works(number: int) -> Result:
        return attempt(Outcome.OK, 0, number)

    found = await judge(works, RunClass.SCHEDULED, 5.0, clock)
    assert (len(found.attempts), clock.slept, found.flake, found.reason) == (1, [], False, Reason.NONE)
