"""
What a probe is, and what it is handed.

A probe is one `async def` that gets a `Context` and returns when the flow works. It raises otherwise, most often
through `check_that`. It has no loop, no deadline and no verdict of its own: those belong to `run_probe`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from critpath.clock import Clock, SystemClock
from critpath.errors import ProbeError
from critpath.model import Reason, RunClass, Step


class Answer(Protocol):
    """What the target said to one operation. Attributes beyond these are the fields the profile names under `read`."""

    status: int
    headers: Mapping[str, str]
    body: Any
    errors: list[Any]
    seconds: float
    correlation_id: str

    def __getattr__(self, field: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a refresh did to the tokens of a session. Never logged."""

    access: str = field(repr=False)
    old_refresh: str = field(repr=False)
    new_refresh: str = field(repr=False)


class Session(Protocol):
    """One identity's way to speak to the target, or that of a stranger."""

    @property
    def identity(self) -> str:
        """The name of the identity in the configuration, or `anonymous`."""
        ...

    async def call(
        self, operation: str, /, *, expect: int | Collection[int] | None = None, bearer: str | None = None, **variables: Any
    ) -> Answer:
        """
        Perform an operation of the target profile and return its answer.

        *expect* are the statuses that are right here; by default those of the profile. *bearer* replaces the token of
        the session for this call.

        Raises:
            ProbeFailed: the target refused, broke, or answered with errors.
            ProbeError: we are at fault: throttled, no such operation, no credential.
        """
        ...

    async def graphql(self, operation: str, /, **variables: Any) -> Answer:
        """Like `call`, for an operation that the profile declares as GraphQL."""
        ...

    async def rotate(self) -> Rotation:
        """Refresh the shared session now, whether or not it is due, and return the tokens before and after."""
        ...


class Page(Protocol):
    """A page of a real browser, in the words of the target profile."""

    async def open(self, route: str) -> None:
        """Go to a route of the web surface and wait for its document."""
        ...

    async def fill(self, element: str, text: str) -> None:
        """Empty the element that the profile names, then type into it."""
        ...

    async def click(self, element: str) -> None:
        """Click the element that the profile names."""
        ...

    async def sees(self, element: str, *, otherwise: str, **values: Any) -> None:
        """Wait until the element is visible; *otherwise* says what is wrong if it never is."""
        ...


class Canary(Protocol):
    """A record of ours in the target, entered in the register before it is written."""

    nonce: str

    async def stored(self, remote_id: str) -> None:
        """Note under which id the target keeps the record."""
        ...

    async def gone(self) -> None:
        """Note that a reading has proved that the record is removed."""
        ...


class Toolbox(Protocol):
    """What the daemon lends to a probe. Every tool is opened for one attempt and closed with it."""

    async def session(self, ctx: Context, identity: str) -> Session: ...  # noqa: D102
    async def sign_in(self, ctx: Context, identity: str) -> Session: ...  # noqa: D102
    async def stranger(self, ctx: Context) -> Session: ...  # noqa: D102
    def page(self, ctx: Context) -> AbstractAsyncContextManager[Page]: ...  # noqa: D102
    def credentials(self, identity: str) -> Mapping[str, str]: ...  # noqa: D102
    async def canary(self, ctx: Context, kind: str) -> Canary: ...  # noqa: D102
    async def recall(self, ctx: Context) -> Mapping[str, Any]: ...  # noqa: D102
    async def remember(self, ctx: Context, memory: Mapping[str, Any]) -> None: ...  # noqa: D102
    async def aclose(self, ctx: Context) -> None: ...  # noqa: D102


@dataclass(slots=True)
class Context:
    """
    One attempt: who asks, with which parameters, until when, and what was seen so far.

    *params* are the check's own settings, *fixture* the known records of the target, *facts* what the target profile
    says about it. *deadline* is in seconds from the start; *slow_after* the latency objective in seconds, or none.
    """

    check: str
    path: str
    deadline: float
    run_id: str = ""
    run_class: RunClass = RunClass.SCHEDULED
    attempt: int = 1
    slow_after: float | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    fixture: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    tools: Toolbox | None = None
    clock: Clock = field(default_factory=SystemClock)
    trace_id: str = ""
    correlation_id: str = ""
    steps: list[Step] = field(default_factory=list)
    measurements: dict[str, float] = field(default_factory=dict)
    started: float = 0.0
    own_work: tuple[Reason, str] | None = None

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[None]:
        """Time a part of the attempt under *name*. A step that raises is the one named in the page."""
        began = self.clock.monotonic()
        ok = False
        try:
            yield
            ok = True
        finally:
            ended = self.clock.monotonic()
            self.steps.append(Step(name, began - self.started, ended - began, ok))

    @contextmanager
    def on_our_side(self, reason: Reason, what: str) -> Iterator[None]:
        """Mark work that is not the target's: a deadline that falls into it is our error, with *reason*, and no outage."""
        before, self.own_work = self.own_work, (reason, what)
        try:
            yield
        except Exception:
            self.own_work = before
            raise
        self.own_work = before  # but not where the deadline cancels us: `run_probe` asks for it then

    def remaining(self) -> float:
        """Return the seconds that are left until the deadline; never negative."""
        return max(0.0, self.deadline - (self.clock.monotonic() - self.started))

    def measure(self, name: str, value: float) -> None:
        """Keep a figure with the result: base units, a name from the probe's text, never from an answer."""
        self.measurements[name] = value

    async def session(self, identity: str) -> Session:
        """Return the shared session of *identity*: logged in, refreshed ahead of its end."""
        return await self._tools.session(self, identity)

    async def sign_in(self, identity: str) -> Session:
        """Log in anew, apart from the shared session. For checks of logging in itself: logins are scarce."""
        return await self._tools.sign_in(self, identity)

    async def stranger(self) -> Session:
        """Return a session of nobody: requests carry no token."""
        return await self._tools.stranger(self)

    def page(self) -> AbstractAsyncContextManager[Page]:
        """Open a page in a fresh browser context, closed at the end of the block whatever happens."""
        return self._tools.page(self)

    def credentials(self, identity: str) -> Mapping[str, str]:
        """Return the identity's `username` and `password`."""
        return self._tools.credentials(identity)

    async def canary(self, kind: str) -> Canary:
        """Enter a record in the register *before* it is written, and return its nonce."""
        return await self._tools.canary(self, kind)

    async def recall(self) -> Mapping[str, Any]:
        """Return what the last good attempt of this check chose to remember; empty at first."""
        return await self._tools.recall(self)

    async def remember(self, **memory: Any) -> None:
        """Keep small JSON values for the next attempt of this check, across restarts."""
        await self._tools.remember(self, memory)

    @property
    def _tools(self) -> Toolbox:
        if self.tools is None:
            raise ProbeError(Reason.BUG, "this context was made without tools")
        return self.tools


class Probe(Protocol):
    """Walk one part of a critical path. Return on success, raise otherwise."""

    async def __call__(self, ctx: Context, /) -> None: ...  # noqa: D102
