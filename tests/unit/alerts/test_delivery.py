"""What is due, how long to wait, and what to say: decisions that touch nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerts.channels.base import DeliveryError
from alerts.delivery import (
    GIVE_UP_MS,
    MAX_WAIT_SECONDS,
    after_failure,
    backoff,
    given_up,
    late_message,
    next_delivery,
    next_in_lane,
    to_repeat,
)
from alerts.message import Message, MessageKind, utc
from alerts.ports import OutboxRow

NOW = 1_800_000_000_000


def row(id: int, kind: str = "trigger", *, incident: str = "I1", severity: str = "SEV-1", next_ms: int = NOW) -> OutboxRow:
    """Return an unsent row, created now, of the one path that these tests know."""
    message = Message(
        kind=MessageKind(kind),
        incident_id=incident,
        alert_key="prod/auth/broken",
        environment="prod",
        path="auth",
        severity=severity,
        title="auth is broken",
        text=f"{kind} text",
        started_ms=NOW - 90_000,
        sent_for_ms=NOW,
        resolved_ms=NOW - 1_000 if kind == "resolve" else None,
        details={kind: "yes"},
    )
    return OutboxRow(id, incident, "pager", message, NOW, 0, next_ms, None, None)


def same(seconds: float) -> float:
    """Stand in for jitter."""
    return seconds


def test_backoff_doubles_from_one_second_to_sixty() -> None:
    """1, 2, 4, 8, 16, 32, then 60 for ever, however many attempts there were."""
    assert [backoff(n) for n in (1, 2, 3, 4, 5, 6, 7, 8, 10_000)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize("severity", ["SEV-0", "SEV-1"])
def test_a_page_is_never_given_up(severity: str) -> None:
    """After ten days of failures the next attempt is a minute away."""
    old = replace(row(1, severity=severity), attempts=9_999, created_ms=NOW - 10 * GIVE_UP_MS)
    retry = after_failure(old, DeliveryError("down"), NOW, same)
    assert (retry.attempts, retry.next_ms, retry.dead) == (10_000, NOW + 60_000, False)


@pytest.mark.parametrize(("age_ms", "dead"), [(GIVE_UP_MS - 1, False), (GIVE_UP_MS, True)])
def test_lesser_severities_are_given_up_after_a_day(age_ms: int, dead: bool) -> None:
    """The 24 hours count from the moment the row was written."""
    old = replace(row(1, severity="SEV-2"), created_ms=NOW - age_ms)
    retry = after_failure(old, DeliveryError("down"), NOW, same)
    assert retry.dead is dead
    assert given_up(replace(old, dead=retry.dead)) is dead


def test_a_refused_page_is_a_dead_letter_and_tried_every_minute() -> None:
    """A configuration can be mended; nobody has to remember the page that it cost."""
    retry = after_failure(row(1), DeliveryError("404", permanent=True), NOW, same)
    assert (retry.next_ms, retry.dead) == (NOW + 60_000, True)
    assert not given_up(replace(row(1), dead=True))
    assert given_up(replace(row(1, severity="SEV-2"), dead=True))


@pytest.mark.parametrize(
    ("asked", "waited"), [(None, 1.0), (0.2, 1.0), (1.0001, 1.001), (90.0, 90.0), (86_400.0, MAX_WAIT_SECONDS)]
)
def test_the_receiver_may_ask_for_a_longer_wait_but_not_for_hours(asked: float | None, waited: float) -> None:
    """`Retry-After` never shortens our backoff, is never undercut, and holds a page ten minutes at most."""
    retry = after_failure(row(1), DeliveryError("429", retry_after=asked), NOW, same)
    assert retry.next_ms - NOW == round(waited * 1000)


def test_jitter_applies_to_our_own_backoff_only() -> None:
    """What the receiver asked for is kept exactly."""
    assert after_failure(row(1), DeliveryError("503"), NOW, lambda s: s / 2).next_ms == NOW + 500
    assert after_failure(row(1), DeliveryError("503", retry_after=7), NOW, lambda s: s / 2).next_ms == NOW + 7_000


def test_nothing_is_due_without_rows() -> None:
    """No rows, no delivery."""
    assert next_delivery([], NOW) is None
    assert next_in_lane([], NOW) is None


def test_one_incident_goes_in_order() -> None:
    """The second trigger waits for the first, even while the first is in its backoff."""
    delivery = next_delivery([row(1, next_ms=NOW + 5_000), row(2)], NOW)
    assert delivery is not None
    assert (delivery.carrier.id, delivery.due_ms, delivery.resolve) == (1, NOW + 5_000, None)


def test_a_resolve_alone_is_sent_as_it_is() -> None:
    """Its trigger is not among the unsent rows, so it was accepted."""
    delivery = next_delivery([row(2, "resolve")], NOW)
    assert delivery is not None
    assert delivery.message == row(2, "resolve").message


def test_a_trigger_that_nobody_took_joins_its_resolve() -> None:
    """One message stands for both, keeps to the trigger's backoff, and says when it all was."""
    delivery = next_delivery([row(1, next_ms=NOW + 5_000), row(2, "resolve")], NOW)
    assert delivery is not None
    assert delivery.due_ms == NOW + 5_000
    assert ([each.id for each in delivery.triggers], delivery.resolve and delivery.resolve.id) == ([1], 2)
    assert delivery.message.late
    assert delivery.message.kind is MessageKind.RESOLVE
    assert delivery.message.text.startswith("Began 2027-01-15T07:58:30.000Z, ended 2027-01-15T07:59:59.000Z; delivered late.")
    assert "trigger text" in delivery.message.text
    assert delivery.message.details == {"trigger": "yes", "resolve": "yes"}


