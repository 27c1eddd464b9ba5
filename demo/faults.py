"""Every switch of the twin, declared once. Where a fault acts, the handler asks `faults.on(NAME)`."""

import asyncio
import difflib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Path = Literal["auth", "investigation", "ingestion", "audit", "orchestration", "writes", "all", "none"]
GRAPHQL_ROUTE = {"route": "/graphql"}


@dataclass(frozen=True, slots=True)
class Switch:
    """One fault or disturbance: the path that must turn bad, and the parameters that PUT may change."""

    name: str
    path: Path
    line: str
    kind: Literal["fault", "disturbance"] = "fault"
    parameters: Mapping[str, Any] = field(default_factory=dict)


def _disturbance(name: str, line: str, **parameters: Any) -> Switch:
    return Switch(name, "none", line, "disturbance", parameters)


SWITCHES: tuple[Switch, ...] = (
    Switch("login-500", "auth", "login answers 500"),
    Switch("login-hang", "auth", "login never answers"),
    Switch("login-refused", "auth", "login resets the connection"),
    Switch("login-db-outage", "auth", "login answers 401 INVALID_CREDENTIALS for every account"),
    Switch("login-token-expired", "auth", "login gives a token that has already expired"),
    Switch("login-token-no-role", "auth", "login gives a token without its role claim"),
    Switch("refresh-500", "auth", "refresh answers 500"),
    Switch("refresh-token-rejected", "auth", "the access token that refresh gives is refused by every guard"),
    Switch("refresh-not-rotated", "auth", "refresh gives the same refresh token again"),
    Switch("refresh-reuse-accepted", "auth", "a refresh token that was rotated away still works"),
    Switch("authz-open", "auth", "the protected route answers 200 without a token"),
    Switch("authz-escalation", "auth", "a viewer gets 200 where an operator is required"),
    Switch("authz-locked", "auth", "an operator gets 403"),
    Switch("authz-forged-accepted", "auth", "the signature of a token is not checked"),
    Switch("authz-alg-none-accepted", "auth", "an unsigned token (alg none) is accepted"),
    Switch("authz-expired-accepted", "auth", "an expired token is accepted"),
    Switch("logout-noop", "auth", "logout answers 200 and revokes nothing"),
    Switch("web-bundle-missing", "auth", "the page's script is gone; its address answers index.html"),
    Switch("web-blank", "auth", "the page loads and renders nothing"),
    Switch("web-form-broken", "auth", "the sign-in button does nothing"),
    Switch(
        "graph-mock-fallback", "investigation", "the graph database is down, answers come from built-in mock records"
    ),
    Switch("graph-expand-stub", "investigation", "expansion returns the seed alone"),
    Switch("graph-expand-wrong", "investigation", "expansion returns the neighbours of another entity"),
    Switch("entity-null", "investigation", "a fixture entity is answered with null"),
    Switch("entity-other-tenant", "investigation", "a fixture entity is answered with another tenant's record"),
    Switch("entity-stale", "investigation", "a fixture entity is answered in yesterday's version"),
    Switch("search-empty", "investigation", "search finds nothing"),
    Switch("search-partial", "investigation", "search gives half of its results, and `errors`"),
    Switch("search-errors-200", "investigation", "search answers 200 with `errors` only"),
    Switch("search-slow", "investigation", "search takes longer", parameters={"seconds": 2.0}),
    Switch("search-hang", "investigation", "search never answers"),
    Switch("graphql-unmasked-500", "investigation", "every GraphQL request answers 500 Internal server error"),
    Switch("web-explore-mock", "investigation", "the explorer page shows its bundled mock data"),
    Switch("wrong-environment", "investigation", "the target says that it is staging"),
    Switch("ingest-refused", "ingestion", "the entry resets the connection"),
    Switch("ingest-500", "ingestion", "the entry answers 500"),
    Switch("ingest-lost", "ingestion", "202, then the job is gone and nothing is stored"),
    Switch("ingest-stuck", "ingestion", "jobs stay waiting; dropped when switched off"),
    Switch("ingest-corrupt", "ingestion", "records are stored with one field changed", parameters={"field": ""}),
    Switch("ingest-duplicate", "ingestion", "records are stored twice"),
    Switch("ingest-slow", "ingestion", "processing takes far too long", parameters={"seconds": 60.0}),
    Switch("ingest-canned", "ingestion", "jobs are completed at once and nothing is stored"),
    Switch("delete-noop", "writes", "deleteEntity answers true and deletes nothing"),
    Switch("audit-lost", "audit", "neither audit event nor ledger entry is written"),
    Switch("audit-late", "audit", "audit event and ledger entry come late", parameters={"seconds": 60.0}),
    Switch("audit-wrong-actor", "audit", "audit events name another user"),
    Switch("audit-wrong-tenant", "audit", "audit events name another tenant"),
    Switch("audit-no-correlation", "audit", "audit events and ledger entries have lost their correlation id"),
    Switch("ledger-broken-link", "audit", "the newest entry's previous hash is wrong"),
    Switch("ledger-gap", "audit", "a sequence number is missing"),
    Switch("ledger-fork", "audit", "two entries bear the newest sequence number"),
    Switch("ledger-rewritten", "audit", "the oldest entry was changed and every later hash recomputed"),
    Switch("ledger-truncated", "audit", "the chain ends before the last three entries known at the switch"),
    Switch("ledger-mutable", "audit", "an entry can be changed and deleted through the API"),
    Switch("maestro-html-404", "orchestration", "/api/maestro answers a 404 page instead of JSON"),
    Switch("maestro-stuck", "orchestration", "a run never ends"),
    Switch("health-lies", "none", "/health is 200 while /health/ready is 503"),
    Switch("kill-switch", "all", "mutating requests answer 503 GLOBAL_KILL_SWITCH_ACTIVE"),
    Switch("safe-mode", "none", "/api/ai, /api/stream and /api/webhooks answer 503 SAFE_MODE_ACTIVE"),
    Switch("tenant-kill-switch", "all", "tenant-scoped requests answer 423"),
    Switch("body-slow", "all", "the route drips one byte a second", parameters=GRAPHQL_ROUTE),
    Switch("body-huge", "all", "the route's answer never ends", parameters=GRAPHQL_ROUTE),
    Switch("body-bomb", "all", "the route answers a gzip bomb of 10 GiB", parameters=GRAPHQL_ROUTE),
    Switch("json-broken", "all", "the route's JSON stops half-way", parameters=GRAPHQL_ROUTE),
    Switch("redirect-loop", "all", "the route redirects to itself for ever", parameters=GRAPHQL_ROUTE),
    _disturbance("blip-1", "one request to the route answers 500, then all is well", **GRAPHQL_ROUTE),
    _disturbance("latency-80", "every answer is late by so many seconds", seconds=2.0, route="/"),
    _disturbance("audit-flush-5s", "audit events are flushed every 5 s"),
    _disturbance("ingest-5s", "processing takes 5 s"),
    _disturbance("ingest-status-404", "completed jobs are forgotten at once"),
    _disturbance("throttled", "every route answers 429 with Retry-After: 20"),
    _disturbance("restart-1s", "every connection is reset for one second", seconds=1.0),
    _disturbance("token-expires-mid-run", "tokens live two seconds", seconds=2.0),
)
BY_NAME: Mapping[str, Switch] = {switch.name: switch for switch in SWITCHES}


