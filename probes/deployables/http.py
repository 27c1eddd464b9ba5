"""One operation of the profile, performed; right when its status and its declared fields are. The smallest probe."""

from critpath import Context, check_that


async def probe(ctx: Context) -> None:
    """Perform `operation`, as `identity` if one is given, and require every field named in `fields` to be as said."""
    identity = ctx.params.get("identity")
    session = await ctx.session(identity) if identity else await ctx.stranger()
    answer = await session.call(ctx.params["operation"])
    for field, value in ctx.params.get("fields", {}).items():
        check_that(getattr(answer, field), equals=value, otherwise=f"{ctx.params['operation']}: {field} is not as it should be")
