"""The Alertmanager channel against a real Alertmanager, with a receiver that keeps what it is sent."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from alerts.channels.alertmanager import Alertmanager
from alerts.message import Message, MessageKind
from alerts.outbox import Dispatcher
from alerts.ports import OutboxRow
from critpath.clock import SystemClock

BINARY = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
PATIENCE = 15.0


async def until(found: Callable[[], Any], what: str) -> Any:
    """Return the first true value of *found*; fail after `PATIENCE` seconds."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(httpx.HTTPError):
            if value := await asyncio.to_thread(found):
                return value
        await asyncio.sleep(0.05)
    raise AssertionError(f"{what}: not within {PATIENCE} s")


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """One Alertmanager process on a port of its own, which routes all to *receiver* at once."""

    def __init__(self, folder: Path, receiver: str) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "alertmanager.yml").write_text(
            "route: {receiver: test, group_by: [path], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}\n"
            f"receivers: [{{name: test, webhook_configs: [{{url: '{receiver}', send_resolved: true}}]}}]\n"
        )
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it, and wait until it is ready."""
        assert BINARY is not None
        arguments = [
            f"--config.file={self.folder / 'alertmanager.yml'}",
            f"--storage.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([BINARY, *arguments], stdout=log, stderr=log)  # noqa: ASYNC220
        await until(lambda: httpx.get(f"{self.url}/-/ready", trust_env=False).is_success, "Alertmanager is ready")

    def stop(self) -> None:
        """Stop it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that it holds as active."""
        held: list[dict[str, Any]] = httpx.get(f"{self.url}/api/v2/alerts", trust_env=False).json()
        return held


@pytest.fixture(autouse=True)
def needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go without Alertmanager on a developer's machine only."""
    monkeypatch.setenv("NO_PROXY", "*")
    if BINARY is None:
        if os.environ.get("CI"):
            pytest.fail("Alertmanager is not installed")
        pytest.skip("Alertmanager is not installed")


