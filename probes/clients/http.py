"""
One attempt's HTTP: operations of the profile, performed and judged.

Each attempt has connections of its own, so that a target that takes no new connection is seen at once.
"""

from __future__ import annotations

import json
import re
import ssl
import sys
import uuid
from collections.abc import Collection, Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any
from urllib.parse import quote

import httpx
import jmespath

from config import Profile, Settings
from config.profile import Operation, Refusal
from critpath import Context, ProbeError, ProbeFailed, Reason
from probes.failures import from_httpx
from probes.ports import Gate

_VARIABLE = re.compile(r"^\$(\w+)$")
_NO_BODY = frozenset({204, 304})
_DENIALS = frozenset({401, 403})
_MOST_SILENCE_SECONDS = 3600.0


class UnexpectedStatus(ProbeFailed):
    """The target answered with a status that is not right here."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(Reason.ACCESS_DENIED if status in _DENIALS else Reason.STATUS, message)
        self.status = status


class Answer:
    """What the target said. Attributes not listed here are the fields that the profile names under `read`."""

    def __init__(self, operation: str, spec: Operation, response: httpx.Response, body: Any, correlation_id: str) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.body = body
        self.errors = body.get("errors") or [] if isinstance(body, dict) else []
        self.seconds = response.elapsed.total_seconds()
        self.correlation_id = correlation_id
        self._operation = operation
        self._spec = spec

    def __getattr__(self, field: str) -> Any:
        if field.startswith("__"):
            raise AttributeError(field)
        expression = self._spec.read.get(field)
        if expression is None:
            known = ", ".join(self._spec.read) or "nothing"
            message = f"operation {self._operation!r} reads no {field!r}; the profile reads {known}"
            raise ProbeError(Reason.CONFIGURATION, message)
        root = self.body
        if self._spec.graphql is not None:
            root = root.get("data") if isinstance(root, dict) else None
        try:
            return _compiled(expression).search(root)
        except jmespath.exceptions.JMESPathError as exc:
            raise ProbeFailed(Reason.CONTENT, f"{field!r} cannot be read from the answer of {self._operation}: {exc}") from exc


class HttpClient:
    """Performs operations of the profile for one attempt. Not shared; closed with the attempt."""

    def __init__(
        self,
        settings: Settings,
        profile: Profile,
        gate: Gate,
        ctx: Context,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._settings = settings
        self._profile = profile
        self._gate = gate
        self._ctx = ctx
        self._client = httpx.AsyncClient(
            transport=transport,
            verify=tls_context(),
            follow_redirects=False,
            trust_env=False,
            headers=common_headers(settings, profile, ctx),
        )

    async def call(
        self, name: str, variables: Mapping[str, Any], *, bearer: str | None = None, expect: int | Collection[int] | None = None
    ) -> Answer:
        """
        Perform the operation *name* and judge its answer.

        Raises:
            ProbeFailed: no answer, an answer that means a refusal, an unexpected status, or errors in the body.
            ProbeError: our own fault, such as an operation that the profile does not have.
        """
        spec = self._profile.operations.get(name)
        if spec is None:
            raise ProbeError(Reason.CONFIGURATION, f"the profile {self._profile.name!r} has no operation {name!r}")
        expected = _statuses(spec, expect)
        correlation_id = str(uuid.uuid4())
        self._ctx.correlation_id = correlation_id
        request = self._request(name, spec, variables, bearer, correlation_id)
        doing = f"{name} ({request.method} {request.url.path})"
        surface = self._profile.graphql.surface if spec.graphql else spec.surface
        await self._gate.request(self._ctx, surface)
        response = await self._send(request, doing)
        body = _parse(response)
        self._refuse(doing, surface, response, body, expected)
        if response.status_code not in expected:
            raise UnexpectedStatus(response.status_code, f"{doing} answered {_summary(response, body, expected)}")
        # A refusal that is expected may say so in any words; what is read from it is nothing.
        if body is None and response.is_success and response.status_code not in _NO_BODY and (spec.read or spec.graphql):
            kind = response.headers.get("content-type", "no content type").split(";")[0]
            raise ProbeFailed(Reason.CONTENT, f"{doing} answered {response.status_code} with {kind} that is not JSON")
        answer = Answer(name, spec, response, body, correlation_id)
        if spec.graphql is not None and answer.errors:
            raise ProbeFailed(Reason.API_ERRORS, f"{doing} answered with errors: {_first_error(answer.errors)}")
        return answer

    async def aclose(self) -> None:
        """Close every connection of the attempt."""
        await self._client.aclose()

    def _request(
        self, name: str, spec: Operation, variables: Mapping[str, Any], bearer: str | None, correlation_id: str
    ) -> httpx.Request:
        graphql = self._profile.graphql
        headers = {self._profile.headers.correlation: correlation_id, **trace_header(self._ctx), **spec.headers}
        if bearer:
            headers["authorization"] = f"Bearer {bearer}"
        if spec.graphql is None:
            surface, method, path = spec.surface, spec.method, _fill_path(name, spec.path, variables)
            content = _fill(name, spec.body, variables) if spec.body is not None else None
        else:
            surface, method, path = graphql.surface, "POST", graphql.path
            content = {"query": spec.graphql, "variables": dict(variables)}
            if spec.operation_id and graphql.operation_id_header:
                headers[graphql.operation_id_header] = spec.operation_id
        if surface not in self._settings.surfaces:
            raise ProbeError(Reason.CONFIGURATION, f"operation {name!r} needs the surface {surface!r}, which is not configured")
        url = self._settings.surfaces[surface].rstrip("/") + path
        query = {key: str(_fill(name, value, variables)) for key, value in spec.query.items()}
        return self._client.build_request(
            method, url, params=query or None, json=content, headers=headers, timeout=max(self._ctx.remaining() - 0.05, 0.05)
        )

    async def _send(self, request: httpx.Request, doing: str) -> httpx.Response:
        limit = self._settings.limits.body_bytes
        try:
            response = await self._client.send(request, stream=True)
            try:
                chunks, size = [], 0
                async for chunk in response.aiter_bytes():
                    size += len(chunk)
                    if size > limit:
                        raise ProbeFailed(Reason.BODY_TOO_LARGE, f"{doing}: the body is larger than {limit:,} bytes")
                    chunks.append(chunk)
            finally:
                await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as exc:
            raise from_httpx(exc, doing) from exc
        response._content = b"".join(chunks)  # noqa: SLF001 - httpx offers no bounded read
        return response

    def _refuse(self, doing: str, surface: str, response: httpx.Response, body: Any, expected: Collection[int]) -> None:
        refusal = next((r for r in self._profile.refusals if _matches(r, response, body)), None)
        if refusal is None or response.status_code in expected:
            return
        wait = _retry_after(response)
        if refusal.reason is Reason.THROTTLED:
            self._gate.back_off(surface, wait)
        kind = ProbeError if refusal.outcome == "error" else ProbeFailed
        later = f"; it asks us to wait {wait:g} s" if wait else ""
        raise kind(refusal.reason, f"{doing}: {refusal.says} (HTTP {response.status_code}{later})")


def settle_sniffio() -> None:
    """Say once for the process that `sniffio` is not installed, if so: httpcore looks for it a dozen times per request."""
    if find_spec("sniffio") is None:
        # The way in which Python itself notes that there is no such module.
        sys.modules["sniffio"] = None  # type: ignore[assignment]


@cache
def tls_context() -> ssl.SSLContext:
    """Return the one TLS context of the process: reading the trust store is what makes a client expensive."""
    return httpx.create_ssl_context()


def common_headers(settings: Settings, profile: Profile, ctx: Context) -> dict[str, str]:
    """Return what every request of ours carries, whichever client sends it."""
    names = profile.headers
    tenant = {names.tenant: settings.tenant} if names.tenant else {}
    return {"user-agent": f"critpath (synthetic monitoring; check={ctx.check})", **names.extra, **tenant}


def trace_header(ctx: Context) -> dict[str, str]:
    """Return the W3C `traceparent` of a new span in the attempt's trace, sampled."""
    return {"traceparent": f"00-{ctx.trace_id or uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01"}


