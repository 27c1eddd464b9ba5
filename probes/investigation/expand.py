"""An analyst expands a known entity and sees its known neighbour."""

from critpath import Context, check_that
from probes.investigation.truth import environment_is_ours, not_invented


async def probe(ctx: Context) -> None:
    """The known edge and the known neighbour are in the expansion, and every edge touches the entity expanded."""
    api = await ctx.session(ctx.params["identity"])
    seed = ctx.fixture["entity_id"]
    async with ctx.step("expand"):
        graph = await api.call(ctx.params.get("operation", "expandNeighbors"), entityId=seed, limit=25)
        environment_is_ours(ctx, graph)
        not_invented(ctx, graph.nodes or [])
        check_that(graph.edges, otherwise="the expansion has no edges: a stub, or the graph is away")
        check_that(
            graph.edges, contains=ctx.fixture["edge_id"], otherwise="the known edge is missing from the expansion"
        )
        check_that(
            graph.nodes or [],
            contains=ctx.fixture["neighbour_id"],
            otherwise="the known neighbour is missing from the expansion",
        )
        strangers = [ends for ends in graph.ends or [] if seed not in ends]
        check_that(strangers, equals=[], otherwise="the expansion holds edges of another entity")
