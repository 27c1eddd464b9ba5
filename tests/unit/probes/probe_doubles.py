"""A small target for the clients: profile, settings, and a transport in place of the network."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from config import Profile, Settings
from critpath import Context
from critpath.testing import FakeClock
from probes.clients.http import HttpClient

BARE: dict[str, Any] = {"paths": {}, "checks": {}}
PROFILE = Profile.model_validate(
    {
        **BARE,
        "name": "small",
        "title": "A small target",
        "surfaces": {"api": "the API", "ledger": "the ledger"},
        "headers": {"tenant": "X-Tenant-Id", "correlation": "x-correlation-id", "extra": {"x-api-version": "1.1"}},
        "graphql": {"operation_id_header": "x-operation-id"},
        "session": {"login": "login", "refresh": "refresh", "refresh_ahead": "60s"},
        "operations": {
            "me": {"path": "/me", "read": {"user": "user.email", "longest": "max_by(items, &size).id"}},
            "ping": {"path": "/ping"},
            "named": {"path": "/things/{id}/parts/{part}", "query": {"limit": "$limit", "fixed": "yes"}},
            "write": {
                "method": "POST",
                "path": "/write",
                "body": {"records": [{"props": "$record", "kind": "Fixed"}]},
                "headers": {"x-reason": "monitoring"},
                "expect": [200, 202],
            },
            "read_ledger": {"surface": "ledger", "path": "/entries"},
            "search": {
                "graphql": "query S($q: String!) { search(q: $q) { id } }",
                "operation_id": "small.search",
                "read": {"ids": "search[].id"},
            },
            "login": {
                "method": "POST",
                "path": "/login",
                "body": {"name": "$username", "password": "$password"},
                "read": {"token": "token", "refresh_token": "refreshToken"},
            },
            "refresh": {
                "method": "POST",
                "path": "/refresh",
                "body": {"refreshToken": "$refresh_token"},
                "read": {"token": "token", "refresh_token": "refreshToken"},
            },
        },
        "refusals": [
            {"status": 429, "outcome": "error", "reason": "throttled", "says": "the target throttles us"},
            {"status": 503, "when": "code == 'SWITCH'", "reason": "kill_switch", "says": "the kill switch is on"},
            {"status": 400, "when": "length(error) == `3`", "outcome": "error", "reason": "configuration", "says": "mis-set"},
        ],
        "web": {
            "routes": {"sign_in": "/signin"},
            "elements": {"username": "#name", "submit": "button", "greeting": "text=/Hello, {name}/"},
        },
    }
)
SETTINGS = Settings.model_validate(
    {
        **BARE,
        "environment": "dev",
        "target": "small",
        "tenant": "synthetic",
        "surfaces": {"api": "http://api.test/base/", "web": "http://web.test"},
        "limits": {"body_bytes": 10_000},
    }
)

Answering = Callable[[httpx.Request], httpx.Response]


@dataclass
class RecordingGate:
    """A gate that lets everything pass and keeps what passed."""

    requests: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    silences: list[tuple[str, float]] = field(default_factory=list)
    refuses: Exception | None = None
    refuses_logins: Exception | None = None

    async def request(self, ctx: Context, surface: str) -> None:
        """Keep the surface."""
        if self.refuses:
            raise self.refuses
        self.requests.append(surface)

    async def login(self, ctx: Context, username: str) -> None:
        """Keep the account."""
        if self.refuses_logins:
            raise self.refuses_logins
        self.logins.append(username)

    def back_off(self, surface: str, seconds: float) -> None:
        """Keep both."""
        self.silences.append((surface, seconds))


class Arriving(httpx.AsyncByteStream):
    """A body that arrives in pieces of a kilobyte."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give one piece after the other, as they are on the wire."""
        for start in range(0, len(self._content), 1024):
            yield self._content[start : start + 1024]


@dataclass
class Wire:
    """A client whose network is a function; keeps what was sent."""

    answer: Answering
    gate: RecordingGate = field(default_factory=RecordingGate)
    clock: FakeClock = field(default_factory=FakeClock)
    sent: list[httpx.Request] = field(default_factory=list)
    settings: Settings = SETTINGS

    def __post_init__(self) -> None:
        self.ctx = Context(check="c", path="p", deadline=5.0, clock=self.clock, trace_id="0af7651916cd43dd8448eb211c80319c")
        self.http = HttpClient(self.settings, PROFILE, self.gate, self.ctx, transport=httpx.MockTransport(self._handle))

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        answer = self.answer(request)
        if isinstance(answer.stream, httpx.ByteStream):  # a body that is there already is never read from the wire
            return httpx.Response(answer.status_code, headers=answer.headers, stream=Arriving(b"".join(answer.stream)))
        return answer


def says(status: int = 200, body: Any = None, **headers: str) -> Answering:
    """Return a target that always answers this JSON, with these headers."""
    return lambda _: httpx.Response(status, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()})


def raises(error: Exception) -> Answering:
    """Return a target that cannot be reached."""

    def refuse(_: httpx.Request) -> httpx.Response:
        raise error

    return refuse


def token(number: int, issued: float, expires: float) -> str:
    """Return an unsigned JWT with these claims."""
    parts = ({"alg": "HS256", "typ": "JWT"}, {"iat": issued, "exp": expires, "n": number})
    return ".".join([*(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts), "c2ln"])