def test_a_late_message_is_the_same_at_every_attempt() -> None:
    """It does not depend on when it is sent: after a crash the receiver gets equal bytes."""
    rows = [row(1), row(2, "resolve")]
    first, second = next_delivery(rows, NOW), next_delivery(rows, NOW + 3_600_000)
    assert first is not None
    assert second is not None
    assert first.message == second.message


def test_a_late_message_without_an_end_takes_the_time_of_the_transition() -> None:
    """A resolve that names no end was written at the end."""
    message = late_message(row(1).message, replace(row(2, "resolve").message, resolved_ms=None))
    assert message.resolved_ms == NOW


def test_the_resolve_of_a_dead_trigger_tells_the_whole_story() -> None:
    """Nobody was told of the trigger, so a bare resolve would come before it; the resolve counts the failures now."""
    dead = replace(row(1, severity="SEV-2", next_ms=NOW + 60_000), dead=True)
    delivery = next_delivery([dead, row(2, "resolve", severity="SEV-2")], NOW)
    assert delivery is not None
    assert (delivery.carrier.id, delivery.due_ms, delivery.message.late) == (2, NOW, True)


def test_an_incident_whose_rows_are_all_given_up_is_over() -> None:
    """Neither is tried; a message queued after them is."""
    dead = [replace(row(n, kind, severity="SEV-2"), dead=True) for n, kind in ((1, "trigger"), (2, "resolve"))]
    assert next_delivery(dead, NOW) is None
    after = next_delivery([*dead, row(3, severity="SEV-2")], NOW)
    assert after is not None
    assert after.carrier.id == 3


def test_a_time_from_a_wrong_clock_does_not_hold_a_page() -> None:
    """A row that is due further away than we ever wait was written by a clock that ran ahead."""
    delivery = next_delivery([row(1, next_ms=NOW + 10**9)], NOW)
    assert delivery is not None
    assert delivery.due_ms == NOW


def test_episodes_in_one_lane_go_oldest_first() -> None:
    """While the receiver is away, the next episode waits for the last one."""
    delivery = next_in_lane([row(1, next_ms=NOW + 5_000), row(2, incident="I2")], NOW)
    assert delivery is not None
    assert delivery.carrier.id == 1


def test_a_refused_episode_does_not_hold_up_the_next() -> None:
    """A dead letter of SEV-1 is passed over until its minute is up."""
    refused = replace(row(1, next_ms=NOW + 60_000), dead=True)
    delivery = next_in_lane([refused, row(2, incident="I2")], NOW)
    assert delivery is not None
    assert delivery.carrier.id == 2
    delivery = next_in_lane([refused, row(2, incident="I2")], NOW + 60_000)
    assert delivery is not None
    assert delivery.carrier.id == 1
    delivery = next_in_lane([refused], NOW)
    assert delivery is not None
    assert (delivery.carrier.id, delivery.due_ms) == (1, NOW + 60_000)


def test_only_the_newest_word_about_an_alert_is_repeated() -> None:
    """The last episode's resolve would end the present one: in Alertmanager both are one alert."""
    assert [each.id for each in to_repeat([row(3, incident="I2"), row(2, "resolve")], [])] == [3]


def test_a_trigger_is_not_repeated_while_its_resolve_waits() -> None:
    """Repeating it would prolong what is over."""
    assert to_repeat([row(1)], [row(2, "resolve")]) == []


def test_a_resolve_that_was_refused_does_not_silence_the_next_episode() -> None:
    """An older unsent row says nothing about a newer accepted one."""
    refused = replace(row(2, "resolve"), dead=True)
    assert [each.id for each in to_repeat([row(1), row(3, incident="I2")], [refused])] == [3]


def test_times_are_written_with_milliseconds_and_a_z() -> None:
    """RFC 3339 in UTC; whole and broken seconds look alike."""
    assert utc(0) == "1970-01-01T00:00:00.000Z"
    assert utc(NOW + 7) == "2027-01-15T08:00:00.007Z"


def test_a_message_survives_the_store_and_a_newer_version() -> None:
    """What `to_dict` wrote is read back; a key of a later version is left out."""
    message = row(1).message
    assert Message.from_dict(message.to_dict()) == message
    assert Message.from_dict({**message.to_dict(), "from_the_future": 1}) == message
