"""An analyst searches for a known case and finds it."""

from critpath import Context, check_that
from probes.investigation.truth import environment_is_ours


async def probe(ctx: Context) -> None:
    """The fixture's case is among the results of a search for its words."""
    api = await ctx.session(ctx.params["identity"])
    async with ctx.step("search"):
        found = await api.call(ctx.params.get("operation", "searchAll"), q=ctx.fixture["case"], limit=10)
        environment_is_ours(ctx, found)
        check_that(found.errors, equals=[], otherwise="the search answered in part only")
        check_that(
            found.ids or [], contains=ctx.fixture["case_id"], otherwise="the known case is missing from the results"
        )
