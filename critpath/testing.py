"""
Doubles for trying a probe without a target, a daemon or a wait. Standard library only.

    from critpath.testing import FakeAnswer, FakeTools, run_once

    async def test_a_missing_case_is_found_out() -> None:
        tools = FakeTools({"searchAll": FakeAnswer(ids=["case-8"])})
        result = await run_once(probe, tools, params={"identity": "analyst"}, fixture={"case": "x", "case_id": "case-7"})
        assert result.outcome is Outcome.FAILED
        assert result.reason is Reason.WRONG_ANSWER

What an operation answers is given by its name, or by `(identity, name)` where that matters: a `FakeAnswer`, an
exception to raise, a function from the `Call` to either, or a list of these, one for each call and the last for all
that follow. As with a real session, a status that is not expected raises `ProbeFailed`, and so do the errors of a
`graphql` call. What was asked is in `FakeTools.calls`.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from critpath.errors import ProbeError, ProbeFailed
from critpath.model import Outcome, Reason, Result, RunClass
from critpath.probe import Context, Probe, Rotation
from critpath.run import run_probe

__all__ = ["Call", "Canned", "FakeAnswer", "FakeCanary", "FakeClock", "FakePage", "FakeSession", "FakeTools", "run_once"]

_DENIALS = frozenset({401, 403})


class FakeClock:
    """A clock that stands still until somebody sleeps or calls `advance`. Sleeping takes no time of yours."""

    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        self._now_ms = now_ms
        self._seconds = 0.0
        self.slept: list[float] = []

    def now(self) -> int:
        """Return UTC epoch milliseconds."""
        return self._now_ms + round(self._seconds * 1000)

    def monotonic(self) -> float:
        """Return the seconds since this clock was made."""
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        """Let *seconds* pass at once; others have their turn meanwhile."""
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass."""
        self._seconds += max(0.0, seconds)


@dataclass(frozen=True, slots=True)
class Call:
    """One operation that a probe asked for."""

    identity: str
    operation: str
    variables: Mapping[str, Any]
    expect: int | Collection[int] | None
    bearer: str | None
    correlation_id: str


class FakeAnswer:
    """An answer of the target. *fields* are what the profile would read from the body; others cannot be read."""

    def __init__(  # noqa: PLR0913 - what an answer has
        self,
        status: int = 200,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        errors: Sequence[Any] = (),
        seconds: float = 0.01,
        correlation_id: str = "",
        **fields: Any,
    ) -> None:
        self.status = status
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in (headers or {}).items()}
        self.body = body
        self.errors: list[Any] = list(errors)
        self.seconds = seconds
        self.correlation_id = correlation_id
        self._fields = fields

    def __getattr__(self, field: str) -> Any:
        if field.startswith("_"):
            raise AttributeError(field)
        if field not in self._fields:
            raise ProbeError(
                Reason.CONFIGURATION, f"this answer reads no {field!r}; it reads {', '.join(self._fields) or 'nothing'}"
            )
        return self._fields[field]

    def to(self, call: Call) -> FakeAnswer:
        """Return this answer as that to *call*: with its correlation id, unless it has one of its own."""
        own = self.correlation_id or call.correlation_id
        return FakeAnswer(
            self.status,
            headers=self.headers,
            body=self.body,
            errors=self.errors,
            seconds=self.seconds,
            correlation_id=own,
            **self._fields,
        )


Canned = FakeAnswer | Exception | Callable[[Call], "FakeAnswer | Exception"]
"""What one call comes to."""


class FakeSession:
    """A session whose answers are canned. Implements `critpath.Session`; made by `FakeTools`."""

    def __init__(self, tools: FakeTools, ctx: Context, identity: str) -> None:
        self.identity = identity
        self._tools = tools
        self._ctx = ctx

    async def call(
        self, operation: str, /, *, expect: int | Collection[int] | None = None, bearer: str | None = None, **variables: Any
    ) -> FakeAnswer:
        """Return the canned answer, or raise as a real session does where its status is not expected (any 2xx by default)."""
        call = Call(self.identity, operation, variables, expect, bearer, str(uuid.uuid4()))
        self._ctx.correlation_id = call.correlation_id
        answer = self._tools.answer(call)
        expected = range(200, 300) if expect is None else (expect,) if isinstance(expect, int) else expect
        if answer.status not in expected:
            reason = Reason.ACCESS_DENIED if answer.status in _DENIALS else Reason.STATUS
            raise ProbeFailed(reason, f"{operation} answered {answer.status}")
        return answer

    async def graphql(self, operation: str, /, **variables: Any) -> FakeAnswer:
        """Like `call`; an answer with errors fails."""
        answer = await self.call(operation, **variables)
        if answer.errors:
            raise ProbeFailed(Reason.API_ERRORS, f"{operation} answered with errors: {answer.errors[0]}")
        return answer

    async def rotate(self) -> Rotation:
        """Return the rotation that the tools were made with, or raise it."""
        if isinstance(self._tools.rotation, Exception):
            raise self._tools.rotation
        return self._tools.rotation


@dataclass
class FakePage:
    """A page that shows the elements in *shows*. *broken* maps `open route`, `fill …` and `click …` to what they raise."""

    shows: Collection[str] = ()
    broken: Mapping[str, Exception] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    typed: dict[str, str] = field(default_factory=dict)

    async def open(self, route: str) -> None:
        """Note that *route* was opened."""
        self._do(f"open {route}")

    async def fill(self, element: str, text: str) -> None:
        """Note what was typed into *element*."""
        self._do(f"fill {element}")
        self.typed[element] = text

    async def click(self, element: str) -> None:
        """Note that *element* was clicked."""
        self._do(f"click {element}")

    async def sees(self, element: str, *, otherwise: str, **values: Any) -> None:
        """Return at once where *element* is shown, and fail at once where it is not."""
        self._do(f"see {element}")
        if element not in self.shows:
            raise ProbeFailed(Reason.PAGE_BROKEN, otherwise)

    def _do(self, what: str) -> None:
        self.done.append(what)
        if what in self.broken:
            raise self.broken[what]


