"""What all channels over HTTP share: one way to post, one judgement of the answer, and no secrets in errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx

from alerts.channels.base import DeliveryError
from critpath.errors import ConfigurationError

TIMEOUT_SECONDS = 10.0
PASSING = frozenset({408, 425, 429})
"""Client errors that pass by themselves, as every 5xx may."""

# Errors whose text names neither the URL nor a header.
_PLAIN = (httpx.ConnectError, httpx.ReadError, httpx.WriteError)
# The request itself cannot be made: its text may quote a header.
_OURS = (httpx.LocalProtocolError, httpx.UnsupportedProtocol)

for _chatty in ("httpx", "httpcore"):  # they log whole URLs at INFO and headers at DEBUG
    logging.getLogger(_chatty).setLevel(logging.WARNING)


def read_url(channel: str, url: str) -> httpx.URL:
    """Return *url* parsed, or raise `ConfigurationError`, which does not quote it: it may carry a token."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ConfigurationError(f"channel {channel}: its URL must be http:// or https:// with a host")
    return parsed


def show(url: httpx.URL) -> str:
    """Return scheme, host and port. The rest of a URL may be a secret."""
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{url.scheme}://{host}" + (f":{url.port}" if url.port else "")


def retry_after(value: str | None, now_ms: int) -> float | None:
    """Return the seconds that a `Retry-After` header asks for, as a number or as a date; None if it says nothing."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - now_ms / 1000) if moment.tzinfo else None


def judge(response: httpx.Response, *, shown: str, now_ms: int) -> None:
    """
    Return if *response* accepts the message, raise `DeliveryError` otherwise.

    2xx accepts. 408, 425, 429 and 5xx are worth another try, when `Retry-After` says or by our own backoff. All else is
    permanent: other 4xx, and redirects, for a POST that follows one arrives as something else.
    """
    status = response.status_code
    if response.is_success:
        return
    passing = status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    wait = retry_after(response.headers.get("Retry-After"), now_ms) if passing else None
    raise DeliveryError(f"{shown} answered {status}", permanent=not passing, retry_after=wait)


class Http:
    """A client that posts, with one time limit in seconds for each exchange as a whole."""

    def __init__(self, limit: float, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._limit = limit
        self._client = httpx.AsyncClient(timeout=limit, transport=transport, headers={"User-Agent": "critpath"})

    async def post(self, url: httpx.URL, body: bytes, headers: Mapping[str, str], *, now_ms: int) -> httpx.Response:
        """Post JSON and return the answer that accepted it; raise `DeliveryError` otherwise, and nothing else."""
        shown = show(url)
        try:
            async with asyncio.timeout(self._limit):
                response = await self._client.post(
                    url, content=body, headers={"Content-Type": "application/json", **headers}
                )
        except (TimeoutError, httpx.TimeoutException):
            raise DeliveryError(f"{shown} did not answer within {self._limit:g} s") from None
        except _OURS as error:
            said = type(error).__name__
            raise DeliveryError(f"{shown}: the request cannot be made ({said})", permanent=True) from None
        except _PLAIN as error:
            raise DeliveryError(f"{shown}: {str(error) or type(error).__name__}") from None
        except httpx.HTTPError as error:
            raise DeliveryError(f"{shown}: {type(error).__name__}") from None
        judge(response, shown=shown, now_ms=now_ms)
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
