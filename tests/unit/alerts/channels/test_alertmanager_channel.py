"""What Alertmanager is told, and when it counts as told."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from alerts.channels.alertmanager import ANNOTATION_LIMIT, Alertmanager
from alerts.channels.base import DeliveryError
from alerts.message import Message

TWO = ["http://am-1:9093", "http://am-2:9093/prefix/"]


@pytest.fixture
def channel(receiver: Any) -> Alertmanager:
    """Return a channel to two peers."""
    return Alertmanager("am", urls=TWO, transport=receiver.transport)


def told(receiver: Any) -> dict[str, Any]:
    """Return the alert of the last request."""
    alert: dict[str, Any]
    (alert,) = json.loads(receiver.requests[-1].content)
    return alert


async def test_a_firing_alert_ends_ten_minutes_from_now(
    channel: Alertmanager, receiver: Any, make: Callable[..., Message], now_ms: int
) -> None:
    """All of it, as the API documents it."""
    await channel.send(make(), now_ms=now_ms)
    assert told(receiver) == {
        "labels": {"alertname": "CritpathBroken", "env": "prod", "path": "auth", "priority": "P1"},
        "annotations": {
            "summary": "Auth & Access is broken",
            "description": "login answered 500 twice",
            "incident_id": "01JHKQ7Z8Y0000000000000000",
            "runbook": "https://wiki.example/auth",
            "runbook_url": "https://wiki.example/auth",
            "incident_url": "https://critpath.example/incidents/01J",
            "reason": "status",
            "last_good": "2027-01-15T07:57:30.000Z",
        },
        "startsAt": "2027-01-15T07:58:30.000Z",
        "endsAt": "2027-01-15T08:10:00.000Z",
        "generatorURL": "https://critpath.example/incidents/01J",
    }
    assert receiver.requests[-1].headers["Content-Type"] == "application/json"


async def test_a_resolve_ends_when_the_outage_did(
    channel: Alertmanager, receiver: Any, make: Callable[..., Message], now_ms: int
) -> None:
    """The labels are the trigger's; the end has passed, whatever the clocks say, and does not precede the start."""
    await channel.send(make(), now_ms=now_ms)
    labels = told(receiver)["labels"]
    await channel.send(make("resolve"), now_ms=now_ms)
    assert told(receiver)["labels"] == labels
    assert told(receiver)["endsAt"] == "2027-01-15T07:59:30.000Z"
    await channel.send(make("resolve", resolved_ms=now_ms + 9_000), now_ms=now_ms)
    assert told(receiver)["endsAt"] == "2027-01-15T08:00:00.000Z"
    await channel.send(make("resolve", resolved_ms=None), now_ms=now_ms)
    assert told(receiver)["endsAt"] == "2027-01-15T08:00:00.000Z"
    await channel.send(make("resolve", resolved_ms=now_ms - 95_000), now_ms=now_ms)
    assert told(receiver)["startsAt"] == told(receiver)["endsAt"] == "2027-01-15T07:58:25.000Z"


async def test_every_peer_is_told_under_its_own_prefix(
    channel: Alertmanager, receiver: Any, make: Callable[..., Message], now_ms: int
) -> None:
    """A peer does not forward alerts to the others."""
    await channel.send(make(), now_ms=now_ms)
    assert sorted(str(request.url) for request in receiver.requests) == [
        "http://am-1:9093/api/v2/alerts",
        "http://am-2:9093/prefix/api/v2/alerts",
    ]


@pytest.mark.parametrize("bad", [httpx.ConnectError("refused"), httpx.Response(500), httpx.Response(400)])
async def test_one_peer_suffices(
    channel: Alertmanager, receiver: Any, make: Callable[..., Message], now_ms: int, bad: httpx.Response | Exception
) -> None:
    """The message is accepted, and the peer that did not take it is named until it does."""
    receiver.answers["am-1"] = bad
    await channel.send(make(), now_ms=now_ms)
    assert list(channel.peer_errors) == ["http://am-1:9093"]
    receiver.answers.clear()
    await channel.send(make(), now_ms=now_ms)
    assert channel.peer_errors == {}


