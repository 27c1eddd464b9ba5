"""One request as the twin sees it, carried from the edge to the audit."""

import json
import re
import uuid
from dataclasses import dataclass, field
from typing import Any, Self

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


class Refusal(Exception):
    """The request ends here, with this status and JSON body."""

    def __init__(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        super().__init__(body)
        self.response = JSONResponse(body, status, headers)


@dataclass(frozen=True, slots=True)
class User:
    """Who is asking. `role` is the token's claim, not the database's."""

    id: str
    email: str
    role: str
    tenant_id: str


@dataclass(slots=True)
class Exchange:
    """A request, and what became known of it on its way."""

    surface: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    ip: str
    correlation_id: str
    request_id: str
    trace_id: str | None
    status: int = 0
    user: User | None = None
    token: str = ""
    answer_headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def receive(cls, scope: Scope, receive: Receive, surface: str) -> Self:
        """Read the whole request. Correlation as Contract G.5: x-correlation-id, else x-request-id, else a new UUID."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        correlation = headers.get("x-correlation-id") or headers.get("x-request-id") or str(uuid.uuid4())
        traced = _TRACEPARENT.fullmatch(headers.get("traceparent", ""))
        exchange = cls(
            surface=surface,
            method=scope["method"],
            path=scope["path"],
            headers=headers,
            body=await _read(receive),
            ip=scope["client"][0],
            correlation_id=correlation,
            request_id=headers.get("x-request-id") or correlation,
            trace_id=traced[1] if traced else None,
        )
        exchange.answer_headers |= {"x-correlation-id": correlation, "x-request-id": correlation}
        if exchange.trace_id:
            exchange.answer_headers["x-trace-id"] = exchange.trace_id
        scope["twin.exchange"] = exchange
        return exchange

    @classmethod
    def of(cls, request: Request) -> Self:
        """The exchange that the edge attached to this request."""
        exchange: Self = request.scope["twin.exchange"]
        return exchange

    @property
    def tenant(self) -> str | None:
        """The tenant named by header (Contract A.5)."""
        return self.headers.get("x-tenant-id") or self.headers.get("x-tenant") or None

    @property
    def mutating(self) -> bool:
        """Whether the method is one that the audit and the kill switch look at."""
        return self.method in {"POST", "PUT", "PATCH", "DELETE"}

    def json(self) -> dict[str, Any]:
        """The body as a JSON object, {} if it is none."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    async def replay(self) -> Message:
        """An ASGI `receive` that hands the body out again."""
        return {"type": "http.request", "body": self.body, "more_body": False}


def not_found(exchange: Exchange) -> Response:
    """What Express answers where no route matches."""
    page = f"<!DOCTYPE html>\n<title>Error</title>\n<pre>Cannot {exchange.method} {exchange.path}</pre>\n"
    return Response(page, 404, media_type="text/html")


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body
