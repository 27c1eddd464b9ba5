"""The doubles for authors of probes behave as the real tools do."""

from __future__ import annotations

from typing import Any

import pytest

from critpath import Canary, Context, Outcome, Page, ProbeError, ProbeFailed, Reason, Session, Toolbox, check_that
from critpath.testing import Call, FakeAnswer, FakeClock, FakePage, FakeTools, run_once


async def known_case(ctx: Context) -> None:
    """Find a case: the probe of the example."""
    api = await ctx.session("analyst")
    async with ctx.step("search"):
        found = await api.graphql("searchAll", q=ctx.fixture["case"])
        check_that(found.ids, contains=ctx.fixture["case_id"], otherwise="the known case is missing")


async def ask(answers: dict[Any, Any], **options: Any) -> Any:
    return await run_once(known_case, FakeTools(answers), fixture={"case": "x", "case_id": "case-7"}, **options)


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (FakeAnswer(ids=["case-7"]), Outcome.OK, Reason.NONE),
        (FakeAnswer(ids=["case-8"]), Outcome.FAILED, Reason.WRONG_ANSWER),
        (FakeAnswer(ids=["case-7"], errors=[{"message": "half of it"}]), Outcome.FAILED, Reason.API_ERRORS),
        (FakeAnswer(500), Outcome.FAILED, Reason.STATUS),
        (FakeAnswer(403), Outcome.FAILED, Reason.ACCESS_DENIED),
        (FakeAnswer(titles=[]), Outcome.ERROR, Reason.CONFIGURATION),
        (ProbeError(Reason.THROTTLED, "later"), Outcome.ERROR, Reason.THROTTLED),
        (lambda call: FakeAnswer(ids=[f"case-{len(call.variables) + 6}"]), Outcome.OK, Reason.NONE),
        ([FakeAnswer(ids=["case-7"]), FakeAnswer(500)], Outcome.OK, Reason.NONE),
    ],
)
async def test_a_canned_answer_decides_the_attempt(answer: Any, outcome: Outcome, reason: Reason) -> None:
    """Answers, errors, functions and lists can be given for an operation."""
    result = await ask({"searchAll": answer})
    assert (result.outcome, result.reason) == (outcome, reason)


async def test_an_answer_can_be_for_one_identity() -> None:
    """It goes before the one for all."""
    result = await ask({"searchAll": FakeAnswer(500), ("analyst", "searchAll"): FakeAnswer(ids=["case-7"])})
    assert result.outcome is Outcome.OK


async def test_an_operation_without_an_answer_is_a_mistake_of_the_test() -> None:
    """It says which one."""
    result = await ask({})
    assert (result.outcome, result.reason) == (Outcome.ERROR, Reason.CONFIGURATION)
    assert "'searchAll'" in result.message


async def test_lists_of_answers_end_with_their_last() -> None:
    """The last one is for all that follow, and every call is kept."""
    tools = FakeTools({"poll": [FakeAnswer(state="queued"), FakeAnswer(state="done")]})

    async def polls(ctx: Context) -> None:
        session = await ctx.stranger()
        assert [(await session.call("poll", n=n)).state for n in range(3)] == ["queued", "done", "done"]

    result = await run_once(polls, tools)
    assert result.message == ""
    assert [(call.identity, call.variables) for call in tools.calls] == [("anonymous", {"n": n}) for n in range(3)]
    assert result.correlation_id == tools.calls[-1].correlation_id
    assert len({call.correlation_id for call in tools.calls}) == 3


async def test_sleeping_beyond_the_deadline_is_a_timeout() -> None:
    """On the fake clock, too, an attempt has its deadline."""

    async def sleeps(ctx: Context) -> None:
        await ctx.clock.sleep(11)

    result = await run_once(sleeps, clock=FakeClock(), deadline=10)
    assert (result.outcome, result.reason) == (Outcome.FAILED, Reason.TIMEOUT)


async def test_pages_canaries_notes_and_accounts_can_be_looked_at() -> None:
    """What a probe borrows has its double."""
    tools = FakeTools(shown=FakePage({"form"}), identities={"web": {"username": "w", "password": "p"}})

    async def borrows(ctx: Context) -> None:
        async with ctx.page() as page:
            await page.open("sign_in")
            await page.fill("username", ctx.credentials("web")["username"])
            await page.click("submit")
            await page.sees("form", otherwise="no form")
        canary = await ctx.canary("ingest")
        await canary.stored("id-1")
        await canary.gone()
        assert await ctx.recall() == {}
        await ctx.remember(sequence=7)
        assert (await (await ctx.session("web")).rotate()).access == "new-access"

    result = await run_once(borrows, tools)
    assert (result.outcome, result.message) == (Outcome.OK, "")
    assert tools.shown.done == ["open sign_in", "fill username", "click submit", "see form"]
    assert tools.shown.typed == {"username": "w"}
    assert [(c.remote_id, c.is_gone, c.nonce.isalpha()) for c in tools.canaries] == [("id-1", True, True)]
    assert tools.notes == {"sequence": 7}
    assert tools.closed


@pytest.mark.parametrize(
    ("tools", "outcome", "reason"),
    [
        (FakeTools(identities={}), Outcome.ERROR, Reason.CONFIGURATION),
        (FakeTools(sign_in_fails=ProbeFailed(Reason.LOGIN_REJECTED, "no")), Outcome.FAILED, Reason.LOGIN_REJECTED),
    ],
)
async def test_a_login_can_go_wrong(tools: FakeTools, outcome: Outcome, reason: Reason) -> None:
    """An identity that is not there is our mistake, a refused login the target's."""

    async def signs_in(ctx: Context) -> None:
        await ctx.sign_in("web")

    result = await run_once(signs_in, tools)
    assert (result.outcome, result.reason) == (outcome, reason)
    assert tools.sign_ins == ["web"]


async def test_the_doubles_fit_the_contract() -> None:
    """A type checker takes each for what it stands for."""
    tools = FakeTools({"me": FakeAnswer()})
    box: Toolbox = tools
    ctx = Context(check="c", path="p", deadline=1, tools=box)
    session: Session = await tools.session(ctx, "operator")
    canary: Canary = await tools.canary(ctx, "k")
    page: Page = tools.shown
    assert session.identity == "operator"
    assert canary.nonce
    assert page is tools.shown
    assert Call("a", "b", {}, None, None, "") == Call("a", "b", {}, None, None, "")
