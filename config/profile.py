"""
The target profile: how to speak to one platform. A different target is a different file, and no code.

Operations are named in the target's own words. What a probe reads from an answer is named under `read`, so that
probes speak of `token` or `ids` and never of a field of one platform.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from config.values import Duration, Model, Objective, Selection, Text
from critpath import Reason

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
Severity = Literal["SEV-0", "SEV-1", "SEV-2", "SEV-3"]
Environment = Literal["prod", "labs", "dev"]

ANSWER_FIELDS = frozenset({"status", "headers", "body", "errors", "seconds", "correlation_id"})
"""What an answer has of itself; see `critpath.Answer`."""


class Operation(Model):
    """
    One request and what is read from its answer.

    `$name` as a whole value in `body` or `query` takes a variable as it is; `{name}` in `path` takes it as text.
    `read` maps our names to JMESPath expressions over the body (over `data` for GraphQL).
    """

    surface: str = "api"
    method: Method = "GET"
    path: str = ""
    body: Any = None
    query: Mapping[str, str] = Field(default_factory=dict)
    headers: Mapping[str, str] = Field(default_factory=dict)
    graphql: str | None = None
    operation_id: str | None = None
    expect: tuple[int, ...] = (200,)
    read: Mapping[str, Selection] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _say_where(self) -> Operation:
        if self.graphql is None and not self.path.startswith("/"):
            raise ValueError("needs a path that starts with /, or a graphql document")
        if taken := sorted(ANSWER_FIELDS & set(self.read)):
            raise ValueError(f"reads a field called {taken[0]!r}, as every answer has one already; write another name")
        return self


class Graphql(Model):
    """Where GraphQL is served, and the header that names a persisted operation."""

    surface: str = "api"
    path: str = "/graphql"
    operation_id_header: str = ""


class Headers(Model):
    """Names of the headers that every request carries; `extra` are sent as they stand."""

    tenant: str = ""
    correlation: str = "x-correlation-id"
    extra: Mapping[str, str] = Field(default_factory=dict)


class Evidence(Model):
    """How an answer proves which environment it came from: a header and its values per environment."""

    header: str
    values: Mapping[Environment, tuple[str, ...]]


class SessionRules(Model):
    """
    The operations that make, renew and end a session.

    `login` reads `token` and, where sessions are renewed, `refresh_token`; `refresh` reads both.
    """

    login: str = "login"
    refresh: str | None = None
    logout: str | None = None
    refresh_ahead: Duration = 60.0


class Refusal(Model):
    """An answer that means something other than its status says. The first that matches decides."""

    status: int | None = None
    when: Selection | None = None
    outcome: Literal["failed", "error"] = "failed"
    reason: Reason
    says: str


class Web(Model):
    """Routes and elements of the web client, by our names; an element is a Playwright selector."""

    surface: str = "web"
    routes: Mapping[str, str] = Field(default_factory=dict)
    elements: Mapping[str, str] = Field(default_factory=dict)


class Mocks(Model):
    """What the target invents when its database is away: an answer that holds one of these is no answer."""

    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


class Allowance(Model):
    """At most *count* within any *per* seconds; *reserve* of them are kept for confirming a failure."""

    count: int = Field(gt=0)
    per: Duration
    reserve: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _leave_something(self) -> Allowance:
        if self.reserve >= self.count:
            raise ValueError(f"reserve must be smaller than count; write at most {self.count - 1}")
        return self


class Limits(Model):
    """What one source address may ask of the target. `None` means that the target sets no limit."""

    requests: Allowance | None = None
    logins: Allowance | None = None
    body_bytes: int = Field(default=2_000_000, gt=0)


class CheckSettings(Model):
    """
    A probe configured. Durations in seconds.

    `requests` and `logins` (per identity) are what one good run takes, for `critpath plan`; a test compares them with
    what the runs really take. `surfaces` are needed beyond those of the identity, browser and operations it names.
    """

    probe: Text = Field(examples=["auth.login"])
    path: Text = Field(examples=["auth"])
    interval: Duration = Field(examples=["5m"])
    timeout: Duration = Field(examples=["10s"])
    slow_after: Duration | None = None
    recheck: Duration = 15.0
    required: bool = True
    enabled: bool = True
    surfaces: tuple[str, ...] = ()
    browser: bool = False
    writes: bool = False
    requests: int = Field(default=1, ge=0)
    logins: Mapping[str, int] = Field(default_factory=dict)
    params: Mapping[str, Any] = Field(default_factory=dict)

    def hold(self) -> float:
        """Return for how many seconds a result speaks: 1.5 intervals and one timeout (design §2)."""
        return 1.5 * self.interval + self.timeout


class PathSettings(Model):
    """
    A critical path. `objective` is a ratio; `users` says in one sentence what is lost when the path is broken.

    A path that is not `enabled` is taken away when the configuration is loaded, and its checks with it.
    """

    title: Text = Field(examples=["Auth & Access"])
    severity: Severity = "SEV-1"
    objective: Objective = Field(default="99.9", validate_default=True)
    users: str = ""
    runbook: str = ""
    deployables: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    enabled: bool = True


class AlertLabels(Model):
    """The labels by which the target's own alert routing pages: per severity, and for all."""

    common: Mapping[str, str] = Field(default_factory=dict)
    severities: Mapping[Severity, Mapping[str, str]] = Field(default_factory=dict)


class Profile(Model):
    """A target, whole."""

    name: Text = Field(examples=["summit"])
    title: Text = Field(examples=["Summit / IntelGraph"])
    surfaces: Mapping[str, str]
    deployables: Mapping[str, Literal["P0", "P1"]] = Field(default_factory=dict)
    headers: Headers = Headers()
    evidence: Evidence | None = None
    graphql: Graphql = Graphql()
    session: SessionRules | None = None
    operations: Mapping[str, Operation]
    refusals: tuple[Refusal, ...] = ()
    web: Web = Web()
    mocks: Mocks = Mocks()
    limits: Limits = Limits()
    alerts: AlertLabels = AlertLabels()
    facts: Mapping[str, Any] = Field(default_factory=dict)
    paths: Mapping[str, PathSettings]
    checks: Mapping[str, CheckSettings]
