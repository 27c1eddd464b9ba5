"""What an error of a client library says about the target: every one of them has its reason (a test sees to it)."""

from __future__ import annotations

import ssl

import httpx

from critpath import ProbeError, ProbeException, ProbeFailed, Reason

_LOCAL_FAULTS = ("too many open files", "cannot assign requested address", "network is unreachable", "no buffer space")
_DNS_SIGNS = ("name or service not known", "nodename nor servname", "temporary failure in name resolution", "no address")

_REASONS: tuple[tuple[type[Exception], Reason], ...] = (
    (httpx.TimeoutException, Reason.TIMEOUT),
    (httpx.ConnectError, Reason.CONNECTION),
    (httpx.NetworkError, Reason.CONNECTION),
    (httpx.RemoteProtocolError, Reason.PROTOCOL),
    (httpx.DecodingError, Reason.CONTENT),
    (httpx.TooManyRedirects, Reason.PROTOCOL),
)


def from_httpx(error: Exception, doing: str) -> ProbeException:
    """Return the exception that an attempt should end with; *doing* is the request in words."""
    text = _innermost(error).lower()
    if any(sign in text for sign in _LOCAL_FAULTS):
        return ProbeError(Reason.NETWORK, f"{doing}: {_innermost(error)}")
    if isinstance(error, httpx.ConnectError):
        if _caused_by_tls(error):
            return ProbeFailed(Reason.TLS, f"{doing}: {_innermost(error)}")
        if any(sign in text for sign in _DNS_SIGNS):
            return ProbeFailed(Reason.DNS, f"{doing}: {_innermost(error)}")
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return ProbeFailed(reason, f"{doing}: {_words(error)}")
    return ProbeError(Reason.BUG, f"{doing}: {type(error).__name__}: {error}")


def _words(error: Exception) -> str:
    if isinstance(error, httpx.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return _innermost(error) or type(error).__name__


def _chain(error: BaseException) -> list[BaseException]:
    seen: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in seen:
        seen.append(current)
        current = current.__cause__ or current.__context__
    return seen


def _innermost(error: BaseException) -> str:
    return next((str(e) for e in reversed(_chain(error)) if isinstance(e, OSError) and str(e)), str(error))


def _caused_by_tls(error: BaseException) -> bool:
    return any(isinstance(e, ssl.SSLError) for e in _chain(error)) or "CERTIFICATE" in str(error)


_BROWSER_GONE = ("has been closed", "browser has disconnected", "crashed", "connection closed", "executable doesn't exist")


def from_playwright(error: Exception, doing: str) -> ProbeException:
    """Return the exception for an error of the browser driver: a dead browser is our fault, a dead page is not."""
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    lowered = text.lower()
    if any(sign in lowered for sign in _BROWSER_GONE):
        return ProbeError(Reason.BROWSER, f"{doing}: {text}")
    for sign, reason in (
        ("err_connection", Reason.CONNECTION),
        ("err_empty_response", Reason.CONNECTION),
        ("err_name_not_resolved", Reason.DNS),
        ("err_cert", Reason.TLS),
        ("err_ssl", Reason.TLS),
        ("err_too_many_redirects", Reason.PROTOCOL),
        ("err_internet_disconnected", Reason.NETWORK),
        ("err_network_changed", Reason.NETWORK),
        ("err_address_unreachable", Reason.CONNECTION),
        ("err_timed_out", Reason.TIMEOUT),
        ("err_insufficient_resources", Reason.BROWSER),
        ("err_out_of_memory", Reason.BROWSER),
        ("net::err_", Reason.PROTOCOL),
    ):
        if sign in lowered:
            kind = ProbeError if reason in (Reason.NETWORK, Reason.BROWSER) else ProbeFailed
            return kind(reason, f"{doing}: {text}")
    if type(error).__name__ == "TimeoutError":
        return ProbeFailed(Reason.PAGE_BROKEN, f"{doing}: {text}")
    return ProbeError(Reason.BROWSER, f"{doing}: {text}")
