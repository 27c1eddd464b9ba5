"""The neutral message that every channel turns into its own protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
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

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` reads them back."""
        return {**asdict(self), "kind": self.kind.value}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Message:
        """Read what `to_dict` wrote."""
        return cls(**{**data, "kind": MessageKind(data["kind"])})
