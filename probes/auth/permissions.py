"""The doors: one opens for whom it should, one stays shut for a lesser role, and for nobody at all."""

from critpath import Context, ProbeFailed, Reason

_UNAUTHENTICATED, _FORBIDDEN = 401, 403


async def probe(ctx: Context) -> None:
    """Ask the guarded operation as the allowed role, as the denied one, and without a token."""
    operation = ctx.params["operation"]
    allowed, denied = await ctx.session(ctx.params["allowed_identity"]), await ctx.session(ctx.params["denied_identity"])
    async with ctx.step("allowed"):
        await allowed.call(operation)
    async with ctx.step("denied"):
        answer = await denied.call(operation, expect=(200, _FORBIDDEN))
        if answer.status != _FORBIDDEN:
            raise ProbeFailed(
                Reason.ACCESS_OPEN, f"{operation} is open to the role of {denied.identity!r}: {answer.status}, not 403"
            )
    nobody = await ctx.stranger()
    async with ctx.step("no token"):
        answer = await nobody.call(operation, expect=(200, _UNAUTHENTICATED, _FORBIDDEN))
        if answer.status != _UNAUTHENTICATED:
            raise ProbeFailed(Reason.ACCESS_OPEN, f"{operation} without a token answers {answer.status}, not 401")
