"""
A POST of JSON to any receiver.

The body is `Message.to_dict()` and `"version": 1`: `kind` ("trigger" or "resolve"), `incident_id`, `alert_key`,
`environment`, `path`, `severity`, `title`, `text`, `labels`, `details`, `links`, `late`, and `started_ms`,
`resolved_ms`, `sent_for_ms` in UTC epoch milliseconds (`resolved_ms` is null in a trigger). A resolve that is `late`
stands for its trigger too. Fields may be added, none is ever renamed.

A message may arrive more than once, each time with the same body and the same `Idempotency-Key`. Any 2xx accepts it.

With a secret, `X-Critpath-Signature` is `v1=` and the hex HMAC-SHA256 under that secret of the `X-Critpath-Timestamp`
(seconds since the epoch, in decimal), a full stop, and the body's bytes. A receiver computes it over what it got,
compares in constant time, and refuses timestamps that are more than five minutes away.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from urllib.parse import quote

import httpx

from alerts.channels.http import TIMEOUT_SECONDS, Http, read_url, show
from alerts.message import Message


class Webhook:
    """Posts each message once; *secret* signs it, *timeout* bounds the whole exchange in seconds."""

    resend_seconds: float | None = None

    def __init__(
        self,
        name: str,
        *,
        url: str,
        secret: str | None = None,
        timeout: float = TIMEOUT_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.name = name
        self._url = read_url(name, url)
        self._secret = secret
        self._http = Http(timeout, transport)

    def __repr__(self) -> str:
        return f"Webhook({self.name!r}, {show(self._url)!r})"

    async def send(self, message: Message, *, now_ms: int) -> None:
        """Post *message*; any 2xx accepts it."""
        content = body(message)
        headers = {"Idempotency-Key": idempotency_key(message), "User-Agent": "critpath"}
        if self._secret is not None:
            timestamp = str(now_ms // 1000)
            headers["X-Critpath-Timestamp"] = timestamp
            headers["X-Critpath-Signature"] = sign(self._secret, timestamp, content)
        await self._http.post(self._url, content, headers, now_ms=now_ms)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def body(message: Message) -> bytes:
    """Return the bytes that are sent and signed: equal messages give equal bytes. ASCII, so no text can break them."""
    return json.dumps({"version": 1, **message.to_dict()}, sort_keys=True, separators=(",", ":")).encode("ascii")


def idempotency_key(message: Message) -> str:
    """Return what names this message to a receiver that may see it twice: the incident and what is said of it."""
    return quote(f"{message.incident_id}-{message.kind}", safe="")


def sign(secret: str, timestamp: str, content: bytes) -> str:
    """Return the value of `X-Critpath-Signature`."""
    signed = timestamp.encode("ascii") + b"." + content
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
