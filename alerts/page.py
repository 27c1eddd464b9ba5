"""What a page says. Read alone, on a telephone, at three in the morning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from alerts.incident import Incident
from alerts.message import Message, MessageKind, utc

ALERT_NAME = "CritpathPathBroken"
"""The name of the alert. Free of the words by which receivers route elsewhere (Down, SLO, Security, Unauthorized)."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What the configuration says of a path, in what a page needs of it."""

    title: str
    users: str = ""
    runbook: str = ""
    deployables: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


def compose(kind: MessageKind, incident: Incident, subject: Subject, now: int, *, budget_left: str = "") -> Message:
    """
    Return what to tell of *incident*. Labels come from the configuration alone; all that varies is in the details.

    *budget_left* is the error budget in words, if it is known.
    """
    resolved = kind is MessageKind.RESOLVE
    return Message(
        kind=kind,
        incident_id=incident.id,
        alert_key=f"{incident.environment}/{incident.path}/{ALERT_NAME}",
        environment=incident.environment,
        path=incident.path,
        severity=incident.severity,
        title=_title(incident, subject, resolved=resolved),
        text=_text(incident, subject, resolved=resolved),
        started_ms=incident.started_ms,
        sent_for_ms=now,
        resolved_ms=incident.resolved_ms if resolved else None,
        labels={
            "alertname": ALERT_NAME,
            "env": incident.environment,
            "path": incident.path,
            "sev": incident.severity.removeprefix("SEV-"),
            "source": "daemon",
            **subject.labels,
        },
        details=_details(incident, subject, budget_left),
        links={"runbook": subject.runbook} if subject.runbook else {},
    )


def duration(milliseconds: int) -> str:
    """Return a length of time in at most two units: `12 s`, `3 min 5 s`, `2 h 10 min`, `4 d 3 h`."""
    seconds = max(0, milliseconds) // 1000
    units = (("d", seconds // 86400), ("h", seconds // 3600 % 24), ("min", seconds // 60 % 60), ("s", seconds % 60))
    first = next((index for index, (_, count) in enumerate(units) if count), len(units) - 1)
    return " ".join(f"{count} {unit}" for unit, count in units[first : first + 2] if count) or "0 s"


def _title(incident: Incident, subject: Subject, *, resolved: bool) -> str:
    if resolved:
        ended = incident.recovered_ms or incident.resolved_ms or incident.started_ms
        return f"Resolved: {subject.title} ({incident.environment}) works again, after {duration(ended - incident.started_ms)}"
    cause = f"{incident.cause.check}: {incident.cause.message}"
    return f"{incident.severity} {subject.title} ({incident.environment}) is broken: {cause}"


def _text(incident: Incident, subject: Subject, *, resolved: bool) -> str:
    step = f", step {incident.cause.step!r}" if incident.cause.step else ""
    lines = [
        subject.users if not resolved else "",
        f"Check {incident.cause.check}{step}: {incident.cause.message}",
        _since(incident),
        f"Works since {utc(incident.recovered_ms)}." if resolved and incident.recovered_ms else "",
        f"Concerns: {', '.join(subject.deployables)}." if subject.deployables else "",
        f"Failing: {', '.join(sorted(incident.failing))}." if len(incident.failing) > 1 else "",
        f"A sequel of incident {incident.previous}." if incident.previous else "",
    ]
    return "\n".join(line for line in lines if line)


def _since(incident: Incident) -> str:
    last = f"; last seen working {utc(incident.last_good_ms)}" if incident.last_good_ms else ""
    return f"Since {utc(incident.started_ms)}{last}."


def _details(incident: Incident, subject: Subject, budget_left: str) -> dict[str, str]:
    cause = incident.cause
    known = {
        "check": cause.check,
        "reason": cause.reason.value,
        "step": cause.step,
        "run_id": cause.run_id,
        "trace_id": cause.trace_id,
        "deployables": ", ".join(subject.deployables),
        "error_budget": budget_left,
        "previous_incident": incident.previous or "",
    }
    return {key: value for key, value in known.items() if value}
