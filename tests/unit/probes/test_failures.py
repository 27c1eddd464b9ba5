"""Every error of the client libraries has its reason, and only what speaks of the target is its fault."""

from __future__ import annotations

import inspect
import ssl

import httpx
import playwright.async_api
import pytest

from critpath import Outcome, ProbeException, Reason
from probes.failures import from_httpx, from_playwright

REQUEST = httpx.Request("GET", "http://api.test/")
TARGET, OURS = Outcome.FAILED, Outcome.ERROR
HTTPX: dict[str, tuple[Outcome, Reason]] = {
    "CloseError": (TARGET, Reason.CONNECTION),
    "ConnectError": (TARGET, Reason.CONNECTION),
    "ConnectTimeout": (TARGET, Reason.TIMEOUT),
    "CookieConflict": (OURS, Reason.BUG),
    "DecodingError": (TARGET, Reason.CONTENT),
    "HTTPError": (OURS, Reason.BUG),
    "HTTPStatusError": (OURS, Reason.BUG),  # only `raise_for_status` raises it, which we never call
    "InvalidURL": (OURS, Reason.BUG),
    "LocalProtocolError": (OURS, Reason.BUG),
    "NetworkError": (TARGET, Reason.CONNECTION),
    "PoolTimeout": (TARGET, Reason.TIMEOUT),
    "ProtocolError": (OURS, Reason.BUG),
    "ProxyError": (OURS, Reason.BUG),
    "ReadError": (TARGET, Reason.CONNECTION),
    "ReadTimeout": (TARGET, Reason.TIMEOUT),
    "RemoteProtocolError": (TARGET, Reason.PROTOCOL),
    "RequestError": (OURS, Reason.BUG),
    "RequestNotRead": (OURS, Reason.BUG),
    "ResponseNotRead": (OURS, Reason.BUG),
    "StreamClosed": (OURS, Reason.BUG),
    "StreamConsumed": (OURS, Reason.BUG),
    "StreamError": (OURS, Reason.BUG),
    "TimeoutException": (TARGET, Reason.TIMEOUT),
    "TooManyRedirects": (TARGET, Reason.PROTOCOL),
    "TransportError": (OURS, Reason.BUG),
    "UnsupportedProtocol": (OURS, Reason.BUG),
    "WriteError": (TARGET, Reason.CONNECTION),
    "WriteTimeout": (TARGET, Reason.TIMEOUT),
}


def exceptions_of(module: object) -> dict[str, type[Exception]]:
    found = inspect.getmembers(module, lambda each: inspect.isclass(each) and issubclass(each, Exception))
    return {name: kind for name, kind in found if not issubclass(kind, Warning)}


def make(kind: type[Exception]) -> Exception:
    names = inspect.signature(kind).parameters
    known = {"message": "as it said", "request": REQUEST, "response": httpx.Response(500, request=REQUEST)}
    return kind(**{name: known[name] for name in names if name in known and name in {"message", "request", "response"}})


def test_every_exception_of_httpx_is_in_the_table() -> None:
    """A new version with a new error fails here, before it surprises anybody."""
    assert set(exceptions_of(httpx)) == set(HTTPX)


@pytest.mark.parametrize("name", sorted(HTTPX))
def test_an_exception_of_httpx_has_its_reason(name: str) -> None:
    """And the text names the request."""
    judged = from_httpx(make(getattr(httpx, name)), "me (GET /me)")
    assert (judged.outcome, judged.reason) == HTTPX[name]
    assert str(judged).startswith("me (GET /me): ")


