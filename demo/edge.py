"""What every request passes before its route, and what is done after it, in the contract's order."""

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.audit import Audit
from demo.exchange import Exchange, Refusal
from demo.faults import Faults
from demo.limits import Limiter, Limits, standard_headers
from demo.mangle import mangle
from demo.requests import Requests
from demo.settings import Settings
from demo.wire import Wire

SERVER_ROUTES = ("/auth/", "/api/", "/graphql")
SAFE_MODE_ROUTES = ("/api/ai", "/api/stream", "/api/webhooks")
TOO_MANY_PUBLIC = {"error": "Too many public requests from this IP, please try again later."}
TOO_MANY = {"error": "Too many requests, please try again later."}
BODY_LIMIT = 1_000_000


class Edge:
    """An ASGI layer around one surface."""

    def __init__(  # noqa: PLR0913
        self,
        app: ASGIApp,
        surface: str,
        *,
        settings: Settings,
        faults: Faults,
        limits: Limits,
        audit: Audit,
        requests: Requests,
        wire: Wire,
    ) -> None:
        self._app, self._surface = app, surface
        self._settings, self._faults, self._limits = settings, faults, limits
        self._audit, self._requests, self._wire = audit, requests, wire

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Disturb, refuse or answer; then record."""
        if scope["type"] != "http":
            return
        scope["twin.wire"] = self._wire
        exchange = await Exchange.receive(scope, receive, self._surface)
        if self._faults.at("latency-80", exchange.path):
            await self._faults.until_off("latency-80", self._faults.value("latency-80", "seconds"))

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                MutableHeaders(scope=message).update(exchange.answer_headers)
            await mangled(message)

        mangled = mangle(self._faults, exchange, lambda: self._wire.alive(scope), send)
        try:
            response = self._disturb(exchange) or self._gates(exchange)
        except Refusal as refusal:
            response = refusal.response
        try:
            await (response or self._app)(scope, exchange.replay, answer)
        finally:
            self._requests.note(exchange)
        if self._is_server(exchange) and exchange.status:
            self._audit.record(exchange)

    def _is_server(self, exchange: Exchange) -> bool:
        # The web host passes these on to the server; its own files know nothing of limits, tenants and audit.
        return self._surface == "api" or (self._surface == "web" and exchange.path.startswith(SERVER_ROUTES))

    def _disturb(self, exchange: Exchange) -> Response | None:
        if self._faults.on("throttled"):
            return JSONResponse(TOO_MANY_PUBLIC, 429, {"retry-after": "20"})
        if self._faults.at("blip-1", exchange.path):
            self._faults.switch_off("blip-1")
            return JSONResponse({"error": "Internal server error"}, 500)
        if self._faults.at("redirect-loop", exchange.path):
            return RedirectResponse(exchange.path, 307)
        return None

    def _gates(self, exchange: Exchange) -> Response | None:
        if not self._is_server(exchange):
            return None
        self._limit(self._limits.public, exchange, TOO_MANY_PUBLIC)
        self._safety(exchange)
        if exchange.path == "/graphql" or exchange.path.startswith("/api/"):
            self._tenant_context(exchange)
            self._limit(self._limits.authenticated, exchange, TOO_MANY)
        if len(exchange.body) > BODY_LIMIT:
            raise Refusal(413, {"error": "request entity too large"})
        return None

    def _limit(self, limiter: Limiter, exchange: Exchange, body: dict[str, str]) -> None:
        """Contract A.7: ahead of every route, health included."""
        if not self._limits.enabled:
            return
        standing = limiter.hit(exchange.ip)
        exchange.answer_headers |= standard_headers(standing)
        if not standing.allowed:
            raise Refusal(429, body, {"retry-after": str(standing.reset)})

    def _safety(self, exchange: Exchange) -> None:
        """Contract A.8: GraphQL counts as mutating by a match on its text."""
        mutating = exchange.mutating
        if exchange.path == "/graphql":
            mutating = b"mutation" in exchange.body or b"subscription" in exchange.body
        if mutating and self._faults.on("kill-switch"):
            raise Refusal(503, {"error": "Global kill switch is active", "code": "GLOBAL_KILL_SWITCH_ACTIVE"})
        if exchange.path.startswith(SAFE_MODE_ROUTES) and self._faults.on("safe-mode"):
            raise Refusal(503, {"error": "Safe mode is active", "code": "SAFE_MODE_ACTIVE"})

    def _tenant_context(self, exchange: Exchange) -> None:
        """Contract A.5: before authentication, so its refusals come first."""
        if not exchange.tenant:
            raise Refusal(400, {"error": "tenant_required"})
        other = exchange.headers.get("x-tenant")
        if other and other != exchange.tenant:
            raise Refusal(409, {"error": "tenant_context_error"})
        exchange.answer_headers |= {
            "x-tenant-id": exchange.tenant,
            "x-tenant-environment": self._environment(exchange.headers.get("x-tenant-environment")),
            "x-tenant-privilege-tier": exchange.headers.get("x-tenant-privilege-tier", "standard"),
        }
        if self._faults.on("tenant-kill-switch"):
            raise Refusal(423, {"error": "tenant_denied", "message": "Tenant kill switch is active"})

    def _environment(self, asked: str | None) -> str:
        """The caller's own header first: only silence makes the answer evidence."""
        if asked is None:
            return "staging" if self._faults.on("wrong-environment") else self._settings.mode
        named = {"prod": "prod", "stag": "staging"}
        return named.get(asked.lower()[:4], "dev")
