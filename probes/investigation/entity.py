"""An analyst opens a known entity and sees what is known of it."""

from critpath import Context, ProbeFailed, Reason, check_that
from probes.investigation.truth import environment_is_ours, not_invented


async def probe(ctx: Context) -> None:
    """
    The fixture's entity comes back as it is, at the version that is known.

    Where it does not, one more question tells why: a target whose database is away lists its built-in mock records.
    """
    api = await ctx.session(ctx.params["identity"])
    wanted = ctx.fixture["entity_id"]
    async with ctx.step("entity"):
        found = await api.call(ctx.params.get("operation", "entity"), id=wanted)
        environment_is_ours(ctx, found)
        not_invented(ctx, [found.id])
        if found.id is None and "list_operation" in ctx.params:
            listed = await api.call(ctx.params["list_operation"], q="", limit=5)
            not_invented(ctx, listed.ids or [])
        if found.id is None:
            raise ProbeFailed(Reason.MISSING, f"the known entity {wanted!r} is not there")
        check_that(found.id, equals=wanted, otherwise="another entity came back")
        check_that(found.name, equals=ctx.fixture["entity_name"], otherwise="the known entity has another name")
        if "entity_version" in ctx.fixture:
            version = (found.props or {}).get("version")
            check_that(version, equals=ctx.fixture["entity_version"], otherwise="the known entity is stale")
