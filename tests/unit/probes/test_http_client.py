"""One attempt's HTTP: what is sent, and what each answer means."""

from __future__ import annotations

import gzip
import json
import re
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from critpath import Outcome, ProbeError, ProbeException, ProbeFailed, Reason
from tests.unit.probes.probe_doubles import SETTINGS, Arriving, RecordingGate, Wire, raises, says


async def fails(wire: Wire, operation: str = "me", variables: dict[str, Any] | None = None, **options: Any) -> ProbeException:
    """Return the exception that a call ends with."""
    with pytest.raises(ProbeException) as caught:
        await wire.http.call(operation, variables or {}, **options)
    return caught.value


async def test_every_request_carries_what_the_profile_says() -> None:
    """Tenant, version, who we are, a bare UUID to find the audit event by, and a span of the attempt's own trace."""
    wire = Wire(says(200, {"user": {"email": "a@b"}}))
    answer = await wire.http.call("me", {}, bearer="tok")
    sent = wire.sent[0].headers
    assert str(wire.sent[0].url) == "http://api.test/base/me"
    assert sent["x-tenant-id"] == "synthetic"
    assert sent["x-api-version"] == "1.1"
    assert sent["user-agent"] == "critpath (synthetic monitoring; check=c)"
    assert sent["authorization"] == "Bearer tok"
    assert (
        str(uuid.UUID(sent["x-correlation-id"])) == sent["x-correlation-id"] == answer.correlation_id == wire.ctx.correlation_id
    )
    assert re.fullmatch(r"00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01", sent["traceparent"])
    assert (answer.status, answer.user, answer.errors) == (200, "a@b", [])


async def test_every_request_has_an_id_and_a_span_of_its_own() -> None:
    """Two requests of an attempt share the trace and nothing else; without a token there is no authorization."""
    wire = Wire(says())
    for _ in range(2):
        await wire.http.call("ping", {})
    assert len({request.headers["x-correlation-id"] for request in wire.sent}) == 2
    assert len({request.headers["traceparent"] for request in wire.sent}) == 2
    assert not any("authorization" in request.headers for request in wire.sent)
    assert wire.gate.requests == ["api", "api"]


async def test_a_variable_in_a_path_cannot_leave_its_place() -> None:
    """Slashes, question marks and spaces of a value are escaped."""
    wire = Wire(says())
    await wire.http.call("named", {"id": "a/b c?d+e%", "part": 7, "limit": 5})
    assert wire.sent[0].url.raw_path == b"/base/things/a%2Fb%20c%3Fd%2Be%25/parts/7?limit=5&fixed=yes"


async def test_a_body_is_filled_with_whole_values() -> None:
    """A variable is put in as the JSON value that it is."""
    wire = Wire(says(202))
    await wire.http.call("write", {"record": {"n": 1, "deep": [True]}})
    assert json.loads(wire.sent[0].content) == {"records": [{"props": {"n": 1, "deep": [True]}, "kind": "Fixed"}]}
    assert wire.sent[0].headers["x-reason"] == "monitoring"


async def test_graphql_is_sent_with_its_variables_and_its_id() -> None:
    """The document, the variables as they are, and the id under which it is registered."""
    wire = Wire(says(200, {"data": {"search": [{"id": "x"}]}}))
    answer = await wire.http.call("search", {"q": "meridian"})
    sent = wire.sent[0]
    assert (sent.method, sent.url.path, sent.headers["x-operation-id"]) == ("POST", "/base/graphql", "small.search")
    assert json.loads(sent.content)["variables"] == {"q": "meridian"}
    assert answer.ids == ["x"]


@pytest.mark.parametrize(
    ("operation", "variables", "said"),
    [
        ("nothing", {}, "the profile 'small' has no operation 'nothing'"),
        ("named", {"id": "a", "limit": 1}, "operation 'named' needs the variable 'part'"),
        ("named", {"id": "a", "part": 1}, "operation 'named' needs the variable 'limit'"),
        ("write", {}, "operation 'write' needs the variable 'record'"),
        ("read_ledger", {}, "operation 'read_ledger' needs the surface 'ledger', which is not configured"),
    ],
)
async def test_a_call_that_cannot_be_made_is_a_mistake_of_ours(operation: str, variables: dict[str, Any], said: str) -> None:
    """It is named, and nothing is sent or taken from the budget."""
    wire = Wire(says())
    error = await fails(wire, operation, variables)
    assert (error.outcome, error.reason, str(error)) == (Outcome.ERROR, Reason.CONFIGURATION, said)
    assert (wire.sent, wire.gate.requests) == ([], [])


