"""One message to say, and a receiver that answers as it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import pytest

from alerts.message import Message, MessageKind

NOW = 1_800_000_000_000
MakeMessage = Callable[..., Message]


@dataclass
class Receiver:
    """Answers every host with *answer*, or as `answers` says for it; keeps what it got."""

    answer: httpx.Response | Exception = field(default_factory=lambda: httpx.Response(200))
    answers: dict[str, httpx.Response | Exception] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Take one request."""
        self.requests.append(request)
        answer = self.answers.get(request.url.host, self.answer)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers)

    @property
    def transport(self) -> httpx.MockTransport:
        """What a channel is built with instead of a network."""
        return httpx.MockTransport(self)


@pytest.fixture
def receiver() -> Receiver:
    """Return a receiver that accepts everything."""
    return Receiver()


@pytest.fixture
def now_ms() -> int:
    """Return 2027-01-15T08:00:00Z."""
    return NOW


@pytest.fixture
def make() -> MakeMessage:
    """Return a function that makes a message of one SEV-1, with what differs."""

    def message(kind: str = "trigger", **differs: object) -> Message:
        ended = NOW - 30_000 if kind == "resolve" else None
        values: dict[str, object] = {
            "incident_id": "01JHKQ7Z8Y0000000000000000",
            "alert_key": "prod/auth/broken",
            "environment": "prod",
            "path": "auth",
            "severity": "SEV-1",
            "title": "Auth & Access is broken",
            "text": "login answered 500 twice",
            "started_ms": NOW - 90_000,
            "sent_for_ms": NOW,
            "resolved_ms": ended,
            "labels": {"alertname": "CritpathBroken", "env": "prod", "path": "auth", "priority": "P1"},
            "details": {"reason": "status", "last_good": "2027-01-15T07:57:30.000Z"},
            "links": {"runbook": "https://wiki.example/auth", "incident": "https://critpath.example/incidents/01J"},
        }
        return Message(kind=MessageKind(kind), **{**values, **differs})  # type: ignore[arg-type]

    return message
