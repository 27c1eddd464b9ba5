"""Source to ingest to database: a queue and its workers (Contract C3)."""

import asyncio
import json
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.exchange import Exchange, Refusal
from demo.faults import Faults
from demo.graph import Graph
from demo.guards import Guards
from demo.settings import Settings
from demo.store import Store, iso, now_ms
from demo.wire import Reset

WORKERS = 8
KEPT_MS = 30_000
INGEST_5S = 5.0
NEVER_CORRUPTED = ("name", "nonce", "id")
JOB_NOT_FOUND = {"error": "Job not found"}


class Ingestion:
    """Accepts jobs, works them off, forgets them."""

    def __init__(self, settings: Settings, store: Store, faults: Faults, graph: Graph, guards: Guards) -> None:
        self._store, self._faults, self._graph, self._guards = store, faults, graph, guards
        self._seconds = settings.ingest_seconds
        self._queue: asyncio.Queue[int] = asyncio.Queue()
        self._stuck: list[int] = []
        faults.watch(self._switched)
        for job in store.all("SELECT id FROM ingest_jobs WHERE state IN ('waiting', 'active') ORDER BY id"):
            self._queue.put_nowait(job["id"])

    def routes(self) -> list[Route]:
        """Start and status."""
        return [
            Route("/api/ingestion/start", self.start, methods=["POST"]),
            Route("/api/ingestion/status/{job_id}", self.status),
        ]

    async def start(self, request: Request) -> Response:
        """POST start: 202, and that says nothing about what becomes of the records."""
        exchange = Exchange.of(request)
        self._guards.ensure_authenticated(exchange)
        if self._faults.on("ingest-refused"):
            return Reset()
        if self._faults.on("ingest-500"):
            return JSONResponse({"error": "Failed to start ingestion"}, 500)
        pipeline, records = _wanted(exchange.json())
        job_id = self._accept(exchange.tenant or "", pipeline, records)
        if self._faults.on("ingest-lost"):
            self._forget(job_id)
        elif self._faults.on("ingest-canned"):
            self._finish(job_id)
        elif self._faults.on("ingest-stuck"):
            self._stuck.append(job_id)
        else:
            self._queue.put_nowait(job_id)
        return JSONResponse({"jobId": str(job_id), "status": "queued"}, 202)

    async def status(self, request: Request) -> Response:
        """GET status: a job is forgotten 30 s after success, and then 404 as if it never was."""
        exchange = Exchange.of(request)
        self._guards.ensure_authenticated(exchange)
        job_id = request.path_params["job_id"]
        job = self._store.one("SELECT * FROM ingest_jobs WHERE id = ? AND tenant_id = ?", job_id, exchange.tenant)
        if job is None or (job["state"] == "completed" and self._expired(job["finished_at"])):
            return JSONResponse(JOB_NOT_FOUND, 404)
        count = self._store.all("SELECT 1 FROM ingest_records WHERE job_id = ?", job["id"])
        return JSONResponse(
            {
                "id": str(job["id"]),
                "state": job["state"],
                "progress": job["progress"],
                "result": {"processed": len(count)} if job["state"] == "completed" else None,
                "failedReason": job["failed_reason"],
                "timestamp": iso(job["accepted_at"]),
            }
        )

    async def run(self) -> None:
        """Work for ever, several jobs at a time."""
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(self._work())

    def stages(self, nonce: str) -> list[dict[str, Any]]:
        """When each record containing *nonce* was accepted, processed and stored; None where it was not."""
        rows = self._store.all("SELECT * FROM ingest_records WHERE instr(props, ?) ORDER BY job_id, position", nonce)
        return [
            {
                "jobId": str(row["job_id"]),
                "entityId": row["entity_id"],
                "accepted_ms": row["accepted_ms"],
                "processed_ms": row["processed_ms"],
                "stored_ms": row["stored_ms"],
            }
            for row in rows
        ]

    def clear(self) -> None:
        """Forget what is queued."""
        self._stuck.clear()
        while not self._queue.empty():
            self._queue.get_nowait()

    async def _work(self) -> None:
        while True:
            job_id = await self._queue.get()
            self._store.run("UPDATE ingest_jobs SET state = 'active', progress = 10 WHERE id = ?", job_id)
            started = time.monotonic()
            # Reckoned anew at every switch, so that switching a delay off frees the jobs that already suffer from it.
            while (left := started + self._delay() - time.monotonic()) > 0:
                await self._faults.change(left)
            self._process(job_id)

    def _delay(self) -> float:
        if self._faults.on("ingest-slow"):
            return float(self._faults.value("ingest-slow", "seconds"))
        return INGEST_5S if self._faults.on("ingest-5s") else self._seconds

    def _process(self, job_id: int) -> None:
        job = self._store.one("SELECT * FROM ingest_jobs WHERE id = ?", job_id)
        if job is None:
            return
        for record in self._store.all("SELECT * FROM ingest_records WHERE job_id = ? ORDER BY position", job_id):
            processed = now_ms()
            props = json.loads(record["props"])
            if self._faults.on("ingest-corrupt"):
                props = _corrupted(props, self._faults.value("ingest-corrupt", "field"))
            for _ in range(2 if self._faults.on("ingest-duplicate") else 1):
                entity = self._graph.store(job["tenant_id"], record["type"], props)
            self._store.run(
                "UPDATE ingest_records SET processed_ms = ?, stored_ms = ?, entity_id = ?"
                " WHERE job_id = ? AND position = ?",
                processed, now_ms(), entity["id"], job_id, record["position"],
            )  # fmt: skip
        self._finish(job_id)

    def _accept(self, tenant: str, pipeline: str, records: list[dict[str, Any]]) -> int:
        now = now_ms()
        job_id = self._store.insert(
            "INSERT INTO ingest_jobs (tenant_id, pipeline, state, accepted_at) VALUES (?, ?, 'waiting', ?)",
            tenant, pipeline, now,
        )  # fmt: skip
        for position, record in enumerate(records):
            self._store.run(
                "INSERT INTO ingest_records (job_id, position, type, props, accepted_ms) VALUES (?, ?, ?, ?, ?)",
                job_id, position, record["type"], json.dumps(record["props"], ensure_ascii=False), now,
            )  # fmt: skip
        return job_id

    def _finish(self, job_id: int) -> None:
        self._store.run(
            "UPDATE ingest_jobs SET state = 'completed', progress = 100, finished_at = ? WHERE id = ?", now_ms(), job_id
        )

    def _forget(self, job_id: int) -> None:
        self._store.run("DELETE FROM ingest_jobs WHERE id = ?", job_id)

    def _expired(self, finished_at: int) -> bool:
        return self._faults.on("ingest-status-404") or now_ms() - finished_at > KEPT_MS

    def _switched(self, name: str, on: bool) -> None:  # noqa: FBT001 - a listener's signature
        if name == "ingest-stuck" and not on:
            for job_id in self._stuck:
                self._forget(job_id)
            self._stuck.clear()


def _wanted(body: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    pipeline, records = body.get("pipeline"), body.get("records")
    details = []
    if not isinstance(pipeline, str) or not pipeline:
        details.append({"field": "pipeline", "message": "pipeline is required"})
    if not isinstance(records, list) or not records or not all(_is_record(record) for record in records):
        details.append({"field": "records", "message": "records must be a list of {type, props}"})
    if details:
        raise Refusal(400, {"error": "Validation failed", "code": "VALIDATION_ERROR", "details": details})
    return str(pipeline), list(records or [])


def _is_record(record: Any) -> bool:
    return isinstance(record, dict) and isinstance(record.get("type"), str) and isinstance(record.get("props"), dict)


def _corrupted(props: dict[str, Any], field: str) -> dict[str, Any]:
    if not field:
        # What identifies the record stays, or the record would be lost rather than wrong.
        field = next((name for name in reversed(props) if name not in NEVER_CORRUPTED), next(iter(props), "value"))
    value = props.get(field)
    changed = value + 1 if isinstance(value, int | float) and not isinstance(value, bool) else f"{value}~"
    return {**props, field: changed}
