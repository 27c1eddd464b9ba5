"""
The life of an incident: pure functions from (incident, what was seen, now) to (incident, what to say).

A confirmed failure of a required check opens one incident per path. It is `RECOVERING` while the path is good but not
yet for long enough, and `RESOLVED` after that; a failure in between keeps the same incident.

Two things never move an incident. An `error` or `aborted` verdict is our own fault and says nothing about the target:
it counts neither for nor against recovery, so that a dead browser can't close an incident and a flaky one can't keep
it open. And in maintenance nothing opens and nothing counts as recovery, since nobody knows what is being mended.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from alerts.message import MessageKind
from alerts.timeline import State
from critpath import Outcome, Reason, Verdict

MAX_EVENTS = 200
KEPT_FROM_START = 50


class Status(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    RECOVERING = "recovering"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an incident's timeline: what happened at *at_ms*, and *count* times in a row up to *last_ms*."""

    at_ms: int
    what: str
    text: str
    count: int = 1
    last_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """The verdict that broke the path, in what a page needs of it."""

    check: str
    reason: Reason
    message: str
    step: str
    run_id: str
    trace_id: str

    @classmethod
    def of(cls, verdict: Verdict) -> Cause:
        """Take the cause from the attempt that a verdict rests on."""
        seen = verdict.evidence
        return cls(verdict.check, verdict.reason, verdict.message, seen.failing_step, verdict.run_id, seen.trace_id)


