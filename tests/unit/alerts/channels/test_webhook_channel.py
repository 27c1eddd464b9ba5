"""What a webhook's receiver gets, and how it can trust it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from alerts.channels.webhook import Webhook, sign
from alerts.message import Message

SECRET = "correct horse"


async def test_the_body_is_the_message(receiver: Any, make: Callable[..., Message], now_ms: int) -> None:
    """Version 1, every field under its own name, and it can be read back."""
    message = make("resolve", text="naïve — \ud800")
    await Webhook("hook", url="https://hooks.example/x", transport=receiver.transport).send(message, now_ms=now_ms)
    (request,) = receiver.requests
    said = json.loads(request.content)
    assert said.pop("version") == 1
    assert said["kind"] == "resolve"
    assert said["resolved_ms"] == now_ms - 30_000
    assert said["late"] is False
    assert Message.from_dict(said) == message
    assert request.method == "POST"
    assert request.headers["Content-Type"] == "application/json"
    assert not [name for name in request.headers if name.startswith("x-critpath")], "nothing is signed without a secret"


async def test_the_receiver_can_check_the_signature_with_its_own_tools(
    receiver: Any, make: Callable[..., Message], now_ms: int
) -> None:
    """HMAC-SHA256 over the timestamp, a full stop and the bytes of the body."""
    hook = Webhook("hook", url="https://hooks.example/x", secret=SECRET, transport=receiver.transport)
    await hook.send(make(), now_ms=now_ms + 999)
    (request,) = receiver.requests
    assert request.headers["X-Critpath-Timestamp"] == "1800000000"
    expected = hmac.new(SECRET.encode(), b"1800000000." + request.content, hashlib.sha256).hexdigest()
    assert request.headers["X-Critpath-Signature"] == "v1=" + expected


async def test_a_signature_is_this_figure() -> None:
    """`printf '1800000000.{"a":1}' | openssl dgst -sha256 -hmac 'correct horse'`."""
    assert (
        sign(SECRET, "1800000000", b'{"a":1}') == "v1=e99222c5e4b15b8493778172a54090dca847326c3cb50e94ba4e771ea829e314"
    )


async def test_the_same_message_has_the_same_key_and_body_at_any_time(
    receiver: Any, make: Callable[..., Message], now_ms: int
) -> None:
    """After a crash it is sent again; a trigger and its resolve are different messages."""
    hook = Webhook("hook", url="https://hooks.example/x", secret=SECRET, transport=receiver.transport)
    await hook.send(make(), now_ms=now_ms)
    await hook.send(make(), now_ms=now_ms + 60_000)
    await hook.send(make("resolve"), now_ms=now_ms + 60_000)
    first, again, resolve = receiver.requests
    assert first.headers["Idempotency-Key"] == again.headers["Idempotency-Key"] == "01JHKQ7Z8Y0000000000000000-trigger"
    assert first.content == again.content
    assert resolve.headers["Idempotency-Key"] == "01JHKQ7Z8Y0000000000000000-resolve"
