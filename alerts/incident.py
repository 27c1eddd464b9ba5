"""
The life of an incident: pure functions from (incident, what was seen, now) to (incident, what to say).

A confirmed failure of a required check opens one incident per path. It is `RECOVERING` while the path is good but not
yet for long enough, and `RESOLVED` after that; a failure in between keeps the same incident.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from critpath import Reason


class Status(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    RECOVERING = "recovering"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an incident's timeline."""

    at_ms: int
    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Cause:
    """The verdict that broke the path, in what a page needs of it."""

    check: str
    reason: Reason
    message: str
    step: str
    run_id: str
    trace_id: str


@dataclass(frozen=True, slots=True)
class Incident:
    """
    One episode of a broken path. Times are UTC epoch milliseconds.

    *started_ms* is backdated to the first failing attempt; *last_good_ms* is the start of the last good attempt before
    it, if there was one: the true start lies between the two. *clean* counts clean verdicts in a row per failing check.
    """

    id: str
    environment: str
    path: str
    severity: str
    status: Status
    started_ms: int
    opened_ms: int
    cause: Cause
    failing: frozenset[str]
    last_good_ms: int | None = None
    clean: Mapping[str, int] = field(default_factory=dict)
    clean_since_ms: int | None = None
    recovered_ms: int | None = None
    resolved_ms: int | None = None
    suppressed_by: str | None = None
    previous: str | None = None
    timeline: tuple[Event, ...] = ()