@dataclass(frozen=True, slots=True)
class Incident:
    """
    One episode of a broken path. Times are UTC epoch milliseconds.

    *started_ms* is backdated to the first failing attempt; *last_good_ms* is the start of the last good attempt before
    it, if there was one: the true start lies between the two. *failing* are the checks that failed at any time in the
    episode. *clean* counts clean verdicts in a row per failing check, *clean_from* is where each such row starts, and
    *clean_to_ms* the start of the latest of these runs. *clean_since_ms* is since when all failing checks are clean.
    *suppressed_by* names the broken path that this one requires: such an incident has sent nothing.
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
    clean_from: Mapping[str, int] = field(default_factory=dict)
    clean_since_ms: int | None = None
    clean_to_ms: int | None = None
    recovered_ms: int | None = None
    resolved_ms: int | None = None
    suppressed_by: str | None = None
    previous: str | None = None
    timeline: tuple[Event, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether the episode goes on, be it recovering."""
        return self.status is not Status.RESOLVED

    @property
    def is_loud(self) -> bool:
        """Whether somebody was told of it and it goes on: such an incident silences those of dependent paths."""
        return self.is_open and self.suppressed_by is None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` reads them back."""
        return {
            **asdict(self),
            "status": self.status.value,
            "cause": {**asdict(self.cause), "reason": self.cause.reason.value},
            "failing": sorted(self.failing),
            "timeline": [asdict(event) for event in self.timeline],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Incident:
        """Read what `to_dict` wrote, also of an earlier or later version: unknown fields are left out."""
        known = _known(cls, data)
        cause = _known(Cause, data["cause"])
        return cls(
            **{
                **known,
                "status": Status(data["status"]),
                "cause": Cause(**{**cause, "reason": Reason(cause["reason"])}),
                "failing": frozenset(data["failing"]),
                "timeline": tuple(Event(**_known(Event, event)) for event in data.get("timeline", ())),
            }
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """When an incident is over, and for how long after that a new failure counts as its sequel."""

    resolve_successes: int = 3
    resolve_span_ms: int = 60_000
    reopen_window_ms: int = 30 * 60_000


@dataclass(frozen=True, slots=True)
class Decision:
    """The incident as it is now, the messages to queue in the same transaction, and why."""

    incident: Incident | None
    send: tuple[MessageKind, ...] = ()
    reason: str = ""


def suppressor(path: str, loud: Collection[str], requires: Mapping[str, Collection[str]]) -> str | None:
    """
    Return the nearest broken path that *path* requires, directly or through others, or None.

    *loud* are the paths with an incident that `is_loud`. A path never suppresses itself, whatever circle is declared.
    """
    seen, level = {path}, [path]
    while level:
        level = sorted({parent for child in level for parent in requires.get(child, ())} - seen)
        if broken := next((parent for parent in level if parent in loud), None):
            return broken
        seen.update(level)
    return None


def observe(  # noqa: PLR0913 - what is known of the path, each by its name
    incident: Incident | None,
    verdict: Verdict,
    path_state: State,
    now: int,
    policy: Policy,
    *,
    new_id: str | Callable[[], str],
    environment: str,
    severity: str,
    required: bool = True,
    last_good_ms: int | None = None,
    suppressed_by: str | None = None,
) -> Decision:
    """
    Take a verdict into account.

    *incident* is the latest of the path, open or not. *path_state* is what `Book.current` says after the verdict.
    *suppressed_by* comes from `suppressor` and matters only for a failure. *new_id* is used if an incident opens.
    """
    running = incident if incident is not None and incident.is_open else None
    if why := _passes_by(verdict, path_state, required, running is not None):
        return Decision(incident, reason=why)
    if running is None:
        opened = Incident(
            id=new_id if isinstance(new_id, str) else new_id(),
            environment=environment,
            path=verdict.path,
            severity=severity,
            status=Status.OPEN,
            started_ms=verdict.since_ms,
            opened_ms=now,
            cause=Cause.of(verdict),
            failing=frozenset({verdict.check}),
            last_good_ms=last_good_ms,
            previous=incident.id if incident and _is_sequel(incident, verdict, policy) else None,
        )
        return _open(opened, suppressed_by, now)
    if verdict.outcome is Outcome.FAILED:
        return _fail(running, verdict, path_state, now, suppressed_by)
    if path_state is State.MAINTENANCE:
        return _say(running, now, "maintenance", "in maintenance: what works now counts for nothing")
    if not verdict.outcome.works:
        return _say(running, now, "frozen", f"{verdict.check} could not be judged: {verdict.reason}")
    return _clean(running, verdict, path_state, now, policy)


def remove_check(incident: Incident, check: str, path_state: State, now: int, policy: Policy) -> Decision:
    """Go on without a check that is configured no more, or not required any more; without the last one, resolve."""
    if not incident.is_open or check not in incident.failing:
        return Decision(incident, reason=f"{check} is not part of an open incident")
    left = replace(
        incident,
        failing=incident.failing - {check},
        clean={name: runs for name, runs in incident.clean.items() if name != check},
        clean_from={name: at for name, at in incident.clean_from.items() if name != check},
    )
    left = note(left, now, "removed", f"{check} is not required any more")
    if not left.failing:
        return _resolve(left, now, "no check is left that failed")
    return _weigh(left, path_state, now, policy)


def note(incident: Incident, now: int, what: str, text: str) -> Incident:
    """
    Add a line to the timeline. A line equal to the last one is counted, not repeated.

    Of a timeline too long, the middle is left out; a line says so.
    """
    last = incident.timeline[-1] if incident.timeline else None
    if last is not None and (last.what, last.text) == (what, text):
        lines = (*incident.timeline[:-1], replace(last, count=last.count + 1, last_ms=now))
    else:
        lines = (*incident.timeline, Event(now, what, text))
    if len(lines) > MAX_EVENTS:
        start, middle, end = lines[:KEPT_FROM_START], lines[KEPT_FROM_START], lines[KEPT_FROM_START + 2 :]
        left_out = middle.count + 1 if middle.what == "omitted" else 2
        lines = (*start, Event(middle.at_ms, "omitted", "lines left out", left_out), *end)
    return replace(incident, timeline=lines)


def _passes_by(verdict: Verdict, path_state: State, required: bool, is_open: bool) -> str:  # noqa: FBT001
    """Say why a verdict leaves things as they are, or nothing."""
    failed = verdict.outcome is Outcome.FAILED
    reasons = {
        "an on-demand run does not count": not verdict.run_class.counts,
        f"{verdict.check} is not required of the path": not required,
        "nothing is open": not is_open and not failed,
        "the path is in maintenance: nothing opens": not is_open and failed and path_state is State.MAINTENANCE,
    }
    return next((why for why, applies in reasons.items() if applies), "")


def _open(incident: Incident, suppressed_by: str | None, now: int) -> Decision:
    text = f"{_failure(incident.cause)} (incident opened)"
    if suppressed_by is None:
        return Decision(note(incident, now, "opened", text), (MessageKind.TRIGGER,), text)
    quiet = note(replace(incident, suppressed_by=suppressed_by), now, "opened", text)
    return _say(quiet, now, "suppressed", f"{suppressed_by} is broken, which this path requires: no message of its own")


def _fail(incident: Incident, verdict: Verdict, path_state: State, now: int, suppressed_by: str | None) -> Decision:
    """A failure while open: recovery starts over; a suppressed incident speaks up if its parent is broken no more."""
    check = verdict.check
    muted = path_state is State.MAINTENANCE
    failed = replace(
        incident,
        status=Status.OPEN,
        failing=incident.failing if muted else incident.failing | {check},
        clean={name: runs for name, runs in incident.clean.items() if name != check},
        clean_from={name: at for name, at in incident.clean_from.items() if name != check},
        clean_since_ms=None,
        recovered_ms=None,
    )
    text = _failure(Cause.of(verdict))
    if muted:
        return _say(failed, now, "maintenance", f"in maintenance: {text}")
    what = "relapsed" if incident.status is Status.RECOVERING else "failed"
    failed = note(failed, now, what, text)
    if incident.suppressed_by is None:
        return Decision(failed, reason=text)
    if suppressed_by is not None:
        return Decision(replace(failed, suppressed_by=suppressed_by), reason=f"{text}; suppressed by {suppressed_by}")
    loud = replace(failed, suppressed_by=None)
    text = f"{incident.suppressed_by} is broken no more, and this path still fails"
    return Decision(note(loud, now, "triggered", text), (MessageKind.TRIGGER,), text)


def _clean(incident: Incident, verdict: Verdict, path_state: State, now: int, policy: Policy) -> Decision:
    check = verdict.check
    if check in incident.failing:
        runs = incident.clean.get(check, 0) + 1
        incident = replace(
            incident,
            clean={**incident.clean, check: runs},
            clean_from={check: verdict.since_ms, **incident.clean_from},
            clean_to_ms=max(verdict.since_ms, incident.clean_to_ms or 0),
        )
        wanted = policy.resolve_successes
        incident = note(incident, now, "clean", f"{check} works: {min(runs, wanted)} of {wanted} in a row")
    return _weigh(incident, path_state, now, policy)


def _weigh(incident: Incident, path_state: State, now: int, policy: Policy) -> Decision:
    """Decide what the clean runs so far amount to."""
    all_clean = incident.failing <= set(incident.clean)
    since = max(incident.clean_from[check] for check in incident.failing) if all_clean else None
    incident = replace(incident, clean_since_ms=since)
    if path_state is not State.GOOD or since is None:
        return Decision(incident, reason="not all of the path is seen to work")
    if incident.status is Status.OPEN:
        incident = replace(incident, status=Status.RECOVERING, recovered_ms=since)
        incident = note(incident, now, "recovering", "the path works again; watching whether that lasts")
    span = (incident.clean_to_ms or since) - since
    few = min(incident.clean[check] for check in incident.failing) < policy.resolve_successes
    if few or span < policy.resolve_span_ms:
        return Decision(incident, reason=f"works again, for {span / 1000:g} s so far")
    return _resolve(incident, now, f"works again for {span / 1000:g} s")


def _resolve(incident: Incident, now: int, why: str) -> Decision:
    recovered = now if incident.recovered_ms is None else incident.recovered_ms
    done = replace(incident, status=Status.RESOLVED, resolved_ms=now, recovered_ms=recovered)
    # Who was told nothing of the outage is told nothing of its end.
    send = (MessageKind.RESOLVE,) if incident.suppressed_by is None else ()
    return Decision(note(done, now, "resolved", why), send, why)


def _say(incident: Incident, now: int, what: str, text: str) -> Decision:
    return Decision(note(incident, now, what, text), reason=text)


def _is_sequel(previous: Incident, verdict: Verdict, policy: Policy) -> bool:
    ended = previous.resolved_ms
    return ended is not None and verdict.since_ms - ended <= policy.reopen_window_ms


def _failure(cause: Cause) -> str:
    where = f" at step {cause.step}" if cause.step else ""
    return f"{cause.check} failed{where} ({cause.reason}): {cause.message}"


def _known(cls: type[Any], data: Mapping[str, Any]) -> dict[str, Any]:
    names = {each.name for each in fields(cls)}
    return {name: value for name, value in data.items() if name in names}
