"""A session is renewed: the tokens rotate, the new one works, the old one is dead."""

from critpath import Context, ProbeFailed, Reason, check_that

_REFUSED = (400, 401, 403)


async def probe(ctx: Context) -> None:
    """Rotate a session that is kept for this check alone."""
    session = await ctx.session(ctx.params["identity"])
    async with ctx.step("refresh"):
        tokens = await session.rotate()
        check_that(
            tokens.new_refresh != tokens.old_refresh,  # compared here: what `check_that` compares, it shows
            otherwise="the refresh token did not rotate",
            reason=Reason.TOKEN_REUSABLE,
        )
    nobody = await ctx.stranger()
    async with ctx.step("old refresh token is refused"):
        answer = await nobody.call("refresh", refresh_token=tokens.old_refresh, expect=(200, *_REFUSED))
        check_that(
            answer.status,
            one_of=_REFUSED,
            otherwise="a refresh token that was already used still works",
            reason=Reason.TOKEN_REUSABLE,
        )
    async with ctx.step("new access token works"):
        answer = await nobody.call("me", bearer=tokens.access, expect=(200, *_REFUSED))
        if answer.status in _REFUSED:
            raise ProbeFailed(Reason.TOKEN_INVALID, f"the refreshed access token is refused with {answer.status}")
