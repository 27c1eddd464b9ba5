"""The request budget: never more than allowed in any window, a part kept for confirming, and none of it forgotten."""

from __future__ import annotations

import pytest

from config.profile import Allowance, Limits
from critpath import Context, ProbeError, Reason
from critpath.testing import FakeClock
from scheduler.budget import RequestBudget, SlidingWindow, Spend

SUMMIT = Limits.model_validate(
    {"requests": {"count": 100, "per": "15m", "reserve": 12}, "logins": {"count": 4, "per": "15m", "reserve": 1}}
)


class Spends:
    """A store in memory that can be broken."""

    def __init__(self, *kept: Spend) -> None:
        self.kept = list(kept)
        self.broken = False

    async def add(self, spends: list[Spend]) -> None:
        """Keep them."""
        if self.broken:
            raise OSError("the disk is full")
        self.kept += spends

    async def since(self, at_ms: int) -> list[Spend]:
        """Return the later ones."""
        return [spend for spend in self.kept if spend[2] >= at_ms]


class Till:
    """A budget at Summit's limits, with its clock and its store."""

    def __init__(self, *kept: Spend, limits: Limits = SUMMIT) -> None:
        self.clock, self.store = FakeClock(), Spends(*kept)
        self.budget = RequestBudget(limits, self.clock, self.store)

    async def take(self, count: int, attempt: int = 1, surface: str = "api") -> int:
        """Take requests until one is refused; return how many were given."""
        for given in range(count):
            try:
                await self.budget.request(Context("c", "p", 5, attempt=attempt), surface)
            except ProbeError as exc:
                assert exc.reason is Reason.THROTTLED  # noqa: PT017 - it may come at any time, or not at all
                return given
        return count

    async def log_in(self, count: int, attempt: int = 1, who: str = "op") -> int:
        """Take logins until one is refused; return how many were given."""
        for given in range(count):
            try:
                await self.budget.login(Context("c", "p", 5, attempt=attempt), who)
            except ProbeError as exc:
                assert exc.reason is Reason.THROTTLED  # noqa: PT017 - it may come at any time, or not at all
                return given
        return count


async def test_the_reserve_is_for_confirming_alone() -> None:
    """Of 100 requests first attempts get 88, later attempts the last 12, and then nobody any."""
    till = Till()
    assert await till.take(200) == 88
    assert till.budget.remaining() == 12
    assert await till.take(200, attempt=2) == 12
    assert await till.take(1, attempt=3) == 0
    assert till.budget.remaining() == 0


async def test_requests_come_back_when_they_leave_the_window() -> None:
    """Not a millisecond before a quarter of an hour is over, and each at its own time."""
    till = Till()
    await till.take(50)
    till.clock.advance(60)
    await till.take(38)
    till.clock.advance(839.999)
    assert await till.take(1) == 0
    till.clock.advance(0.001)
    assert await till.take(100) == 50


async def test_the_refusal_says_when_the_next_one_is_free() -> None:
    """In seconds; for an account by the same rule."""
    till = Till()
    await till.take(88)
    await till.log_in(3)
    till.clock.advance(300)
    with pytest.raises(ProbeError, match=r"^our request budget is spent; the next request is free in 600 s$"):
        await till.budget.request(Context("c", "p", 5), "api")
    with pytest.raises(ProbeError, match=r"^the account has no login left; the next one is free in 600 s$"):
        await till.budget.login(Context("c", "p", 5), "op")


async def test_logins_are_counted_for_each_account() -> None:
    """Three and a reserve of one; a second account has its own; and they are durable before they are made."""
    till = Till()
    assert await till.log_in(9) == 3
    assert await till.log_in(9, attempt=2) == 1
    assert await till.log_in(1, who="viewer") == 1
    assert [kind for kind, _, _ in till.store.kept] == ["login"] * 5


async def test_a_login_that_cannot_be_kept_is_not_made() -> None:
    """The exception of the store comes through: the target would count what we forget."""
    till = Till()
    till.store.broken = True
    with pytest.raises(OSError, match="the disk is full"):
        await till.log_in(1)


async def test_a_restart_goes_on_where_the_last_process_ended() -> None:
    """Requests and logins within the window count; older ones do not."""
    before = Till()
    await before.take(40)
    await before.log_in(2)
    await before.budget.flush()
    old = [("request", "", before.clock.now() - 900_000), ("login", "op", before.clock.now() - 900_001)]
    after = Till(*old, *before.store.kept)
    await after.budget.open()
    assert await after.take(200) == 48
    assert await after.log_in(9) == 1


async def test_what_cannot_be_saved_is_kept_for_the_next_time() -> None:
    """A store that fails and comes back has everything once."""
    till = Till()
    await till.take(2)
    till.store.broken = True
    with pytest.raises(OSError, match="full"):
        await till.budget.flush()
    await till.take(1)
    till.store.broken = False
    await till.budget.flush()
    await till.budget.flush()
    assert till.store.kept == [("request", "", till.clock.now())] * 3


async def test_a_surface_that_asked_for_silence_is_left_alone() -> None:
    """The longest wish counts, other surfaces go on, and nothing is taken from the budget."""
    till = Till()
    till.budget.back_off("api", 30)
    till.budget.back_off("api", 10)
    with pytest.raises(ProbeError, match=r"^the target asked us to be silent on api for another 30 s$"):
        await till.budget.request(Context("c", "p", 5), "api")
    assert await till.take(1, surface="web") == 1
    till.clock.advance(29.9)
    assert await till.take(1, attempt=2) == 0
    till.clock.advance(0.1)
    assert await till.take(1) == 1
    assert till.budget.remaining() == 98


async def test_a_target_without_limits_gives_all() -> None:
    """Nothing is counted or kept; silence is obeyed all the same."""
    till = Till(limits=Limits())
    await till.budget.open()
    assert (await till.take(500), await till.log_in(50), till.budget.remaining()) == (500, 50, None)
    await till.budget.flush()
    assert till.store.kept == []
    till.budget.back_off("api", 1)
    assert await till.take(1) == 0


def test_a_window_that_was_overdrawn_has_nothing_left() -> None:
    """Never less than nothing, as after a restart with smaller limits."""
    window = SlidingWindow(Allowance.model_validate({"count": 2, "per": "10s"}))
    assert window.next_free(0) == 0.0
    for at in (0, 1, 2):
        window.take(at)
    assert window.left(5, reserve=True) == 0
    assert window.next_free(5) == 9.995
    assert window.left(10_001, reserve=True) == 1
