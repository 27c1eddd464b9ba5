"""The probes of auth: green when all is right, and red for each thing that can be wrong."""

from __future__ import annotations

from typing import Any

import pytest

from critpath import Outcome, ProbeError, ProbeFailed, Reason, Result, Rotation
from critpath.testing import FakeAnswer, FakePage, FakeTools, run_once
from probes.auth import login, permissions, refresh, sign_in_page
from probes.deployables import http

ME = "operator@example.org"
FAILED, ERROR = Outcome.FAILED, Outcome.ERROR


def told(result: Result) -> tuple[Outcome, Reason, str]:
    return result.outcome, result.reason, result.failing_step


async def logs_in(who: FakeAnswer, **tools: Any) -> Result:
    return await run_once(login.probe, FakeTools({"verify_token": who}, **tools), params={"identity": "operator"})


async def test_a_login_whose_token_is_accepted_is_good() -> None:
    """One login, made anew, and one use of the token."""
    tools = FakeTools({"verify_token": FakeAnswer(user=ME, role="OPERATOR")})
    result = await run_once(login.probe, tools, params={"identity": "operator"})
    assert result.outcome is Outcome.OK
    assert [step.name for step in result.steps] == ["login", "use the token"]
    assert tools.sign_ins == ["operator"]


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        (FakeAnswer(user="somebody@example.org", role="OPERATOR"), Reason.TOKEN_INVALID),
        (FakeAnswer(user=None, role="OPERATOR"), Reason.TOKEN_INVALID),
        (FakeAnswer(user=ME, role=None), Reason.TOKEN_INVALID),
        (FakeAnswer(user=ME, role=""), Reason.TOKEN_INVALID),
        (FakeAnswer(401), Reason.ACCESS_DENIED),
        (FakeAnswer(500), Reason.STATUS),
    ],
)
async def test_a_login_whose_token_is_not_right_is_red(who: FakeAnswer, reason: Reason) -> None:
    """Another's token, one without a role, one that is not accepted."""
    assert told(await logs_in(who)) == (FAILED, reason, "use the token")


@pytest.mark.parametrize("reason", [Reason.LOGIN_REJECTED, Reason.TIMEOUT, Reason.STATUS])
async def test_a_login_that_fails_is_red(reason: Reason) -> None:
    """With the reason of the login."""
    failure = ProbeFailed(reason, "refused")
    assert told(await logs_in(FakeAnswer(), sign_in_fails=failure)) == (FAILED, reason, "login")


REFRESHED: dict[Any, Any] = {"refresh": FakeAnswer(401), "me": FakeAnswer(user=ME)}


async def refreshes(rotation: Rotation | Exception | None = None, **answers: FakeAnswer) -> Result:
    canned: dict[Any, Any] = {**REFRESHED, **answers}
    tools = FakeTools(canned, rotation=rotation) if rotation else FakeTools(canned)
    return await run_once(refresh.probe, tools, params={"identity": "refresher"})


async def test_a_refresh_that_rotates_is_good() -> None:
    """The old refresh token is refused, the new access token is used."""
    tools = FakeTools(REFRESHED)
    result = await run_once(refresh.probe, tools, params={"identity": "refresher"})
    assert (result.outcome, result.message) == (Outcome.OK, "")
    assert [(c.identity, c.operation, c.bearer, c.variables) for c in tools.calls] == [
        ("anonymous", "refresh", None, {"refresh_token": "old-refresh"}),
        ("anonymous", "me", "new-access", {}),
    ]


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_an_old_refresh_token_may_be_refused_in_several_ways(status: int) -> None:
    """Each of them is right."""
    assert (await refreshes(refresh=FakeAnswer(status))).outcome is Outcome.OK


async def test_what_is_wrong_with_refreshing_is_named() -> None:
    """It fails, does not rotate, leaves the old one alive, or gives a dead token."""
    same = Rotation("new-access", "one", "one")
    broken = ProbeFailed(Reason.STATUS, "500")
    assert told(await refreshes(broken)) == (FAILED, Reason.STATUS, "refresh")
    assert told(await refreshes(same)) == (FAILED, Reason.TOKEN_REUSABLE, "refresh")
    assert told(await refreshes(refresh=FakeAnswer(200))) == (FAILED, Reason.TOKEN_REUSABLE, "old refresh token is refused")
    assert told(await refreshes(me=FakeAnswer(401))) == (FAILED, Reason.TOKEN_INVALID, "new access token works")
    assert told(await refreshes(me=FakeAnswer(500))) == (FAILED, Reason.STATUS, "new access token works")
    assert told(await refreshes(ProbeError(Reason.BLOCKED, "x"))) == (ERROR, Reason.BLOCKED, "refresh")