@pytest.mark.parametrize(
    ("status", "body", "outcome", "reason", "said"),
    [
        (429, None, Outcome.ERROR, Reason.THROTTLED, "me (GET /base/me): the target throttles us (HTTP 429)"),
        (503, {"code": "SWITCH"}, Outcome.FAILED, Reason.KILL_SWITCH, "me (GET /base/me): the kill switch is on (HTTP 503)"),
        (503, {"code": "x"}, Outcome.FAILED, Reason.STATUS, "me (GET /base/me) answered 503 x; expected 200"),
        (400, {"error": 7}, Outcome.FAILED, Reason.STATUS, "me (GET /base/me) answered 400 7; expected 200"),
        (400, {"error": "abc"}, Outcome.ERROR, Reason.CONFIGURATION, "me (GET /base/me): mis-set (HTTP 400)"),
        (500, None, Outcome.FAILED, Reason.STATUS, "me (GET /base/me) answered 500; expected 200"),
        (401, {"error": "no"}, Outcome.FAILED, Reason.ACCESS_DENIED, "me (GET /base/me) answered 401 no; expected 200"),
        (403, None, Outcome.FAILED, Reason.ACCESS_DENIED, "me (GET /base/me) answered 403; expected 200"),
        (302, None, Outcome.FAILED, Reason.STATUS, "me (GET /base/me) answered 302; expected 200"),
    ],
)
async def test_a_status_means_what_the_profile_says(
    status: int, body: Any, outcome: Outcome, reason: Reason, said: str
) -> None:
    """The first refusal that matches decides; without one the status does, and a redirect is not followed."""
    wire = Wire(says(status, body, location="http://api.test/base/me"))
    error = await fails(wire)
    assert (error.outcome, error.reason, str(error)) == (outcome, reason, said)
    assert len(wire.sent) == 1


@pytest.mark.parametrize(
    ("header", "seconds"), [("30", 30.0), ("0.5", 0.5), ("-1", 0.0), ("soon", 0.0), ("inf", 3600.0), ("nan", 0.0)]
)
async def test_being_throttled_makes_the_surface_silent(header: str, seconds: float) -> None:
    """For as long as the target asks, an hour at most; what is no number asks for nothing."""
    wire = Wire(says(429, retry_after=header))
    error = await fails(wire)
    assert wire.gate.silences == [("api", seconds)]
    assert ("asks us to wait" in str(error)) is (seconds > 0)


async def test_a_budget_that_refuses_keeps_the_request_from_being_sent() -> None:
    """The gate's own exception comes through."""
    wire = Wire(says(), gate=RecordingGate(refuses=ProbeError(Reason.THROTTLED, "none left")))
    assert (await fails(wire)).reason is Reason.THROTTLED
    assert wire.sent == []


async def test_a_status_that_is_expected_here_is_an_answer() -> None:
    """Even one that the profile calls a refusal, and even in plain text; nothing can be read from that."""
    wire = Wire(lambda _: httpx.Response(429, text="Too Many Requests"))
    answer = await wire.http.call("me", {}, expect=(200, 429))
    assert (answer.status, answer.user) == (429, None)
    assert (await Wire(says(204)).http.call("me", {}, expect=204)).status == 204


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"<html>", "text/html"), (b'{"a": 1', "application/json"), (b"", "text/plain"), (b"\xff\xfe\xfa", "x/y")],
)
async def test_an_answer_that_is_not_json_fails(content: bytes, kind: str) -> None:
    """A single-page application that answers every route with its page is found out."""
    wire = Wire(lambda _: httpx.Response(200, content=content, headers={"content-type": f"{kind}; charset=utf-8"}))
    error = await fails(wire)
    assert (error.outcome, error.reason) == (Outcome.FAILED, Reason.CONTENT)
    assert str(error) == f"me (GET /base/me) answered 200 with {kind} that is not JSON"


