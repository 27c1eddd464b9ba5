"""searchAll (Contract B.3), by GraphQL and by POST /api/v1/search/retrieve."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.exchange import Exchange
from demo.faults import Faults
from demo.graph import Graph
from demo.guards import Guards
from demo.store import Store, iso

MOST = 100


class SearchBroken(Exception):
    """The search gave nothing but an error."""


class SearchHung(Exception):
    """The search will never answer."""


class Search:
    """Keyword search over the cases of a tenant."""

    def __init__(self, store: Store, faults: Faults, graph: Graph) -> None:
        self._store, self._faults, self._graph = store, faults, graph

    async def all(self, tenant: str, q: str, limit: int = MOST) -> dict[str, Any]:
        """`{results, graph}`. A failing graph expansion is swallowed: `graph` is empty then, and that is success."""
        if self._faults.on("search-hang"):
            await self._faults.until_off("search-hang")
            raise SearchHung
        if self._faults.on("search-slow"):
            await self._faults.until_off("search-slow", self._faults.value("search-slow", "seconds"))
        if self._faults.on("search-errors-200"):
            raise SearchBroken
        rows = [] if self._faults.on("search-empty") else self._matching(tenant, q, limit)
        results = [
            {"id": row["id"], "title": row["title"], "status": row["status"], "created_at": iso(row["created_at"])}
            for row in rows
        ]
        graph = [{"id": row["id"], "iocs": json.loads(row["iocs"])} for row in rows]
        if self.partial:
            results = results[: len(results) // 2]
        return {"results": results, "graph": [] if self._graph.down or self.partial else graph}

    @property
    def partial(self) -> bool:
        """Whether half of the answer is missing just now."""
        return self._faults.on("search-partial")

    def _matching(self, tenant: str, q: str, limit: int) -> list[Any]:
        return list(
            self._store.all(
                "SELECT * FROM cases WHERE tenant_id = ? AND (instr(lower(title), lower(?)) OR instr(id, lower(?)))"
                " ORDER BY created_at, id LIMIT ?",
                tenant, q, q, max(0, min(limit, MOST)),
            )
        )  # fmt: skip


def routes(search: Search, guards: Guards) -> list[Route]:
    """The mounted HTTP search route."""

    async def retrieve(request: Request) -> Response:
        exchange = Exchange.of(request)
        guards.ensure_authenticated(exchange)
        body = exchange.json()
        if not isinstance(body.get("query"), str) or not body["query"]:
            return JSONResponse({"error": "Query is required"}, 400)
        errors = [{"message": "Internal server error"}]
        try:
            found = await search.all(exchange.tenant or "", body["query"], int(body.get("topK") or MOST))
        except SearchBroken:
            return JSONResponse({"errors": errors})
        return JSONResponse({**found, "errors": errors} if search.partial else found)

    return [Route("/api/v1/search/retrieve", retrieve, methods=["POST"])]
