"""
Alertmanager, API v2. It is level-triggered: an alert that isn't repeated ends, and after a restart it knows no alerts.

What its behaviour asks of us, and where the answer is:
- Peers of a cluster do not forward alerts to each other, and one that has not heard of a resolve announces the alert
  again: each message goes to every peer (`send`), never through a load balancer.
- A batch with one bad alert is answered 400 while the others are stored: a request carries one alert, and the answer
  is its own.
- `startsAt` is taken from `endsAt` where it is missing, an `endsAt` before `startsAt` is refused, a missing one means
  five minutes, and a time without a zone is taken for UTC: both are always sent, ordered, with `Z` (`alert`).
- Only an `endsAt` that has passed resolves. A firing alert may therefore carry a distant one (`FIRING_MS`); that is how
  long a SEV-1 outlives a daemon that died.
- Invalid label names are refused, empty labels dropped (`_names`).
- A resolve of an alert that it doesn't know is accepted and announced to no one: see `Alertmanager._as_told`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from alerts.channels.base import DeliveryError
from alerts.channels.http import TIMEOUT_SECONDS, Http, read_url, show
from alerts.message import Message, MessageKind, utc
from critpath.errors import ConfigurationError

RESEND_SECONDS = 30.0
FIRING_MS = 10 * 60_000
LATE_MS = 5 * 60_000
ANNOTATION_LIMIT = 4096

# What Alertmanager's parser of URLs takes for certain. It refuses an alert for a link that it cannot read.
_LINK = re.compile(
    r"https?://([\w.-]+|\[[0-9a-f:]+\])(:\d{1,5})?([/?#]([!-$&-~]|%[0-9a-f]{2})*)?", re.ASCII | re.IGNORECASE
)


class Alertmanager:
    """Tells every peer in *urls*; one suffices. *secret* is a bearer token, *timeout* is in seconds per peer."""

    resend_seconds: float | None = RESEND_SECONDS

    def __init__(
        self,
        name: str,
        *,
        urls: Sequence[str],
        secret: str | None = None,
        timeout: float = TIMEOUT_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.name = name
        self._peers = tuple(_endpoint(read_url(name, url)) for url in urls)
        if not self._peers:
            raise ConfigurationError(f"channel {name}: it needs the URL of at least one Alertmanager")
        self._headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self._http = Http(timeout, transport)
        self._late: dict[str, tuple[Message, int]] = {}
        self.peer_errors: dict[str, str] = {}
        """Per peer that did not take the last message: why. Shows a dead peer that the others hide."""

    def __repr__(self) -> str:
        return f"Alertmanager({self.name!r}, {[show(peer) for peer in self._peers]!r})"

    async def send(self, message: Message, *, now_ms: int) -> None:
        """Tell all peers at once. A peer that does not answer is told again by the next repetition, not waited for."""
        self._late = {key: kept for key, kept in self._late.items() if now_ms < kept[1]}
        told, ends_ms = self._as_told(message, now_ms)
        content = json.dumps([alert(told, ends_ms=ends_ms)], sort_keys=True).encode("ascii")
        answers = await asyncio.gather(*(self._tell(peer, content, now_ms) for peer in self._peers))
        errors = [error for error in answers if error is not None]
        self.peer_errors = {show(p): str(e) for p, e in zip(self._peers, answers, strict=True) if e is not None}
        if len(errors) == len(answers):
            waits = [error.retry_after for error in errors if error.retry_after is not None]
            raise DeliveryError(
                "; ".join(str(error) for error in errors),
                permanent=all(error.permanent for error in errors),
                retry_after=min(waits) if len(waits) == len(errors) else None,
            )
        if told.late:
            self._late[told.incident_id] = (told, ends_ms)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _tell(self, peer: httpx.URL, content: bytes, now_ms: int) -> DeliveryError | None:
        try:
            answer = await self._http.post(peer, content, self._headers, now_ms=now_ms)
        except DeliveryError as error:
            return error
        if "html" in answer.headers.get("Content-Type", ""):
            return DeliveryError(f"{show(peer)} answered with a page: that is no Alertmanager")
        return None

    def _as_told(self, message: Message, now_ms: int) -> tuple[Message, int]:
        """
        Return what to say now and the alert's end.

        A late message comes after an outage of which no peer knows. To announce it at all, it is shown as firing for
        `LATE_MS` with a text that says it is over, and ends after that. Repetitions of its resolve keep to the same.
        """
        if message.kind is MessageKind.TRIGGER:
            return message, now_ms + FIRING_MS
        if message.incident_id in self._late:
            return self._late[message.incident_id]
        if message.late:
            return message, now_ms + LATE_MS
        return message, min(message.resolved_ms or message.sent_for_ms, now_ms)


def alert(message: Message, *, ends_ms: int) -> dict[str, Any]:
    """Return one alert of the API. Its labels say which alert it is: nothing varies among them within an incident."""
    labels = {"alertname": "CriticalPathBroken", "env": message.environment, "path": message.path, **message.labels}
    links = {f"{name}_url": url for name, url in message.links.items()}
    annotations = {
        **message.details,
        **links,
        "summary": message.title,
        "description": message.text,
        "incident_id": message.incident_id,
        "runbook": message.links.get("runbook", ""),
        "late": "true" if message.late else "",
    }
    source = message.links.get("incident", "")
    return {
        "labels": _names(labels),
        "annotations": {name: _shorten(value) for name, value in _names(annotations).items()},
        "startsAt": utc(min(message.started_ms, ends_ms)),
        "endsAt": utc(ends_ms),
        **({"generatorURL": source} if _LINK.fullmatch(source) else {}),
    }


def _names(pairs: Mapping[str, str]) -> dict[str, str]:
    """Return *pairs* without empty values and with names that Prometheus allows."""
    return {re.sub(r"^(?=[0-9])|[^a-zA-Z0-9_]", "_", name): value for name, value in pairs.items() if name and value}


def _shorten(text: str) -> str:
    return text if len(text) <= ANNOTATION_LIMIT else text[: ANNOTATION_LIMIT - 1] + "…"


def _endpoint(base: httpx.URL) -> httpx.URL:
    return base.copy_with(path=base.path.rstrip("/") + "/api/v2/alerts")
