"""The twin put together: four surfaces over one store."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from demo import audit, search, web
from demo.audit import Audit
from demo.auth import Auth
from demo.control import Control
from demo.edge import Edge
from demo.exchange import Exchange, Refusal, not_found
from demo.faults import Faults
from demo.graph import Graph
from demo.graphql import GraphQL
from demo.guards import Guards
from demo.ingestion import Ingestion
from demo.ledger import Ledger
from demo.ledger_surface import LedgerSurface
from demo.limits import Limits
from demo.maestro import Maestro
from demo.ops import Ops
from demo.requests import Requests
from demo.resolvers import executable_schema
from demo.search import Search
from demo.settings import Settings
from demo.store import Store
from demo.tokens import Tokens
from demo.wire import Wire

SURFACES = ("api", "web", "ledger", "control")
Handler = Callable[[Request, Exception], Awaitable[Response]]


class Twin:
    """Builds every part once; `surfaces` are the ASGI applications, `run` the work in the background."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.faults = Faults()
        self.wire = Wire(self.faults)
        self._store = Store(settings.data)
        self._limits = Limits(enabled=settings.limits)
        self._requests = Requests()
        tokens = Tokens(settings, self._store, self.faults)
        self._guards = Guards(settings, self.faults, tokens)
        self._ledger = Ledger(self._store, self.faults)
        self.audit = Audit(settings, self._store, self.faults, self._ledger, tokens)
        self._graph = Graph(self._store, self.faults)
        self._auth = Auth(self._store, self.faults, tokens, self._guards, self._limits)
        self.ingestion = Ingestion(settings, self._store, self.faults, self._graph, self._guards)
        self.surfaces = self._surfaces()

    def reset(self) -> None:
        """As if freshly started."""
        self.faults.clear()
        self.ingestion.clear()
        self.audit.clear()
        self._limits.clear()
        self._requests.clear()
        self._store.reset()

    def close(self) -> None:
        """Flush and close the store."""
        self.audit.flush()
        self._store.close()

    def _surfaces(self) -> dict[str, ASGIApp]:
        finder = Search(self._store, self.faults, self._graph)
        schema = executable_schema(self._graph, finder, self._auth)
        graphql = GraphQL(self.settings, self.faults, self._guards, schema)
        server: list[BaseRoute] = [
            *self._auth.routes(),
            *graphql.routes(),
            *search.routes(finder, self._guards),
            *self.ingestion.routes(),
            *audit.routes(self.audit, self._guards),
            *Maestro(self._store, self.faults, self._guards).routes(),
        ]
        control = Control(self.faults, self._graph, self.ingestion, self._requests, self.reset)
        return {
            "api": self._edged("api", [*server, *Ops(self.settings, self.faults, self._guards).routes()]),
            "web": self._edged("web", [*server, *web.routes(self.faults)]),
            "ledger": self._edged("ledger", LedgerSurface(self._ledger, self.faults).routes()),
            "control": _Plain(_application(control.routes(), self._missing)),
        }

    def _edged(self, surface: str, routes: Sequence[BaseRoute]) -> ASGIApp:
        return Edge(
            _application(routes, self._missing),
            surface,
            settings=self.settings,
            faults=self.faults,
            limits=self._limits,
            audit=self.audit,
            requests=self._requests,
            wire=self.wire,
        )

    async def _missing(self, request: Request, exc: Exception) -> Response:
        exchange = Exchange.of(request)
        if exchange.surface == "api" and exchange.path.startswith("/api/"):
            # Contract G.4: a blanket guard sits before everything unknown under /api.
            self._guards.ensure_authenticated(exchange)
        return not_found(exchange)


class _Plain:
    """The control surface: an exchange to read bodies from, and none of the rest."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = await Exchange.receive(scope, receive, "control")
        await self._app(scope, exchange.replay, send)


def _application(routes: Sequence[BaseRoute], missing: Handler) -> Starlette:
    async def refused(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, Refusal)
        return exc.response

    async def unmatched(request: Request, exc: Exception) -> Response:
        try:
            return await missing(request, exc)
        except Refusal as refusal:
            return refusal.response

    handlers: Mapping[Any, Handler] = {Refusal: refused, HTTPException: unmatched}
    return Starlette(routes=routes, exception_handlers=handlers)
