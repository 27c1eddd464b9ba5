"""Audit first: what every user action leaves behind (Contract D2), and the audit events (Contract D3)."""

import asyncio
import json
import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.chain import digest
from demo.exchange import Exchange, Refusal
from demo.faults import Faults
from demo.guards import Guards
from demo.ledger import Ledger
from demo.redact import redacted
from demo.settings import Settings
from demo.store import Store, iso, now_ms
from demo.tokens import Tokens

AUDITED_ROUTES = ("/auth", "/disclosures", "/api/compliance", "/api/provenance", "/api/keys", "/rbac")
FLUSH_5S = 5.0
TICK = 0.1
SOMEBODY_ELSE = "00000000-0000-4000-8000-0000000000ff"
ANOTHER_TENANT = "acme"
FILTERS = {
    "eventTypes": "event_type",
    "levels": "level",
    "userIds": "user_id",
    "resourceTypes": "resource_type",
    "correlationIds": "correlation_id",
}
# The faults on events are part of the view that is filtered, so a filter meets what a reader would meet.
VIEW = """
SELECT * FROM (
  SELECT rowid, event, timestamp, event_type, level, resource_type,
    CASE WHEN ? THEN ? ELSE user_id END AS user_id,
    CASE WHEN ? THEN NULL ELSE correlation_id END AS correlation_id
  FROM audit_events WHERE tenant_id = ?
) WHERE timestamp BETWEEN ? AND ?"""


@dataclass(frozen=True, slots=True)
class _Late:
    due: float
    tenant: str
    entry: dict[str, Any]
    event: dict[str, Any]


class Audit:
    """Records, buffers, flushes."""

    def __init__(self, settings: Settings, store: Store, faults: Faults, ledger: Ledger, tokens: Tokens) -> None:
        self._store, self._faults, self._ledger, self._tokens = store, faults, ledger, tokens
        self._flush_seconds = settings.audit_flush_seconds
        self._late: list[_Late] = []
        self._buffer: list[dict[str, Any]] = []
        # Per process and empty at the start, as in the source: the event chain breaks with every restart.
        self._previous = ""

    def record(self, exchange: Exchange) -> None:
        """After the answer: an entry in the tenant's chain and an event, for what D2 says is audited."""
        audited = exchange.mutating or exchange.path.startswith(AUDITED_ROUTES)
        if not audited or self._faults.on("audit-lost"):
            return
        tenant = (exchange.user.tenant_id if exchange.user else exchange.tenant) or "unknown-tenant"
        due = time.monotonic()
        if self._faults.on("audit-late"):
            due += self._faults.value("audit-late", "seconds")
        late = _Late(due, tenant, _entry(exchange), _event(exchange, tenant))
        if self._faults.on("audit-late"):
            self._late.append(late)
        else:
            self._write(late)

    async def run(self) -> None:
        """Flush the buffer for ever."""
        flushed = time.monotonic()
        while True:
            await asyncio.sleep(min(TICK, self._flush_seconds))
            now = time.monotonic()
            for late in list(self._late):
                if late.due <= now or not self._faults.on("audit-late"):
                    self._late.remove(late)
                    self._write(late)
            pause = FLUSH_5S if self._faults.on("audit-flush-5s") else self._flush_seconds
            if now - flushed >= pause:
                flushed = now
                self.flush()

    def flush(self) -> None:
        """Insert the buffer as one batch. One id that is no UUID fails the batch, which is put back and retried."""
        for event in self._buffer:
            if not all(_is_uuid(event[name]) for name in ("correlationId", "requestId")):
                return
        for event in self._buffer:
            self._store.run(
                "INSERT INTO audit_events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                event["id"], event["tenantId"], _ms(event["timestamp"]), event["eventType"], event["level"],
                event["userId"], event["resourceType"], event["correlationId"], json.dumps(event),
            )  # fmt: skip
        self._buffer.clear()

    def clear(self) -> None:
        """Forget what is not written yet."""
        self._buffer.clear()
        self._late.clear()

    def events(self, tenant: str, query: dict[str, str]) -> list[dict[str, Any]]:
        """Newest first, filtered as Contract D3; raises ValueError for a time or number that is none."""
        wrong_actor, no_correlation = self._faults.on("audit-wrong-actor"), self._faults.on("audit-no-correlation")
        start = _ms(query["startTime"]) if "startTime" in query else 0
        end = _ms(query["endTime"]) if "endTime" in query else now_ms() + 86_400_000
        sql, values = VIEW, [wrong_actor, SOMEBODY_ELSE, no_correlation, tenant, start, end]
        for name, column in FILTERS.items():
            if wanted := [item.strip() for item in query.get(name, "").split(",") if item.strip()]:
                sql += f" AND {column} IN ({', '.join('?' * len(wanted))})"
                values += wanted
        sql += " ORDER BY timestamp DESC, rowid DESC LIMIT ? OFFSET ?"
        values += [int(query.get("limit", 100)), int(query.get("offset", 0))]
        events = []
        for row in self._store.all(sql, *values):
            event = json.loads(row["event"])
            event |= {"userId": row["user_id"], "correlationId": row["correlation_id"]}
            if self._faults.on("audit-wrong-tenant"):
                event["tenantId"] = ANOTHER_TENANT
            events.append(event)
        return events

    def _write(self, late: _Late) -> None:
        self._ledger.append(late.tenant, late.entry)
        event = late.event
        event["hash"] = digest(event)
        signed = {"id": event["id"], "hash": event["hash"], "timestamp": event["timestamp"]}
        event |= {"signature": self._tokens.sign(signed), "previousEventHash": self._previous}
        self._previous = event["hash"]
        self._buffer.append(event)