def raised(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


def dns() -> OSError:
    return OSError(-2, "Name or service not known")


@pytest.mark.parametrize(
    ("error", "outcome", "reason", "words"),
    [
        (httpx.ConnectTimeout("t"), TARGET, Reason.TIMEOUT, "no connection in time"),
        (httpx.ReadTimeout("t"), TARGET, Reason.TIMEOUT, "no answer in time"),
        (raised(httpx.ConnectError("all"), dns()), TARGET, Reason.DNS, "[Errno -2] Name or service not known"),
        (raised(httpx.ConnectError("x"), ssl.SSLError(1, "expired")), TARGET, Reason.TLS, "[SSL] expired"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] no"), TARGET, Reason.TLS, "[SSL: CERTIFICATE_VERIFY_FAILED] no"),
        (
            raised(httpx.ConnectError("all attempts failed"), ConnectionRefusedError(111, "Connection refused")),
            TARGET,
            Reason.CONNECTION,
            "[Errno 111] Connection refused",
        ),
        (
            raised(httpx.ConnectError("x"), OSError(101, "Network is unreachable")),
            OURS,
            Reason.NETWORK,
            "[Errno 101] Network is unreachable",
        ),
        (OSError(24, "Too many open files"), OURS, Reason.NETWORK, "[Errno 24] Too many open files"),
        (httpx.ReadError(""), TARGET, Reason.CONNECTION, "ReadError"),
    ],
)
def test_the_cause_below_decides(error: Exception, outcome: Outcome, reason: Reason, words: str) -> None:
    """What the operating system said is more telling than what the client made of it."""
    judged = from_httpx(error, "me")
    assert (judged.outcome, judged.reason) == (outcome, reason)
    assert str(judged) in {f"me: {words}", f"me: {words.replace('[SSL] ', '[Errno 1] ')}", f"me: {words.replace('[SSL] ', '')}"}


def test_a_circle_of_causes_ends() -> None:
    """An error that is its own cause's context is followed once."""
    first, second = httpx.ConnectError("a"), OSError("b")
    first.__context__, second.__context__ = second, first
    assert from_httpx(first, "me").reason is Reason.CONNECTION


def page_error(text: str) -> ProbeException:
    return from_playwright(playwright.async_api.Error(text), "open sign_in")


def test_every_exception_of_playwright_is_known() -> None:
    """There are two; a version with more fails here."""
    assert set(exceptions_of(playwright.async_api)) == {"Error", "TimeoutError"}


def test_waiting_in_vain_is_a_broken_page() -> None:
    """What should be there is not: the target's fault."""
    judged = from_playwright(playwright.async_api.TimeoutError("Timeout 100ms exceeded.\nCall log:"), "click submit")
    assert (judged.outcome, judged.reason, str(judged)) == (TARGET, Reason.PAGE_BROKEN, "click submit: Timeout 100ms exceeded.")


@pytest.mark.parametrize(
    ("text", "outcome", "reason"),
    [
        ("Target page, context or browser has been closed", OURS, Reason.BROWSER),
        ("Page crashed", OURS, Reason.BROWSER),
        ("Connection closed while reading from the driver", OURS, Reason.BROWSER),
        ("BrowserType.launch: Executable doesn't exist at /x", OURS, Reason.BROWSER),
        ("Something new", OURS, Reason.BROWSER),
        ("", OURS, Reason.BROWSER),
        ("Page.goto: net::ERR_CONNECTION_REFUSED at http://web.test/", TARGET, Reason.CONNECTION),
        ("Page.goto: net::ERR_EMPTY_RESPONSE at http://web.test/", TARGET, Reason.CONNECTION),
        ("Page.goto: net::ERR_ADDRESS_UNREACHABLE", TARGET, Reason.CONNECTION),
        ("Page.goto: net::ERR_NAME_NOT_RESOLVED", TARGET, Reason.DNS),
        ("Page.goto: net::ERR_CERT_DATE_INVALID", TARGET, Reason.TLS),
        ("Page.goto: net::ERR_SSL_PROTOCOL_ERROR", TARGET, Reason.TLS),
        ("Page.goto: net::ERR_TOO_MANY_REDIRECTS", TARGET, Reason.PROTOCOL),
        ("Page.goto: net::ERR_HTTP2_PROTOCOL_ERROR", TARGET, Reason.PROTOCOL),
        ("Page.goto: net::ERR_INCOMPLETE_CHUNKED_ENCODING", TARGET, Reason.PROTOCOL),
        ("Page.goto: net::ERR_TIMED_OUT", TARGET, Reason.TIMEOUT),
        ("Page.goto: net::ERR_INTERNET_DISCONNECTED", OURS, Reason.NETWORK),
        ("Page.goto: net::ERR_NETWORK_CHANGED", OURS, Reason.NETWORK),
        ("Page.goto: net::ERR_INSUFFICIENT_RESOURCES", OURS, Reason.BROWSER),
    ],
)
def test_an_error_of_the_browser_is_ours_unless_it_speaks_of_the_target(text: str, outcome: Outcome, reason: Reason) -> None:
    """A dead browser says nothing about the target; a page that cannot be fetched does."""
    judged = page_error(text)
    assert (judged.outcome, judged.reason) == (outcome, reason)
    assert str(judged) == f"open sign_in: {text or 'Error'}"