class UnknownSwitch(LookupError):
    """There is no switch of that name; the message offers the nearest ones."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.near = difflib.get_close_matches(name, BY_NAME, n=3, cutoff=0.4)
        super().__init__(f"no fault named {name!r}" + (f"; near: {', '.join(self.near)}" if self.near else ""))


class UnknownParameter(ValueError):
    """The switch has no such parameter, or the value is of another type."""


@dataclass(frozen=True, slots=True)
class _Active:
    parameters: Mapping[str, Any]
    since_ms: int


class Faults:
    """Which switches are on. In memory only: a restart is healthy."""

    def __init__(self) -> None:
        self._active: dict[str, _Active] = {}
        self._watchers: list[Callable[[str, bool], None]] = []
        self._changed = asyncio.Event()

    def watch(self, watcher: Callable[[str, bool], None]) -> None:
        """Call *watcher(name, on)* whenever a switch changes."""
        self._watchers.append(watcher)

    def on(self, name: str) -> bool:
        """Whether the switch is on; a name that is not declared is a bug of the twin, so a KeyError."""
        return BY_NAME[name].name in self._active

    def at(self, name: str, path: str) -> bool:
        """Whether the switch is on for this request path."""
        return self.on(name) and path.startswith(self.value(name, "route"))

    def value(self, name: str, parameter: str) -> Any:
        """A parameter's value as switched on, else its declared default."""
        active = self._active.get(name)
        return (active.parameters if active else BY_NAME[name].parameters)[parameter]

    def since_ms(self, name: str) -> int:
        """When the switch went on, epoch milliseconds."""
        return self._active[name].since_ms

    def switch_on(self, name: str, parameters: Mapping[str, Any] | None = None) -> Switch:
        """Switch on, with parameters; raises UnknownSwitch or UnknownParameter."""
        if name not in BY_NAME:
            raise UnknownSwitch(name)
        switch = BY_NAME[name]
        self._active[name] = _Active(_merged(switch, parameters or {}), time.time_ns() // 1_000_000)
        self._tell(name, on=True)
        return switch

    def switch_off(self, name: str) -> Switch:
        """Switch off; a switch that is off already stays off. Raises UnknownSwitch."""
        if name not in BY_NAME:
            raise UnknownSwitch(name)
        if self._active.pop(name, None):
            self._tell(name, on=False)
        return BY_NAME[name]

    def clear(self) -> None:
        """Switch everything off."""
        for name in list(self._active):
            self.switch_off(name)

    async def change(self, seconds: float | None) -> None:
        """Wait until any switch changes, at most *seconds*."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    async def until_off(self, name: str, seconds: float | None = None) -> None:
        """Wait until the switch is off, at most *seconds*."""
        end = None if seconds is None else time.monotonic() + seconds
        while self.on(name) and (end is None or end > time.monotonic()):
            await self.change(None if end is None else end - time.monotonic())

    def _tell(self, name: str, *, on: bool) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
        for watcher in self._watchers:
            watcher(name, on)


def _merged(switch: Switch, given: Mapping[str, Any]) -> Mapping[str, Any]:
    merged = dict(switch.parameters)
    for key, value in given.items():
        if key not in merged:
            raise UnknownParameter(f"{switch.name} has no parameter {key!r}; it has: {', '.join(merged) or 'none'}")
        wanted = (int, float) if isinstance(merged[key], float) else (str,)
        if isinstance(value, bool) or not isinstance(value, wanted):
            raise UnknownParameter(f"{switch.name}: {key} must be a {'number' if wanted[-1] is float else 'string'}")
        merged[key] = value
    return merged
