"""The fields of `schema.graphql` (Contract B.2 to B.5)."""

from typing import Any, TypeAlias

from ariadne import MutationType, QueryType, ScalarType, load_schema_from_path, make_executable_schema
from graphql import GraphQLResolveInfo, GraphQLSchema

from demo.auth import Auth
from demo.exchange import Exchange
from demo.graph import Graph
from demo.search import MOST, Search
from demo.store import HERE

Fields = dict[str, Any]
Info: TypeAlias = "GraphQLResolveInfo[dict[str, Exchange]]"


def executable_schema(graph: Graph, search: Search, auth: Auth) -> GraphQLSchema:
    """Schema first: the SDL file with these resolvers."""
    sdl = load_schema_from_path(str(HERE / "schema.graphql"))
    return make_executable_schema(sdl, _queries(graph, search, auth), _mutations(graph, auth), ScalarType("JSON"))


def _queries(graph: Graph, search: Search, auth: Auth) -> QueryType:
    query = QueryType()

    @query.field("entity")
    def entity(_: Any, info: Info, id: str) -> Fields | None:
        return graph.entity(_tenant(info), id)

    @query.field("entities")
    def entities(
        _: Any, info: Info, limit: int, offset: int, type: str | None = None, q: str | None = None
    ) -> list[Fields]:
        return graph.entities(_tenant(info), type, q, limit, offset)

    @query.field("relationships")
    def relationships(_: Any, info: Info, **ends: str | None) -> list[Fields]:
        return graph.relationships(_tenant(info), ends.get("from"), ends.get("to"), ends.get("type"))

    @query.field("me")
    def me(_: Any, info: Info) -> Fields | None:
        user = _exchange(info).user
        return auth.profile(user.id) or None if user else None

    @query.field("searchAll")
    async def search_all(_: Any, info: Info, q: str, limit: int | None = None) -> Fields:
        found = await search.all(_tenant(info), q, MOST if limit is None else limit)
        cases = [{**case, "createdAt": case["created_at"]} for case in found["results"]]
        return {"results": cases, "graph": found["graph"]}

    return query


def _mutations(graph: Graph, auth: Auth) -> MutationType:
    mutation = MutationType()

    @mutation.field("login")
    def login(_: Any, info: Info, email: str, password: str) -> Fields:
        answer = auth.sign_in(_exchange(info), email, password)
        return {"success": True, **answer} if answer else {"success": False, "message": "Invalid credentials"}

    @mutation.field("createEntity")
    def create_entity(_: Any, info: Info, input: Fields) -> Fields:
        return graph.create(_tenant(info), input["type"], input.get("props") or {})

    @mutation.field("deleteEntity")
    def delete_entity(_: Any, info: Info, id: str) -> bool:
        return graph.delete(_tenant(info), id)

    @mutation.field("createRelationship")
    def create_relationship(_: Any, info: Info, input: Fields) -> Fields:
        return graph.link(_tenant(info), input)

    @mutation.field("deleteRelationship")
    def delete_relationship(_: Any, info: Info, id: str) -> bool:
        return graph.unlink(_tenant(info), id)

    @mutation.field("expandNeighbors")
    def expand_neighbors(_: Any, info: Info, entityId: str, limit: int | None = None) -> Fields:
        return graph.expand(_tenant(info), entityId, 50 if limit is None else limit)

    return mutation


def _exchange(info: Info) -> Exchange:
    return info.context["exchange"]


def _tenant(info: Info) -> str:
    # The header counts, not the user's tenant: contract 10.10.
    return _exchange(info).tenant or ""