async def test_all_peers_refusing_is_permanent_one_failing_is_not(
    channel: Alertmanager, receiver: Any, make: Callable[..., Message], now_ms: int
) -> None:
    """As long as one of them may come back, the message is tried again soon."""
    receiver.answers = {"am-1": httpx.Response(400), "am-2": httpx.Response(503, headers={"Retry-After": "9"})}
    with pytest.raises(DeliveryError, match=r"am-1:9093 answered 400; http://am-2:9093 answered 503") as caught:
        await channel.send(make(), now_ms=now_ms)
    assert (caught.value.permanent, caught.value.retry_after) == (False, None)
    receiver.answers = {"am-1": httpx.Response(400), "am-2": httpx.Response(422)}
    with pytest.raises(DeliveryError) as caught:
        await channel.send(make(), now_ms=now_ms)
    assert caught.value.permanent


async def test_the_shorter_wait_counts_where_all_ask_for_one(
    channel: Alertmanager, receiver: Any, make: Callable[..., Message], now_ms: int
) -> None:
    """The first peer that will take it is enough."""
    receiver.answers = {
        "am-1": httpx.Response(429, headers={"Retry-After": "9"}),
        "am-2": httpx.Response(503, headers={"Retry-After": "4"}),
    }
    with pytest.raises(DeliveryError) as caught:
        await channel.send(make(), now_ms=now_ms)
    assert caught.value.retry_after == 4


async def test_a_login_page_is_not_acceptance(
    channel: Alertmanager, receiver: Any, make: Callable[..., Message], now_ms: int
) -> None:
    """A proxy in front answers 200 and drops the alert; Alertmanager never answers HTML."""
    receiver.answer = httpx.Response(200, headers={"Content-Type": "text/html; charset=utf-8"})
    with pytest.raises(DeliveryError, match="no Alertmanager"):
        await channel.send(make(), now_ms=now_ms)


async def test_names_are_made_valid_and_empty_values_left_out(
    channel: Alertmanager, receiver: Any, make: Callable[..., Message], now_ms: int
) -> None:
    """One bad label name would have the whole page refused."""
    labels = {"team-name": "x", "1st": "y", "empty": "", "ünï": "z"}
    await channel.send(make(labels=labels, details={"last good": "then", "": "?"}, links={}), now_ms=now_ms)
    assert told(receiver)["labels"] == {
        "alertname": "CriticalPathBroken",
        "env": "prod",
        "path": "auth",
        "team_name": "x",
        "_1st": "y",
        "_n_": "z",
    }
    annotations = told(receiver)["annotations"]
    assert all(re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name) and value for name, value in annotations.items())
    assert "generatorURL" not in told(receiver)


async def test_no_text_is_too_odd_or_too_long(
    channel: Alertmanager, receiver: Any, make: Callable[..., Message], now_ms: int
) -> None:
    """Half a surrogate from the target's answer, a megabyte of it, a link that is none."""
    await channel.send(make(text="\ud800" + "x" * 10**6, links={"incident": "javascript:alert(1)"}), now_ms=now_ms)
    annotations = told(receiver)["annotations"]
    assert len(annotations["description"]) == ANNOTATION_LIMIT
    assert "generatorURL" not in told(receiver)


async def test_a_late_message_is_announced_before_it_ends(
    channel: Alertmanager, receiver: Any, make: Callable[..., Message], now_ms: int
) -> None:
    """A resolve of an alert that Alertmanager doesn't know is dropped, so it fires for five minutes, marked."""
    late = make("resolve", late=True, title="[late, already over] Auth & Access is broken")
    receiver.answer = httpx.Response(500)
    with pytest.raises(DeliveryError):
        await channel.send(late, now_ms=now_ms - 299_000)
    receiver.answer = httpx.Response(200)
    await channel.send(late, now_ms=now_ms)
    first = told(receiver)
    assert first["endsAt"] == "2027-01-15T08:05:00.000Z", "five minutes from acceptance, not from the first attempt"
    assert first["annotations"]["late"] == "true"

    await channel.send(make("resolve"), now_ms=now_ms + 30_000)
    assert told(receiver) == first, "a repetition of the stored resolve doesn't end it early"
    await channel.send(make("resolve"), now_ms=now_ms + 300_000)
    assert told(receiver)["endsAt"] == "2027-01-15T07:59:30.000Z"


async def test_a_token_is_sent_as_bearer(receiver: Any, make: Callable[..., Message], now_ms: int) -> None:
    """For an Alertmanager behind a proxy."""
    channel = Alertmanager("am", urls=TWO, secret="t0ken", transport=receiver.transport)
    await channel.send(make(), now_ms=now_ms)
    assert receiver.requests[-1].headers["Authorization"] == "Bearer t0ken"
