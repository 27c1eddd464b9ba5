"""
What to deliver next, and what becomes of what was not accepted: functions of rows and of the time.

At least once, in order for each incident and channel, and never silently not at all. `alerts.outbox` acts on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from math import ceil

from alerts.channels.base import DeliveryError
from alerts.message import Message, MessageKind, utc
from alerts.ports import OutboxRow

INSISTENT = frozenset({"SEV-0", "SEV-1"})
"""Severities whose messages are never given up."""
BACKOFF_SECONDS = 60.0
MAX_WAIT_SECONDS = 600.0
"""No `Retry-After` holds a message longer."""
GIVE_UP_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Delivery:
    """The next send of a lane. *carrier* counts its failures; acceptance settles *triggers* and *resolve* as well."""

    carrier: OutboxRow
    message: Message
    due_ms: int
    triggers: tuple[OutboxRow, ...] = ()
    resolve: OutboxRow | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """What becomes of a row that could not be sent."""

    attempts: int
    next_ms: int
    dead: bool


def given_up(row: OutboxRow) -> bool:
    """Whether *row* is never tried again."""
    return row.dead and row.message.severity not in INSISTENT


def next_delivery(rows: Sequence[OutboxRow], now_ms: int) -> Delivery | None:
    """
    Return what to send next of one incident on one channel, given its unsent *rows* in the order of their ids.

    A trigger that nobody accepted before its resolve was queued is not sent any more: both become one late message.
    """
    triggers = tuple(takewhile(lambda row: row.message.kind is MessageKind.TRIGGER, rows))
    resolve = rows[len(triggers)] if len(triggers) < len(rows) else None
    if triggers and resolve is not None:
        alive = [row for row in (*triggers, resolve) if not given_up(row)]
        if alive:
            message = late_message(triggers[0].message, resolve.message)
            due = max(_due(row, now_ms) for row in alive)
            return Delivery(alive[0], message, due, triggers, resolve)
        return next_delivery(rows[len(triggers) + 1 :], now_ms)
    head = next((row for row in rows if not given_up(row)), None)
    return None if head is None else Delivery(head, head.message, _due(head, now_ms))


def next_in_lane(rows: Sequence[OutboxRow], now_ms: int) -> Delivery | None:
    """Return what to send next of several incidents in one lane: the oldest first, but a refused one holds up none."""
    incidents = {row.incident_id: None for row in rows}
    each = (next_delivery([row for row in rows if row.incident_id == incident], now_ms) for incident in incidents)
    waiting = [delivery for delivery in each if delivery is not None]
    live = (delivery for delivery in waiting if not delivery.carrier.dead or delivery.due_ms <= now_ms)
    return next(live, waiting[0] if waiting else None)


def late_message(trigger: Message, resolve: Message) -> Message:
    """Return the one message that tells of an outage which was over before anyone could be told."""
    ended_ms = resolve.sent_for_ms if resolve.resolved_ms is None else resolve.resolved_ms
    times = f"Began {utc(resolve.started_ms)}, ended {utc(ended_ms)}; delivered late."
    return replace(
        resolve,
        title=f"[late, already over] {trigger.title}",
        text=f"{times}\n\n{trigger.text}\n\n{resolve.text}".strip(),
        resolved_ms=ended_ms,
        details={**trigger.details, **resolve.details},
        links={**trigger.links, **resolve.links},
        late=True,
    )


def backoff(attempts: int) -> float:
    """Return the seconds to wait after *attempts* failures: 1, 2, 4, … and 60 from the seventh on."""
    return min(BACKOFF_SECONDS, 2.0 ** min(attempts - 1, 6))


def after_failure(row: OutboxRow, error: DeliveryError, now_ms: int, jitter: Callable[[float], float]) -> Retry:
    """Decide what becomes of *row*. It is dead if it was refused for good, or is too old and no SEV-1."""
    attempts = row.attempts + 1
    wait = BACKOFF_SECONDS if error.permanent else jitter(backoff(attempts))
    wait = max(wait, min(error.retry_after or 0.0, MAX_WAIT_SECONDS))
    old = row.message.severity not in INSISTENT and now_ms - row.created_ms >= GIVE_UP_MS
    return Retry(attempts, now_ms + ceil(wait * 1000), dead=error.permanent or old)


def to_repeat(latest: Iterable[OutboxRow], unsent: Iterable[OutboxRow]) -> list[OutboxRow]:
    """
    Return which accepted rows of a channel still tell the truth: per alert the newest, unless a newer one is unsent.

    A resolve of the last episode would end the present one, for both are the same alert. A trigger whose resolve waits
    would prolong what is over.
    """
    newest = {row.message.alert_key: row for row in sorted(latest, key=lambda row: row.id)}
    waiting: dict[str, int] = {}
    for row in unsent:
        waiting[row.message.alert_key] = max(row.id, waiting.get(row.message.alert_key, 0))
    return [row for key, row in newest.items() if row.id > waiting.get(key, 0)]


def _due(row: OutboxRow, now_ms: int) -> int:
    """Return when to try *row*. A time further away than we ever wait was written by a clock that was wrong."""
    return row.next_ms if row.next_ms - now_ms <= MAX_WAIT_SECONDS * 1000 else now_ms
