"""The other side of the twin: its switches, and what a test may look at. No contract speaks of it."""

import time
from collections import deque
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.exchange import Exchange
from demo.faults import SWITCHES, Faults, Switch, UnknownParameter, UnknownSwitch
from demo.graph import Graph
from demo.ingestion import Ingestion
from demo.requests import Requests


class Control:
    """Routes without authentication; the server binds them to loopback."""

    def __init__(self, faults: Faults, graph: Graph, ingestion: Ingestion, requests: Requests, reset: Any) -> None:
        self._faults, self._graph, self._ingestion, self._requests = faults, graph, ingestion, requests
        self._reset = reset
        self._pages: deque[Any] = deque(maxlen=1000)

    def routes(self) -> list[Route]:
        """Everything under /__twin__."""
        return [
            Route("/__twin__/faults", self.faults, methods=["GET", "DELETE"]),
            Route("/__twin__/faults/{name}", self.fault, methods=["GET", "PUT", "DELETE"]),
            Route("/__twin__/canaries", self.canaries),
            Route("/__twin__/stages", self.stages),
            Route("/__twin__/requests", self.requests),
            Route("/__twin__/pager", self.pager, methods=["GET", "POST", "DELETE"]),
            Route("/__twin__/reset", self.reset, methods=["POST"]),
            Route("/health", self.health),
        ]

    async def faults(self, request: Request) -> Response:
        """GET every switch; DELETE switches all of them off."""
        if request.method == "DELETE":
            self._faults.clear()
        return JSONResponse([self._shown(switch) for switch in SWITCHES])

    async def fault(self, request: Request) -> Response:
        """PUT switches on, with a JSON object of parameters; DELETE switches off; GET shows."""
        name = request.path_params["name"]
        try:
            if request.method == "PUT":
                switch = self._faults.switch_on(name, Exchange.of(request).json())
            elif request.method == "DELETE":
                switch = self._faults.switch_off(name)
            else:
                switch = next((each for each in SWITCHES if each.name == name), None) or _unknown(name)
        except UnknownSwitch as exc:
            return JSONResponse({"error": str(exc), "near": exc.near}, 404)
        except UnknownParameter as exc:
            return JSONResponse({"error": str(exc)}, 400)
        return JSONResponse(self._shown(switch))

    async def canaries(self, request: Request) -> Response:
        """GET the entities whose properties contain `prefix`, deleted or not."""
        return JSONResponse(self._graph.canaries(request.query_params.get("prefix", "")))

    async def stages(self, request: Request) -> Response:
        """GET when the records containing `nonce` passed each stage, epoch milliseconds."""
        return JSONResponse(self._ingestion.stages(request.query_params.get("nonce", "")))

    async def requests(self, request: Request) -> Response:
        """GET the last requests, oldest first."""
        return JSONResponse(self._requests.list())

    async def pager(self, request: Request) -> Response:
        """POST: the on-call engineer's telephone rings. GET what came so far, DELETE it."""
        if request.method == "POST":
            self._pages.append({"received_ms": time.time_ns() // 1_000_000, "message": Exchange.of(request).json()})
        elif request.method == "DELETE":
            self._pages.clear()
        return JSONResponse(list(self._pages))

    async def reset(self, request: Request) -> Response:
        """POST: every switch off, every record as seeded."""
        self._reset()
        return JSONResponse({"status": "reset"})

    async def health(self, request: Request) -> Response:
        """GET: the twin is up."""
        return JSONResponse({"status": "ok"})

    def _shown(self, switch: Switch) -> dict[str, Any]:
        on = self._faults.on(switch.name)
        return {
            "name": switch.name,
            "line": switch.line,
            "kind": switch.kind,
            "path": switch.path,
            "on": on,
            "parameters": {name: self._faults.value(switch.name, name) for name in switch.parameters},
        }


def _unknown(name: str) -> Switch:
    raise UnknownSwitch(name)
