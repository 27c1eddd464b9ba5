"""The values that everything else passes around: what was tried, what came of it, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What one attempt came to. Only `FAILED` speaks against the target."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"
    ERROR = "error"
    ABORTED = "aborted"

    @property
    def works(self) -> bool:
        """Whether the flow was seen to work, however slowly."""
        return self in (Outcome.OK, Outcome.DEGRADED)


class Reason(StrEnum):
    """Why an attempt was not `OK`. A small closed set: details go into the message."""

    NONE = "none"
    SLOW = "slow"

    # The target's fault.
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    DNS = "dns"
    TLS = "tls"
    PROTOCOL = "protocol"
    STATUS = "status"
    CONTENT = "content"
    BODY_TOO_LARGE = "body_too_large"
    API_ERRORS = "api_errors"
    WRONG_ANSWER = "wrong_answer"
    MISSING = "missing"
    MOCK_DATA = "mock_data"
    WRONG_ENVIRONMENT = "wrong_environment"
    KILL_SWITCH = "kill_switch"
    LOGIN_REJECTED = "login_rejected"
    TOKEN_INVALID = "token_invalid"  # noqa: S105
    TOKEN_REUSABLE = "token_reusable"  # noqa: S105
    ACCESS_OPEN = "access_open"
    ACCESS_DENIED = "access_denied"
    LOST = "lost"
    STUCK = "stuck"
    CORRUPT = "corrupt"
    DUPLICATE = "duplicate"
    CHAIN_BROKEN = "chain_broken"
    PAGE_BROKEN = "page_broken"

    # Ours.
    BLOCKED = "blocked"
    BROWSER = "browser"
    BUG = "bug"
    CONFIGURATION = "configuration"
    NETWORK = "network"
    OVERLOADED = "overloaded"
    RESIDUE = "residue"
    SECRET = "secret"  # noqa: S105
    STOPPING = "stopping"
    THROTTLED = "throttled"


class RunClass(StrEnum):
    """Why a run took place. Only the first two move the SLA account."""

    SCHEDULED = "scheduled"
    CONFIRM = "confirm"
    ONDEMAND = "ondemand"

    @property
    def counts(self) -> bool:
        """Whether a verdict of this class enters the account."""
        return self is not RunClass.ONDEMAND


@dataclass(frozen=True, slots=True)
class Step:
    """A named part of an attempt. *started* and *seconds* are in seconds, from the start of the attempt."""

    name: str
    started: float
    seconds: float
    ok: bool


@dataclass(frozen=True, slots=True)
class Result:
    """One attempt, judged. Times are UTC epoch milliseconds; durations are seconds on the monotonic clock."""

    run_id: str
    check: str
    path: str
    run_class: RunClass
    attempt: int
    started_ms: int
    seconds: float
    outcome: Outcome
    reason: Reason = Reason.NONE
    message: str = ""
    steps: tuple[Step, ...] = ()
    trace_id: str = ""
    correlation_id: str = ""
    measurements: Mapping[str, float] = field(default_factory=dict)

    @property
    def ended_ms(self) -> int:
        """When the attempt ended, UTC epoch milliseconds."""
        return self.started_ms + round(self.seconds * 1000)

    @property
    def failing_step(self) -> str:
        """The innermost step that did not finish, or an empty string."""
        return next((step.name for step in self.steps if not step.ok), "")


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What one run says about its check: one to three attempts, one answer.

    *since_ms* is where the answer starts to hold: the start of the first failing attempt for a confirmed failure, the
    start of the run otherwise. *flake* is true where an attempt failed and the run was good all the same.
    """

    check: str
    path: str
    run_class: RunClass
    run_id: str
    attempts: tuple[Result, ...]
    outcome: Outcome
    reason: Reason
    message: str
    since_ms: int
    flake: bool = False

    @property
    def ended_ms(self) -> int:
        """When the last attempt ended, UTC epoch milliseconds."""
        return self.attempts[-1].ended_ms

    @property
    def evidence(self) -> Result:
        """The attempt that the verdict rests on: the first with its outcome."""
        return next((a for a in self.attempts if a.outcome is self.outcome), self.attempts[-1])