async def test_no_message_shows_a_token() -> None:
    """Where a refresh token did not rotate, the page does not say which."""
    result = await refreshes(Rotation("a-secret-access", "a-secret-refresh", "a-secret-refresh"))
    assert "a-secret" not in result.message


DOORS: dict[Any, Any] = {
    ("operator", "guarded"): FakeAnswer(200),
    ("viewer", "guarded"): FakeAnswer(403),
    ("anonymous", "guarded"): FakeAnswer(401),
}


async def knocks(**statuses: int) -> Result:
    answers = {**DOORS, **{(who, "guarded"): FakeAnswer(status) for who, status in statuses.items()}}
    params = {"operation": "guarded", "allowed_identity": "operator", "denied_identity": "viewer"}
    return await run_once(permissions.probe, FakeTools(answers), params=params)


async def test_doors_that_open_and_stay_shut_as_they_should_are_good() -> None:
    """All three were tried."""
    result = await knocks()
    assert result.outcome is Outcome.OK
    assert [step.name for step in result.steps] == ["allowed", "denied", "no token"]


@pytest.mark.parametrize(
    ("who", "status", "reason", "step"),
    [
        ("operator", 403, Reason.ACCESS_DENIED, "allowed"),
        ("operator", 401, Reason.ACCESS_DENIED, "allowed"),
        ("operator", 500, Reason.STATUS, "allowed"),
        ("viewer", 200, Reason.ACCESS_OPEN, "denied"),
        ("viewer", 500, Reason.STATUS, "denied"),
        ("anonymous", 200, Reason.ACCESS_OPEN, "no token"),
        ("anonymous", 500, Reason.STATUS, "no token"),
    ],
)
async def test_a_door_that_is_wrong_is_red(who: str, status: int, reason: Reason, step: str) -> None:
    """Locked to the right one, or open to the wrong one."""
    assert told(await knocks(**{who: status})) == (FAILED, reason, step)


async def signs_in(page: FakePage) -> Result:
    return await run_once(sign_in_page.probe, FakeTools(shown=page), params={"identity": "operator"})


async def test_signing_in_through_the_page_is_good() -> None:
    """The form is filled with the account, and what only a signed-in page shows is seen."""
    page = FakePage({"sign_in_page", "signed_in"})
    assert (await signs_in(page)).outcome is Outcome.OK
    assert page.typed == {"username": ME, "password": "password of operator"}


@pytest.mark.parametrize(
    ("page", "outcome", "reason", "step"),
    [
        (FakePage({"signed_in"}), FAILED, Reason.PAGE_BROKEN, "open"),
        (FakePage({"sign_in_page"}), FAILED, Reason.PAGE_BROKEN, "sign in"),
        (FakePage(broken={"open sign_in": ProbeFailed(Reason.STATUS, "404")}), FAILED, Reason.STATUS, "open"),
        (
            FakePage({"sign_in_page"}, {"fill username": ProbeFailed(Reason.PAGE_BROKEN, "x")}),
            FAILED,
            Reason.PAGE_BROKEN,
            "fill",
        ),
        (FakePage({"sign_in_page"}, {"click submit": ProbeError(Reason.BROWSER, "gone")}), ERROR, Reason.BROWSER, "sign in"),
    ],
)
async def test_a_page_that_is_broken_is_red(page: FakePage, outcome: Outcome, reason: Reason, step: str) -> None:
    """It renders nothing, does nothing, is not there; a dead browser is our own fault."""
    assert told(await signs_in(page)) == (outcome, reason, step)


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (FakeAnswer(state="up"), Outcome.OK, Reason.NONE),
        (FakeAnswer(state="down"), FAILED, Reason.WRONG_ANSWER),
        (FakeAnswer(503), FAILED, Reason.STATUS),
        (FakeAnswer(), ERROR, Reason.CONFIGURATION),
    ],
)
@pytest.mark.parametrize("identity", [None, "operator"])
async def test_one_operation_is_right_when_its_fields_are(
    answer: FakeAnswer, outcome: Outcome, reason: Reason, identity: str | None
) -> None:
    """As somebody, or as nobody."""
    tools = FakeTools({"health": answer})
    params = {"operation": "health", "fields": {"state": "up"}} | ({"identity": identity} if identity else {})
    result = await run_once(http.probe, tools, params=params)
    assert (result.outcome, result.reason) == (outcome, reason)
    assert tools.calls[0].identity == (identity or "anonymous")