@pytest.fixture
def notices() -> Iterator[list[dict[str, Any]]]:
    """Receive notifications; yield the list of the alerts in them, with the receiver's URL as `notices.url`."""

    class Notices(list[dict[str, Any]]):
        url = ""

    got = Notices()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            got.extend(body["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        got.url = f"http://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield got
        server.shutdown()
        thread.join()


@pytest.fixture
def server(needed: None, tmp_path: Path, notices: Any) -> Iterator[Server]:
    """Return an Alertmanager that is not started yet, and stop it afterwards."""
    process = Server(tmp_path, notices.url)
    yield process
    process.stop()


def message(kind: str, path: str = "auth", **differs: Any) -> Message:
    """Return a message about an outage that began a minute ago."""
    now = SystemClock().now()
    trigger = Message(
        kind=MessageKind(kind),
        incident_id=f"01J-{path}",
        alert_key=f"prod/{path}/broken",
        environment="prod",
        path=path,
        severity="SEV-1",
        title=f"{path} is broken",
        text="login answered 500 twice",
        started_ms=now - 60_000,
        sent_for_ms=now,
        resolved_ms=now if kind == "resolve" else None,
        labels={
            "alertname": "CriticalPathBroken",
            "env": "prod",
            "path": path,
            "severity": "critical",
            "priority": "P1",
        },
        links={"runbook": "https://wiki.example/auth", "incident": "https://critpath.example/incidents/01J?a=b#c"},
    )
    return replace(trigger, **differs)


async def test_an_outage_is_announced_and_its_end_as_well(server: Server, notices: list[dict[str, Any]]) -> None:
    """The alert is active in the API; the receiver gets it firing, then resolved, under one fingerprint."""
    await server.start()
    channel = Alertmanager("am", urls=[server.url])
    await channel.send(message("trigger"), now_ms=SystemClock().now())
    (held,) = await until(server.alerts, "the alert is held")
    assert held["labels"] == dict(message("trigger").labels)
    assert held["annotations"]["summary"] == "auth is broken"
    assert held["generatorURL"] == "https://critpath.example/incidents/01J?a=b#c"
    await until(lambda: [each for each in notices if each["status"] == "firing"], "the outage is announced")

    await channel.send(message("resolve"), now_ms=SystemClock().now())
    await until(lambda: [each for each in notices if each["status"] == "resolved"], "the end is announced")
    assert len({each["fingerprint"] for each in notices}) == 1
    assert server.alerts() == []
    await channel.aclose()


async def test_one_dead_peer_does_not_hold_a_page(server: Server, notices: list[dict[str, Any]]) -> None:
    """Accepted by the living one, while the dead one is named."""
    await server.start()
    dead = f"http://127.0.0.1:{free_port()}"
    channel = Alertmanager("am", urls=[dead, server.url])
    await channel.send(message("trigger"), now_ms=SystemClock().now())
    assert list(channel.peer_errors) == [dead]
    await until(lambda: notices, "the outage is announced")
    await channel.aclose()


async def test_a_late_message_is_announced_where_a_bare_resolve_is_not(
    server: Server, notices: list[dict[str, Any]]
) -> None:
    """Alertmanager drops the end of an outage that it never heard of: the reason for the late message's form."""
    await server.start()
    channel = Alertmanager("am", urls=[server.url])
    await channel.send(message("resolve", "audit"), now_ms=SystemClock().now())
    await channel.send(message("resolve", "auth", late=True), now_ms=SystemClock().now())
    (notice,) = await until(lambda: notices, "the outage is announced")
    assert (notice["labels"]["path"], notice["annotations"]["late"]) == ("auth", "true")
    await channel.aclose()


async def test_odd_names_and_texts_do_not_cost_the_page(server: Server) -> None:
    """What the channel makes of them is valid to the real thing."""
    await server.start()
    channel = Alertmanager("am", urls=[server.url])
    odd = message(
        "trigger", labels={"team-name": "ü", "1": "x"}, details={"last good": "\ud800\x00<b>"}, text="x" * 10**6
    )
    await channel.send(replace(odd, links={"incident": "https://["}), now_ms=SystemClock().now())
    (held,) = await until(server.alerts, "the alert is held")
    assert held["labels"]["team_name"] == "ü"
    await channel.aclose()


class OneAccepted:
    """An outbox of which the store needs no more: one trigger, put and then accepted."""

    def __init__(self, row: OutboxRow) -> None:
        self.row = row

    async def pending(self) -> list[OutboxRow]:
        """See `Outbox`."""
        return [] if self.row.sent_ms else [self.row]

    async def mark_sent(self, row_id: int, at_ms: int) -> None:
        """See `Outbox`."""
        self.row = replace(self.row, sent_ms=at_ms)

    async def mark_failed(self, row_id: int, attempts: int, next_ms: int, error: str, dead: bool) -> None:
        """See `Outbox`."""
        self.row = replace(self.row, attempts=attempts, next_ms=next_ms, last_error=error, dead=dead)

    async def coalesce(self, trigger_id: int, resolve_id: int, at_ms: int) -> None:
        """See `Outbox`."""
        raise NotImplementedError

    async def latest_sent(self, channel: str, since_ms: int) -> list[OutboxRow]:
        """See `Outbox`."""
        return [self.row] if self.row.sent_ms else []


async def test_an_outage_survives_the_restart_of_alertmanager(server: Server) -> None:
    """It is down at first, so delivery is retried; after a restart it knows no alerts, so it is told again."""
    clock = SystemClock()
    now = clock.now()
    outbox = OneAccepted(OutboxRow(1, "01J-auth", "am", message("trigger"), now, 0, now, None, None))
    channel = Alertmanager("am", urls=[server.url])
    channel.resend_seconds = 0.2
    dispatcher = Dispatcher(outbox, {"am": channel}, clock, jitter=lambda seconds: seconds / 10)
    work = asyncio.create_task(dispatcher.run())
    await until(lambda: outbox.row.attempts, "the first send fails")
    await server.start()
    await until(server.alerts, "the alert is held")
    server.stop()
    await server.start()
    await until(server.alerts, "the alert is held again")
    work.cancel()
    assert await dispatcher.drain(1) == 0
    await channel.aclose()
