"""What a page says, to the letter: read alone, on a telephone, at three in the morning."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from alerts.incident import Cause, Incident, Status
from alerts.message import MessageKind
from alerts.page import Subject, compose, duration
from critpath import Reason

AT = 1_800_000_000_000  # 2027-01-15T08:00:00Z
CAUSE = Cause("login", Reason.TIMEOUT, "no end within 10 s", "sign in", "run-1", "trace-1")
INCIDENT = Incident(
    id="01J",
    environment="prod",
    path="auth",
    severity="SEV-1",
    status=Status.OPEN,
    started_ms=AT,
    opened_ms=AT + 9000,
    cause=CAUSE,
    failing=frozenset({"login"}),
    last_good_ms=AT - 300_000,
)
SUBJECT = Subject("Auth & Access", "Nobody can sign in.", "https://wiki.example/auth", ("Server", "Client"), {"priority": "P1"})
OVER = replace(INCIDENT, status=Status.RESOLVED, recovered_ms=AT + 125_000, resolved_ms=AT + 190_000)


def test_a_trigger_says_what_is_broken_since_when_and_whom_it_concerns() -> None:
    """The title alone suffices to act."""
    message = compose(MessageKind.TRIGGER, INCIDENT, SUBJECT, AT + 9000, budget_left="93.0% of 43 min left in 30 days")
    assert message.title == "SEV-1 Auth & Access (prod) is broken: login: no end within 10 s"
    assert message.text == (
        "Nobody can sign in.\n"
        "Check login, step 'sign in': no end within 10 s\n"
        "Since 2027-01-15T08:00:00.000Z; last seen working 2027-01-15T07:55:00.000Z.\n"
        "Concerns: Server, Client."
    )
    assert message.labels == {
        "alertname": "CritpathPathBroken",
        "env": "prod",
        "path": "auth",
        "sev": "1",
        "source": "daemon",
        "priority": "P1",
    }
    assert message.details == {
        "check": "login",
        "reason": "timeout",
        "step": "sign in",
        "run_id": "run-1",
        "trace_id": "trace-1",
        "deployables": "Server, Client",
        "error_budget": "93.0% of 43 min left in 30 days",
    }
    assert message.links == {"runbook": "https://wiki.example/auth"}
    assert (message.started_ms, message.sent_for_ms, message.resolved_ms) == (AT, AT + 9000, None)


def test_an_all_clear_says_for_how_long_it_was_broken() -> None:
    """From the first failing attempt to the first clean run, not to the decision."""
    message = compose(MessageKind.RESOLVE, OVER, SUBJECT, AT + 190_000)
    assert message.title == "Resolved: Auth & Access (prod) works again, after 2 min 5 s"
    assert message.text == (
        "Check login, step 'sign in': no end within 10 s\n"
        "Since 2027-01-15T08:00:00.000Z; last seen working 2027-01-15T07:55:00.000Z.\n"
        "Works since 2027-01-15T08:02:05.000Z.\n"
        "Concerns: Server, Client."
    )
    assert message.resolved_ms == AT + 190_000


def test_both_messages_of_an_incident_are_the_same_alert() -> None:
    """Key and labels do not vary within an incident, nor over episodes: else a receiver would keep the first for ever."""
    trigger = compose(MessageKind.TRIGGER, INCIDENT, SUBJECT, AT)
    resolve = compose(MessageKind.RESOLVE, OVER, SUBJECT, AT)
    other = compose(MessageKind.TRIGGER, replace(INCIDENT, id="02J", cause=replace(CAUSE, message="other")), SUBJECT, AT)
    assert trigger.alert_key == resolve.alert_key == other.alert_key == "prod/auth/CritpathPathBroken"
    assert trigger.labels == resolve.labels == other.labels


@pytest.mark.parametrize(
    ("differs", "line"),
    [
        ({"failing": frozenset({"login", "refresh"})}, "Failing: login, refresh."),
        ({"previous": "00J"}, "A sequel of incident 00J."),
        ({"last_good_ms": None}, "Since 2027-01-15T08:00:00.000Z."),
        ({"cause": replace(CAUSE, step="")}, "Check login: no end within 10 s"),
    ],
)
def test_what_is_known_has_its_line(differs: dict[str, Any], line: str) -> None:
    """And what is not has none."""
    assert line not in compose(MessageKind.TRIGGER, INCIDENT, SUBJECT, AT).text.splitlines()
    assert line in compose(MessageKind.TRIGGER, replace(INCIDENT, **differs), SUBJECT, AT).text.splitlines()


def test_a_path_of_which_little_is_known_has_a_short_page() -> None:
    """No empty lines, links or details."""
    message = compose(MessageKind.TRIGGER, INCIDENT, Subject("auth"), AT)
    assert "\n\n" not in message.text
    assert message.links == {}
    assert all(message.details.values())


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (999, "0 s"),
        (12_000, "12 s"),
        (60_000, "1 min"),
        (185_000, "3 min 5 s"),
        (3_600_000, "1 h"),
        (3_605_000, "1 h"),
        (7_800_000, "2 h 10 min"),
        (356_400_000, "4 d 3 h"),
    ],
)
def test_a_duration_has_two_units_at_most(milliseconds: int, text: str) -> None:
    """The largest, and the one below it."""
    assert duration(milliseconds) == text