async def test_an_answer_from_which_nothing_is_read_may_be_anything() -> None:
    """A page is right where the profile reads no field."""
    assert (await Wire(lambda _: httpx.Response(200, text="pong")).http.call("ping", {})).status == 200


async def test_graphql_errors_fail_though_the_status_is_200() -> None:
    """Also beside data; the first message is quoted."""
    error = await fails(Wire(says(200, {"data": {"search": []}, "errors": [{"message": "down"}, {}]})), "search", {"q": "x"})
    assert (error.outcome, error.reason) == (Outcome.FAILED, Reason.API_ERRORS)
    assert str(error) == "search (POST /base/graphql) answered with errors: down"


async def test_a_field_that_the_profile_does_not_read_is_a_mistake_of_ours() -> None:
    """The text names what could be read."""
    answer = await Wire(says(200, {})).http.call("me", {})
    with pytest.raises(ProbeError, match=r"operation 'me' reads no 'age'; the profile reads user, longest"):
        _ = answer.age
    with pytest.raises(AttributeError):
        _ = answer.__wrapped__


async def test_a_field_of_a_type_that_cannot_be_read_is_the_targets_fault() -> None:
    """An object where a list should be fails; it is no bug of ours."""
    answer = await Wire(says(200, {"items": {"size": 1}})).http.call("me", {})
    with pytest.raises(ProbeFailed) as caught:
        _ = answer.longest
    assert caught.value.reason is Reason.CONTENT


class Endless(httpx.AsyncByteStream):
    """A body without an end, in chunks; counts those taken, and notes that it was closed."""

    def __init__(self, chunk: bytes) -> None:
        self.chunk, self.taken, self.closed = chunk, 0, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give one chunk after the other."""
        while True:
            self.taken += 1
            yield self.chunk

    async def aclose(self) -> None:
        """Note it."""
        self.closed = True


async def test_an_endless_body_is_cut_off() -> None:
    """Of a limit of 10,000 bytes no more than one chunk beyond is read, and the connection is closed."""
    stream = Endless(b"x" * 1000)
    error = await fails(Wire(lambda _: httpx.Response(200, stream=stream)))
    assert (error.outcome, error.reason) == (Outcome.FAILED, Reason.BODY_TOO_LARGE)
    assert str(error) == "me (GET /base/me): the body is larger than 10,000 bytes"
    assert (stream.taken, stream.closed) == (11, True)


async def test_a_compressed_bomb_is_measured_unpacked() -> None:
    """A few hundred bytes that unpack to a hundred thousand are too many."""
    packed = gzip.compress(b"\0" * 100_000)
    assert len(packed) < SETTINGS.limits.body_bytes / 20
    wire = Wire(lambda _: httpx.Response(200, stream=Arriving(packed), headers={"content-encoding": "gzip"}))
    assert (await fails(wire)).reason is Reason.BODY_TOO_LARGE


async def test_a_body_that_cannot_be_unpacked_is_wrong_content() -> None:
    """It says gzip and is none."""
    wire = Wire(lambda _: httpx.Response(200, stream=Endless(b"not gzip"), headers={"content-encoding": "gzip"}))
    assert (await fails(wire)).reason is Reason.CONTENT


async def test_an_error_of_the_connection_names_the_request() -> None:
    """Without the address: that is in the configuration."""
    error = await fails(Wire(raises(httpx.ReadTimeout("late"))))
    assert (error.outcome, error.reason, str(error)) == (Outcome.FAILED, Reason.TIMEOUT, "me (GET /base/me): no answer in time")


async def test_a_request_ends_just_before_the_attempt() -> None:
    """So that it can still say what it was waiting for: 50 ms before, and after the end no later than 50 ms."""
    wire = Wire(says())
    await wire.http.call("ping", {})
    wire.clock.advance(60)
    await wire.http.call("ping", {})
    assert [request.extensions["timeout"]["read"] for request in wire.sent] == [pytest.approx(4.95), 0.05]
    await wire.http.aclose()
