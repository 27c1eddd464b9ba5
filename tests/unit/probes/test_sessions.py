"""Sessions: logged in once for all, renewed in time, and honest when there is none to be had."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from critpath import Outcome, ProbeError, ProbeException, ProbeFailed, Reason
from critpath.testing import FakeClock
from probes.clients.session import Session, SessionKeeper, Tokens, claims_of
from tests.unit.probes.probe_doubles import PROFILE, RecordingGate, Wire, token

LIFE = 900.0


@dataclass
class Target:
    """Logs in, refreshes and guards `/me`, as it is told. Tokens are numbered in the order they are given."""

    clock: FakeClock = field(default_factory=FakeClock)
    life: float = LIFE
    login: int = 200
    refresh: int = 200
    given: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    refusal: int = 401
    asked: Counter[str] = field(default_factory=Counter)
    body: dict[str, Any] = field(default_factory=dict)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        name = request.url.path.rpartition("/")[2]
        self.asked[name] += 1
        if name == "me":
            bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
            good = bearer in self.given and bearer not in self.refused
            return httpx.Response(200 if good else self.refusal, json={"user": {"email": "a@b"}})
        status = getattr(self, name)
        if status != 200:
            return httpx.Response(status, json={"error": "no"})
        now = self.clock.now() / 1000
        self.given.append(token(len(self.given), now, now + self.life))
        said = json.loads(request.content).get("refreshToken", "r0")
        return httpx.Response(200, json={"token": self.given[-1], "refreshToken": f"r{int(said[1:]) + 1}", **self.body})


class Desk:
    """A keeper with its target, and one session of the operator."""

    def __init__(self, **target: Any) -> None:
        self.clock = FakeClock()
        self.target = Target(self.clock, **target)
        self.gate = RecordingGate()
        self.wire = Wire(self.target, gate=self.gate, clock=self.clock)
        self.keeper = SessionKeeper(PROFILE, self.gate, self.clock, lambda identity: {"username": identity, "password": "p"})
        self.session = Session(self.wire.ctx, self.wire.http, "operator", self.keeper, None)

    async def ask(self) -> str:
        """Return what `/me` answers, or the reason why not."""
        try:
            return str((await self.session.call("me")).user)
        except ProbeException as exc:
            return f"{exc.outcome}: {exc.reason}"

    @property
    def counts(self) -> tuple[int, int]:
        """How many logins and refreshes there were."""
        return self.target.asked["login"], self.target.asked["refresh"]


async def test_many_checks_at_once_share_one_login() -> None:
    """Twenty concurrent calls take one login of the budget; another identity takes its own."""
    desk = Desk()
    assert await asyncio.gather(*(desk.ask() for _ in range(20))) == ["a@b"] * 20
    assert desk.counts == (1, 0)
    await Session(desk.wire.ctx, desk.wire.http, "viewer", desk.keeper, None).call("me")
    assert desk.gate.logins == ["operator", "viewer"]


# Refreshed 60 s ahead: a token of 900 s is good until its 840th second.
# A token of 100 s is refreshed a fifth of its life ahead: good until its 80th second.
@pytest.mark.parametrize(("life", "after", "refreshes"), [(900, 839, 0), (900, 841, 1), (100, 79, 0), (100, 81, 1)])
async def test_a_token_is_refreshed_ahead_of_its_end(life: float, after: float, refreshes: int) -> None:
    """Never later than needed, and a short-lived one not at once."""
    desk = Desk(life=life)
    await desk.ask()
    desk.clock.advance(after)
    assert await desk.ask() == "a@b"
    assert desk.counts == (1, refreshes)


async def test_a_token_without_an_end_is_kept() -> None:
    """A token that is no JWT is used until it is refused."""
    desk = Desk(body={"token": "opaque"})
    desk.target.given.append("opaque")
    await desk.ask()
    desk.clock.advance(1_000_000)
    assert await desk.ask() == "a@b"
    assert desk.counts == (1, 0)


@pytest.mark.parametrize("refusal", [401, 403])
async def test_a_token_that_ends_during_a_run_is_refreshed_once(refusal: int) -> None:
    """Some guards say 401 to a dead token, some 403; either way the call is made again with a new one."""
    desk = Desk(refusal=refusal)
    await desk.ask()
    desk.target.refused.add(desk.target.given[0])
    assert await desk.ask() == "a@b"
    assert desk.counts == (1, 1)
    assert desk.target.asked["me"] == 3


async def test_two_checks_with_the_same_dead_token_refresh_it_once() -> None:
    """The second finds that the first has done it."""
    desk = Desk()
    await desk.ask()
    desk.target.refused.add(desk.target.given[0])
    assert list(await asyncio.gather(desk.ask(), desk.ask())) == ["a@b", "a@b"]
    assert desk.counts == (1, 1)


async def test_a_second_refusal_is_the_targets_answer() -> None:
    """A target that refuses every token fails; it is asked twice and not for ever."""
    desk = Desk()
    await desk.ask()
    desk.target.given = [""]
    desk.target.body = {"token": "refused"}
    assert await desk.ask() == "failed: access_denied"
    assert desk.target.asked["me"] == 3


async def test_a_refreshed_token_that_is_refused_leads_to_a_login() -> None:
    """Refreshing that gives dead tokens does not lock a session out: the next attempt logs in."""
    desk = Desk()
    await desk.ask()
    desk.target.refused.add(desk.target.given[0])
    await desk.ask()
    desk.target.refused.add(desk.target.given[1])
    assert await desk.ask() == "a@b"
    assert desk.counts == (2, 1)


async def test_a_refresh_that_fails_leads_to_a_login() -> None:
    """The session goes on; the check of refreshing tells the rest."""
    desk = Desk(refresh=500)
    await desk.ask()
    desk.clock.advance(LIFE)
    assert await desk.ask() == "a@b"
    assert desk.counts == (2, 1)


async def test_without_a_login_other_checks_are_blocked() -> None:
    """Their path is unknown, not bad, and for five seconds nobody tries again; then it is tried and works."""
    desk = Desk(login=401)
    assert [await desk.ask() for _ in range(3)] == ["error: blocked"] * 3
    assert desk.counts == (1, 0)
    with pytest.raises(ProbeError, match=r"^could not be tried: no session for 'operator': a known-good account is refused"):
        await desk.session.call("me")
    desk.clock.advance(5)
    assert await desk.ask() == "error: blocked"
    assert desk.counts == (2, 0)
    desk.target.login = 200
    desk.clock.advance(5)
    assert await desk.ask() == "a@b"


async def test_a_login_that_the_budget_refuses_is_throttled() -> None:
    """It says so, and the account is not asked for."""
    desk = Desk()
    desk.gate.refuses_logins = ProbeError(Reason.THROTTLED, "none left")
    assert await desk.ask() == "error: throttled"
    assert desk.counts == (0, 0)


async def test_a_refusal_stands_where_no_login_is_left_to_disprove_it() -> None:
    """A door that is locked to everybody stays a failure when the logins are spent."""
    desk = Desk(refusal=403)
    await desk.ask()
    desk.target.refused.update(desk.target.given)
    desk.target.refresh = 500
    desk.gate.refuses_logins = ProbeError(Reason.THROTTLED, "none left")
    assert await desk.ask() == "failed: access_denied"


@pytest.mark.parametrize(
    ("status", "reason"), [(401, Reason.LOGIN_REJECTED), (403, Reason.LOGIN_REJECTED), (500, Reason.STATUS)]
)
async def test_logging_in_itself_fails_with_its_own_reason(status: int, reason: Reason) -> None:
    """A known-good account that is refused is an outage."""
    desk = Desk(login=status)
    with pytest.raises(ProbeFailed) as caught:
        await desk.keeper.log_in(desk.wire.ctx, desk.wire.http, "operator")
    assert caught.value.reason is reason


@pytest.mark.parametrize("wrong", [None, "", 7, {"jwt": "x"}])
async def test_an_answer_without_a_token_is_no_login(wrong: Any) -> None:
    """A token is a text that is not empty."""
    desk = Desk(body={"token": wrong})
    with pytest.raises(ProbeFailed, match="the answer holds no access token") as caught:
        await desk.keeper.log_in(desk.wire.ctx, desk.wire.http, "operator")
    assert caught.value.reason is Reason.TOKEN_INVALID


async def test_a_session_of_ones_own_is_not_shared() -> None:
    """What `sign_in` gets is used for its attempt alone; a 401 is final there, and it cannot be rotated."""
    desk = Desk()
    tokens = await desk.keeper.log_in(desk.wire.ctx, desk.wire.http, "operator")
    own = Session(desk.wire.ctx, desk.wire.http, "operator", None, tokens)
    assert (await own.call("me")).user == "a@b"
    assert await desk.ask() == "a@b"
    assert desk.counts == (2, 0)
    desk.target.refused.add(tokens.access)
    with pytest.raises(ProbeFailed):
        await own.call("me")
    with pytest.raises(ProbeError, match="only a shared session can be refreshed"):
        await own.rotate()


async def test_a_bearer_of_the_caller_is_used_as_it_is() -> None:
    """It is not replaced when it is refused, and costs no login."""
    desk = Desk()
    with pytest.raises(ProbeFailed):
        await desk.session.call("me", bearer="forged")
    assert desk.counts == (0, 0)
    assert desk.wire.sent[0].headers["authorization"] == "Bearer forged"


async def test_rotating_returns_the_tokens_before_and_after() -> None:
    """And the new one is kept for everybody."""
    desk = Desk()
    rotation = await desk.session.rotate()
    assert (rotation.old_refresh, rotation.new_refresh, rotation.access) == ("r1", "r2", desk.target.given[1])
    await desk.ask()
    assert desk.wire.sent[-1].headers["authorization"] == f"Bearer {desk.target.given[1]}"
    assert desk.counts == (1, 1)


async def test_a_rotation_that_fails_drops_the_session() -> None:
    """The failure is told, and the next attempt starts with a login instead of the same dead token."""
    desk = Desk(refresh=500)
    with pytest.raises(ProbeFailed) as caught:
        await desk.session.rotate()
    assert caught.value.reason is Reason.STATUS
    desk.target.refresh = 200
    await desk.session.rotate()
    assert desk.counts == (2, 2)


async def test_a_refresh_that_keeps_the_refresh_token_shows_it() -> None:
    """Where the answer has no new one, the old one still counts: the check of rotation sees both alike."""
    desk = Desk(body={"refreshToken": None})
    assert (await desk.keeper.refresh(desk.wire.http, "r7")).refresh == "r7"
    with pytest.raises(ProbeFailed, match="the login gave no refresh token"):
        await desk.session.rotate()


async def test_a_target_without_session_rules_has_no_sessions() -> None:
    """That is a mistake of the configuration."""
    desk = Desk()
    keeper = SessionKeeper(PROFILE.model_copy(update={"session": None}), desk.gate, desk.clock, dict)
    session = Session(desk.wire.ctx, desk.wire.http, "operator", keeper, None)
    with pytest.raises(ProbeError) as caught:
        await session.call("me")
    assert (caught.value.outcome, caught.value.reason) == (Outcome.ERROR, Reason.CONFIGURATION)
    with pytest.raises(ProbeError, match="no refresh operation"):
        await keeper.refresh(desk.wire.http, "r1")


@pytest.mark.parametrize("text", ["", "opaque", "a.b.c", "e30", "ZZ.ZZ", "é.é.é"])
def test_a_token_that_is_no_jwt_has_no_claims(text: str) -> None:
    """It is not an error: many targets give opaque tokens."""
    assert claims_of(text) == {}


def test_tokens_never_show_themselves() -> None:
    """They may end up in a log line."""
    assert repr(Tokens("aaa", "bbb", 1.0, 2.0)) == "Tokens(expires=2.0)"
    assert claims_of(token(3, 1.0, 2.0)) == {"iat": 1.0, "exp": 2.0, "n": 3}
