"""The Maestro Orchestrator (Contract E)."""

import uuid
from sqlite3 import Row
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.exchange import Exchange, Refusal
from demo.faults import Faults
from demo.guards import Guards
from demo.store import Store, iso, now_ms
from demo.web import index_page

STEPS = ("plan", "answer")
COST_FREE = {"totalCostUSD": 0, "totalInputTokens": 0, "totalOutputTokens": 0}


class Maestro:
    """Runs are over when POST answers: the language model is a stub, as in the source."""

    def __init__(self, store: Store, faults: Faults, guards: Guards) -> None:
        self._store, self._faults, self._guards = store, faults, guards

    def routes(self) -> list[Route]:
        """Create, read, tasks."""
        return [
            Route("/api/maestro/runs", self.create, methods=["POST"]),
            Route("/api/maestro/runs/{run_id}", self.read),
            Route("/api/maestro/runs/{run_id}/tasks", self.tasks),
        ]

    async def create(self, request: Request) -> Response:
        """POST runs."""
        exchange = self._enter(request)
        if exchange is None:
            return index_page(404)
        body = exchange.json()
        if not body.get("userId") or not body.get("requestText"):
            return JSONResponse({"error": "Missing userId or requestText"}, 400)
        run_id = str(uuid.uuid4())
        self._store.run(
            "INSERT INTO maestro_runs VALUES (?, ?, ?, ?, ?, ?)",
            run_id, exchange.tenant, str(body["userId"]), str(body["requestText"]), now_ms(),
            self._faults.on("maestro-stuck"),
        )  # fmt: skip
        row = self._row(exchange, run_id)
        tasks = self._tasks(row)
        results = [{"taskId": task["id"], "output": "ok"} for task in tasks if task["status"] == "succeeded"]
        run = self._run(row)
        return JSONResponse({"run": run, "tasks": tasks, "results": results, "costSummary": COST_FREE})

    async def read(self, request: Request) -> Response:
        """GET a run; 404 `{"error": "Run not found"}`, to the letter."""
        exchange = self._enter(request)
        if exchange is None:
            return index_page(404)
        return JSONResponse(self._run(self._row(exchange, request.path_params["run_id"])))

    async def tasks(self, request: Request) -> Response:
        """GET a run's tasks."""
        exchange = self._enter(request)
        if exchange is None:
            return index_page(404)
        return JSONResponse(self._tasks(self._row(exchange, request.path_params["run_id"])))

    def _enter(self, request: Request) -> Exchange | None:
        if self._faults.on("maestro-html-404"):
            return None
        exchange = Exchange.of(request)
        self._guards.ensure_authenticated(exchange)
        return exchange

    def _row(self, exchange: Exchange, run_id: str) -> Row:
        row = self._store.one("SELECT * FROM maestro_runs WHERE id = ? AND tenant_id = ?", run_id, exchange.tenant)
        if row is None:
            raise Refusal(404, {"error": "Run not found"})
        return row

    def _status(self, row: Row) -> str:
        return "running" if row["stuck"] and self._faults.on("maestro-stuck") else "succeeded"

    def _run(self, row: Row) -> dict[str, Any]:
        return {
            "id": row["id"],
            "user": {"id": row["user_id"]},
            "createdAt": iso(row["created_at"]),
            "requestText": row["request_text"],
            "status": self._status(row),
        }

    def _tasks(self, row: Row) -> list[dict[str, Any]]:
        status = self._status(row)
        return [{"id": f"{row['id']}-{step}", "status": status, "description": step} for step in STEPS]
