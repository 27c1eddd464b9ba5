"""What every channel over HTTP does alike: one table of statuses, one kind of error, no secrets."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from alerts.channels import Channel, DeliveryError, build
from alerts.channels.http import retry_after
from alerts.message import Message
from critpath.errors import ConfigurationError

SECRET = "hunter2"
URL = f"https://user:{SECRET}@hooks.example:8443/{SECRET}?token={SECRET}"

OPTIONS: dict[str, dict[str, Any]] = {
    "alertmanager": {"urls": [URL], "secret": SECRET},
    "webhook": {"url": URL, "secret": SECRET},
}

ACCEPTED, AGAIN, NEVER = "accepted", "again", "never"
STATUSES = (
    dict.fromkeys((200, 201, 202, 204, 208), ACCEPTED)
    | dict.fromkeys((301, 302, 303, 304, 307, 308), NEVER)
    | dict.fromkeys((400, 401, 402, 403, 404, 405, 406, 409, 410, 411, 413, 414, 415, 421, 422, 426, 451), NEVER)
    | dict.fromkeys((408, 425, 429), AGAIN)
    | dict.fromkeys((500, 501, 502, 503, 504, 507, 520, 529, 599), AGAIN)
)


@pytest.fixture(params=sorted(OPTIONS))
def channel(request: pytest.FixtureRequest, receiver: Any) -> Channel:
    """Return each channel over HTTP in turn."""
    return build(request.param, "pager", **OPTIONS[request.param], transport=receiver.transport)


async def outcome(channel: Channel, message: Message, now_ms: int) -> DeliveryError | None:
    """Send, and return the error."""
    try:
        await channel.send(message, now_ms=now_ms)
    except DeliveryError as error:
        return error
    return None


@pytest.mark.parametrize("status", STATUSES)
async def test_the_status_decides(
    channel: Channel, receiver: Any, make: Callable[..., Message], now_ms: int, status: int
) -> None:
    """2xx is acceptance; what passes by itself is tried again; the rest is refused for good."""
    receiver.answer = httpx.Response(status, headers={"Location": "https://elsewhere.example/"})
    error = await outcome(channel, make(), now_ms)
    found = ACCEPTED if error is None else NEVER if error.permanent else AGAIN
    assert found == STATUSES[status]
    assert len(receiver.requests) == 1, "a channel neither follows redirects nor tries twice"
    await channel.aclose()


@pytest.mark.parametrize(
    ("error", "permanent"),
    [
        (httpx.ConnectError("refused"), False),
        (httpx.ConnectTimeout(URL), False),
        (httpx.ReadTimeout(URL), False),
        (httpx.PoolTimeout(URL), False),
        (httpx.ReadError("reset"), False),
        (httpx.RemoteProtocolError(URL), False),
        (httpx.ProxyError(URL), False),
        (httpx.DecodingError(URL), False),
        (httpx.LocalProtocolError(f"Illegal header value b'Bearer {SECRET}'"), True),
        (httpx.UnsupportedProtocol(URL), True),
    ],
)
async def test_every_failure_of_the_network_is_a_delivery_error(  # noqa: PLR0913, PLR0917
    channel: Channel, receiver: Any, make: Callable[..., Message], now_ms: int, error: Exception, permanent: bool
) -> None:
    """It may pass, unless the request itself cannot be made. It names the receiver and no secret."""
    receiver.answer = error
    found = await outcome(channel, make(), now_ms)
    assert found is not None
    assert found.permanent is permanent
    assert "https://hooks.example:8443" in str(found)
    assert SECRET not in str(found)
    assert found.__cause__ is None
    assert found.__suppress_context__ or found.__context__ is None


async def test_a_receiver_that_never_answers_is_cut_off(make: Callable[..., Message], now_ms: int) -> None:
    """The limit is on the exchange as a whole, not on each of its phases."""

    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError

    for kind, options in OPTIONS.items():
        channel = build(kind, "pager", **options, timeout=0.01, transport=Silent())
        found = await outcome(channel, make(), now_ms)
        assert str(found) == "https://hooks.example:8443 did not answer within 0.01 s"
        assert found is not None
        assert not found.permanent


async def test_no_secret_is_shown(
    channel: Channel, receiver: Any, make: Callable[..., Message], now_ms: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither by `repr` nor by an error nor in any log, whatever its level."""
    caplog.set_level(logging.DEBUG)
    receiver.answer = httpx.Response(500)
    shown = repr(channel) + str(await outcome(channel, make(), now_ms)) + caplog.text
    assert "https://hooks.example:8443" in shown
    assert SECRET not in shown


@pytest.mark.parametrize("status", [429, 503])
async def test_the_receiver_says_how_long_to_wait(
    channel: Channel, receiver: Any, make: Callable[..., Message], now_ms: int, status: int
) -> None:
    """`Retry-After` reaches the dispatcher."""
    receiver.answer = httpx.Response(status, headers={"Retry-After": "17"})
    error = await outcome(channel, make(), now_ms)
    assert error is not None
    assert error.retry_after == 17


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("Fri, 15 Jan 2027 08:01:30 GMT", 90.0),
        ("Friday, 15-Jan-27 08:01:30 GMT", 90.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("Fri, 15 Jan 2027 08:01:30 -0000", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("", None),
        ("Fri, 99 Jan 99999 08:01:30 GMT", None),
    ],
)
async def test_retry_after_is_seconds_or_a_date(now_ms: int, header: str | None, seconds: float | None) -> None:
    """A date in the past is now; what cannot be read says nothing."""
    assert retry_after(header, now_ms) == seconds


@pytest.mark.parametrize(
    "url", ["", "hooks.example/x", "ftp://hooks.example", "https://", "http://hooks.example:port", f"{SECRET}://x"]
)
async def test_a_url_that_cannot_work_is_a_mistake_of_configuration(url: str) -> None:
    """Found when the channel is built, and not quoted."""
    for kind, options in (("webhook", {"url": url}), ("alertmanager", {"urls": [url]})):
        with pytest.raises(ConfigurationError) as caught:
            build(kind, "pager", **options)
        assert SECRET not in str(caught.value)
        assert "pager" in str(caught.value)


async def test_an_alertmanager_without_peers_is_a_mistake_of_configuration() -> None:
    """It would accept nothing for ever."""
    with pytest.raises(ConfigurationError, match="at least one"):
        build("alertmanager", "pager", urls=[])


async def test_kinds_and_options_are_checked_by_name() -> None:
    """The message names what there is; it never quotes a value."""
    with pytest.raises(ConfigurationError, match=r"pigeon.*alertmanager, log, webhook"):
        build("pigeon", "pager")
    with pytest.raises(ConfigurationError, match="colour") as caught:
        build("webhook", "pager", url="https://hooks.example", colour=SECRET)
    assert SECRET not in str(caught.value)


async def test_an_ipv6_receiver_is_shown_in_brackets() -> None:
    """As a URL writes it."""
    assert "http://[::1]:9093" in repr(build("alertmanager", "am", urls=["http://[::1]:9093/"]))
