"""A known-good account logs in, and the token it gets is accepted."""

from critpath import Context, Reason, check_that


async def probe(ctx: Context) -> None:
    """Log in anew and use the token. A 401 for this account is an outage: the target says it even without a database."""
    identity = ctx.params["identity"]
    username = ctx.credentials(identity)["username"]
    async with ctx.step("login"):
        session = await ctx.sign_in(identity)
    async with ctx.step("use the token"):
        who = await session.call("verify_token")
        check_that(
            who.user, equals=username, otherwise="the new token belongs to somebody else", reason=Reason.TOKEN_INVALID
        )
        check_that(who.role, otherwise="the new token carries no role", reason=Reason.TOKEN_INVALID)