def routes(audit: Audit, guards: Guards) -> list[Route]:
    """GET /api/audit-events, the one mounted read API (Contract D3)."""

    async def read(request: Request) -> Response:
        exchange = Exchange.of(request)
        guards.ensure_authenticated(exchange)
        query = dict(request.query_params)
        try:
            events = audit.events(exchange.tenant or "", query)
        except ValueError as exc:
            raise Refusal(400, {"error": str(exc)}) from exc
        head = {"tenantId": exchange.tenant, "returnedCount": len(events)}
        window = {"offset": int(query.get("offset", 0)), "limit": int(query.get("limit", 100))}
        return JSONResponse({**head, **window, "events": events})

    return [Route("/api/audit-events", read)]


def _entry(exchange: Exchange) -> dict[str, Any]:
    user = exchange.user
    return {
        "actionType": f"API_{exchange.method}",
        "resourceType": "API_ROUTE",
        "resourceId": exchange.path,
        "actorId": user.id if user else "anonymous",
        "actorType": "user" if user else "system",
        "payload": {
            "method": exchange.method,
            "path": exchange.path,
            "statusCode": exchange.status,
            "body": redacted(exchange.json()),
        },
        "metadata": {
            "requestId": exchange.request_id,
            "correlationId": exchange.correlation_id,
            "ipAddress": exchange.ip,
            "userAgent": exchange.headers.get("user-agent", ""),
        },
    }


def _event(exchange: Exchange, tenant: str) -> dict[str, Any]:
    succeeded = exchange.status < 400  # noqa: PLR2004
    named = {"/auth/login": "user_login", "/auth/logout": "user_logout"}
    return {
        "id": str(uuid.uuid4()),
        "eventType": named.get(exchange.path.removeprefix("/api"), "resource_access"),
        "level": "info" if succeeded else "warn",
        "timestamp": iso(now_ms()),
        "correlationId": exchange.correlation_id,
        "sessionId": None,
        "requestId": exchange.request_id,
        "userId": exchange.user.id if exchange.user else "anonymous",
        "tenantId": tenant,
        "serviceId": "intelgraph-server",
        "resourceType": "API_ROUTE",
        "resourceId": exchange.path,
        "action": f"API_{exchange.method}",
        "outcome": "success" if succeeded else "failure",
        "message": f"{exchange.method} {exchange.path} {exchange.status}",
        "details": {"statusCode": exchange.status},
        "ipAddress": exchange.ip,
        "userAgent": exchange.headers.get("user-agent", ""),
        "complianceRelevant": False,
    }


def _is_uuid(value: str) -> bool:
    try:
        uuid.UUID(value)
    except ValueError:
        return False
    return True


def _ms(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)