@cache
def _compiled(expression: str) -> Any:
    return jmespath.compile(expression)


def _statuses(spec: Operation, expect: int | Collection[int] | None) -> Collection[int]:
    if expect is None:
        return spec.expect
    return (expect,) if isinstance(expect, int) else expect


def _fill(operation: str, template: Any, variables: Mapping[str, Any]) -> Any:
    if isinstance(template, Mapping):
        return {key: _fill(operation, value, variables) for key, value in template.items()}
    if isinstance(template, (list, tuple)):
        return [_fill(operation, value, variables) for value in template]
    if isinstance(template, str) and (found := _VARIABLE.match(template)):
        if found[1] not in variables:
            raise ProbeError(Reason.CONFIGURATION, f"operation {operation!r} needs the variable {found[1]!r}")
        return variables[found[1]]
    return template


def _fill_path(operation: str, path: str, variables: Mapping[str, Any]) -> str:
    try:
        return path.format_map({key: quote(str(value), safe="") for key, value in variables.items()})
    except KeyError as exc:
        raise ProbeError(Reason.CONFIGURATION, f"operation {operation!r} needs the variable {exc}") from None


def _parse(response: httpx.Response) -> Any:
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None


def _matches(refusal: Refusal, response: httpx.Response, body: Any) -> bool:
    if refusal.status is not None and refusal.status != response.status_code:
        return False
    try:
        return refusal.when is None or _compiled(refusal.when).search(body) is True
    except jmespath.exceptions.JMESPathError:
        return False


def _summary(response: httpx.Response, body: Any, expected: Collection[int]) -> str:
    wanted = " or ".join(map(str, sorted(expected)))
    said = ""
    if isinstance(body, dict):
        said = str(body.get("code") or body.get("error") or _first_error(body.get("errors") or []) or "")
    return f"{response.status_code}{f' {said[:120]}' if said else ''}; expected {wanted}"


def _first_error(errors: Any) -> str:
    first = errors[0] if isinstance(errors, list) and errors else errors
    return str(first.get("message", first) if isinstance(first, dict) else first)[:200] if first else ""


def _retry_after(response: httpx.Response) -> float:
    """Return the seconds for which we are asked to be silent, of an hour at most: a slip of the target must not blind us."""
    try:
        asked = float(response.headers.get("retry-after", "0"))
    except ValueError:
        return 0.0
    return min(max(0.0, asked), _MOST_SILENCE_SECONDS)
