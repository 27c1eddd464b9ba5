"""The neutral message that every channel turns into its own protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class MessageKind(StrEnum):
    """What a message tells its receiver to do."""

    TRIGGER = "trigger"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Message:
    """
    One thing to say about one incident. Times are UTC epoch milliseconds.

    *labels* identify the alert and never hold a value that varies within an incident; *details* may.
    *alert_key* is stable over episodes (environment, path, rule); *incident_id* names this episode.
    *sent_for_ms* is the moment of the transition it tells of, however late it is delivered.
    *late* marks a resolve that also stands for its trigger, which no one has been told: the outage is over already.
    """

    kind: MessageKind
    incident_id: str
    alert_key: str
    environment: str
    path: str
    severity: str
    title: str
    text: str
    started_ms: int
    sent_for_ms: int
    resolved_ms: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    late: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` reads them back."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        plain = {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}
        return {**plain, "kind": self.kind.value}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Message:
        """Read what `to_dict` wrote, in this version or in a later one: keys that are not known are left out."""
        known = {each.name for each in fields(cls)}
        return cls(**{**{key: value for key, value in data.items() if key in known}, "kind": MessageKind(data["kind"])})


def utc(ms: int) -> str:
    """Return epoch milliseconds in RFC 3339 with a `Z`: a time without a zone is misread by some receivers."""
    moment = datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