@dataclass
class FakeCanary:
    """A canary whose course can be looked at."""

    nonce: str
    kind: str
    remote_id: str | None = None
    is_gone: bool = False

    async def stored(self, remote_id: str) -> None:
        """Keep the id."""
        self.remote_id = remote_id

    async def gone(self) -> None:
        """Note that the record is removed."""
        self.is_gone = True


@dataclass
class FakeTools:
    """
    What a probe is lent. Implements `critpath.Toolbox`.

    *identities* maps an identity to its username and password; without it, every identity has an account. *notes* are
    what `recall` returns and `remember` replaces. Everything that the probe did can be looked at afterwards.
    """

    answers: Mapping[str | tuple[str, str], Canned | Sequence[Canned]] = field(default_factory=dict)
    identities: Mapping[str, Mapping[str, str]] | None = None
    rotation: Rotation | Exception = field(default_factory=lambda: Rotation("new-access", "old-refresh", "new-refresh"))
    shown: FakePage = field(default_factory=FakePage)
    notes: Mapping[str, Any] = field(default_factory=dict)
    sign_in_fails: Exception | None = None
    calls: list[Call] = field(default_factory=list)
    canaries: list[FakeCanary] = field(default_factory=list)
    sign_ins: list[str] = field(default_factory=list)
    closed: bool = False
    _answered: Counter[str | tuple[str, str]] = field(default_factory=Counter, repr=False)

    async def session(self, ctx: Context, identity: str) -> FakeSession:
        """Return a session of *identity*."""
        self.credentials(identity)
        return FakeSession(self, ctx, identity)

    async def sign_in(self, ctx: Context, identity: str) -> FakeSession:
        """Return a session of *identity* and note the login, or raise `sign_in_fails`."""
        self.sign_ins.append(identity)
        if self.sign_in_fails is not None:
            raise self.sign_in_fails
        return await self.session(ctx, identity)

    async def stranger(self, ctx: Context) -> FakeSession:
        """Return a session of `anonymous`."""
        return FakeSession(self, ctx, "anonymous")

    @asynccontextmanager
    async def page(self, ctx: Context) -> AsyncIterator[FakePage]:
        """Lend the page."""
        yield self.shown

    def credentials(self, identity: str) -> Mapping[str, str]:
        """Return the account of *identity*."""
        if self.identities is None:
            return {"username": f"{identity}@example.org", "password": f"password of {identity}"}
        if identity not in self.identities:
            raise ProbeError(Reason.CONFIGURATION, f"no identity {identity!r} in the configuration")
        return self.identities[identity]

    async def canary(self, ctx: Context, kind: str) -> FakeCanary:
        """Return a canary with a nonce of its own."""
        self.canaries.append(FakeCanary(f"critpathcanary{'abcdefghij'[len(self.canaries) % 10]}", kind))
        return self.canaries[-1]

    async def recall(self, ctx: Context) -> Mapping[str, Any]:
        """Return the notes."""
        return self.notes

    async def remember(self, ctx: Context, memory: Mapping[str, Any]) -> None:
        """Replace the notes."""
        self.notes = dict(memory)

    async def aclose(self, ctx: Context) -> None:
        """Note that the attempt is over."""
        self.closed = True

    def answer(self, call: Call) -> FakeAnswer:
        """Return what *call* comes to, or raise it."""
        self.calls.append(call)
        own = (call.identity, call.operation)
        key: str | tuple[str, str] = own if own in self.answers else call.operation
        if key not in self.answers:
            raise ProbeError(Reason.CONFIGURATION, f"no answer was given for the operation {call.operation!r}")
        canned = self.answers[key]
        if isinstance(canned, Sequence):
            canned = canned[min(self._answered[key], len(canned) - 1)]
        self._answered[key] += 1
        found = canned if isinstance(canned, (FakeAnswer, Exception)) else canned(call)
        if isinstance(found, Exception):
            raise found
        return found.to(call)


async def run_once(  # noqa: PLR0913 - the fields of a context, each with a default
    probe: Probe,
    tools: FakeTools | None = None,
    *,
    params: Mapping[str, Any] | None = None,
    fixture: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
    deadline: float = 10.0,
    slow_after: float | None = None,
    clock: FakeClock | None = None,
    check: str = "tried",
    path: str = "path",
    run_class: RunClass = RunClass.ONDEMAND,
) -> Result:
    """
    Make one attempt of *probe*, as the daemon does, and return what came of it.

    A deadline is in force in real seconds and on the *clock*: an attempt that sleeps beyond it ends as a timeout.
    """
    ctx = Context(
        check=check,
        path=path,
        deadline=deadline,
        run_id="run",
        run_class=run_class,
        slow_after=slow_after,
        params=params or {},
        fixture=fixture or {},
        facts=facts or {},
        tools=tools or FakeTools(),
        clock=clock or FakeClock(),
    )
    result = await run_probe(probe, ctx)
    if result.seconds <= deadline:
        return result
    return replace(result, outcome=Outcome.FAILED, reason=Reason.TIMEOUT, message=f"no end within {deadline:g} s")
