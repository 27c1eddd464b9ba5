"""Health (Contract G.1) and the protected route of the permission check (Contract A.4)."""

import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.exchange import Exchange
from demo.faults import Faults
from demo.guards import Guards
from demo.settings import Settings
from demo.store import iso, now_ms

ENVIRONMENTS = {"prod": "production", "dev": "development"}


class Ops:
    """Health says what it knows; `/health` itself looks at nothing."""

    def __init__(self, settings: Settings, faults: Faults, guards: Guards) -> None:
        self._settings, self._faults, self._guards = settings, faults, guards
        self._started = time.monotonic()

    def routes(self) -> list[Route]:
        """All of them are behind the public limiter."""
        return [
            Route("/health", self.health),
            Route("/health/detailed", self.detailed),
            Route("/health/ready", self.ready),
            Route("/health/live", self.live),
            Route("/health/deployment", self.deployment),
            Route("/release-readiness/summary", self.summary),
        ]

    async def health(self, request: Request) -> Response:
        """GET /health: always 200."""
        named = "staging" if self._faults.on("wrong-environment") else ENVIRONMENTS[self._settings.mode]
        uptime = round(time.monotonic() - self._started, 3)
        return JSONResponse({"status": "ok", "timestamp": iso(now_ms()), "uptime": uptime, "environment": named})

    async def detailed(self, request: Request) -> Response:
        """GET /health/detailed."""
        services = {
            "neo4j": "unhealthy" if self._graph_down() else "healthy",
            "postgres": "healthy",
            "redis": "healthy",
        }
        status = "degraded" if self._graph_down() else "ok"
        return JSONResponse({"status": status, "services": services}, 503 if self._graph_down() else 200)

    async def ready(self, request: Request) -> Response:
        """GET /health/ready: the graph database and Postgres, not Redis."""
        if self._graph_down():
            return JSONResponse({"status": "not ready", "failures": ["Neo4j: connection refused"]}, 503)
        return JSONResponse({"status": "ready"})

    async def live(self, request: Request) -> Response:
        """GET /health/live."""
        return JSONResponse({"status": "alive"})

    async def deployment(self, request: Request) -> Response:
        """GET /health/deployment: hard-coded, as in the source."""
        return JSONResponse({"status": "ok", "migrations": True, "configuration": True})

    async def summary(self, request: Request) -> Response:
        """GET /release-readiness/summary: ADMIN or OPERATOR."""
        self._guards.ensure_role(Exchange.of(request), "ADMIN", "OPERATOR")
        return JSONResponse({"generatedAt": iso(now_ms()), "status": "ready", "checks": {"total": 4, "passed": 4}})

    def _graph_down(self) -> bool:
        return self._faults.on("health-lies") or self._faults.on("graph-mock-fallback")
