"""The process: four listening sockets, one uvicorn server, the background work, and the timetable of faults."""

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from demo.app import SURFACES, Twin
from demo.settings import Settings
from demo.wire import Wire, protocol

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Planned:
    """A switch at *seconds* after the start; without a name every switch."""

    seconds: float
    name: str | None
    on: bool


async def serve(settings: Settings, plan: list[Planned], addresses_file: Path | None) -> None:
    """Serve until SIGTERM or SIGINT."""
    sockets = _listen(settings)
    twin = Twin(settings)
    ports = {name: sock.getsockname()[1] for name, sock in sockets.items()}
    twin.wire.spared = {ports["control"]}
    server = _Server(
        uvicorn.Config(
            _ByPort({ports[name]: twin.surfaces[name] for name in SURFACES}),
            http=protocol(twin.wire),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            server_header=False,
        ),
        twin.wire,
    )
    if not settings.quiet:
        twin.faults.watch(lambda name, on: _say(f"fault {name} {'on' if on else 'off'}"))
    background = [asyncio.create_task(work) for work in (twin.audit.run(), twin.ingestion.run(), _follow(plan, twin))]
    background.append(asyncio.create_task(_announce(server, settings, ports, addresses_file)))
    try:
        await server.serve(sockets=list(sockets.values()))
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        twin.close()


def addresses(settings: Settings, ports: dict[str, int]) -> dict[str, str]:
    """The base URL of each surface, as a client on this machine reaches it."""
    host = LOOPBACK if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - compared, not bound
    return {name: f"http://{LOOPBACK if name == 'control' else host}:{port}" for name, port in ports.items()}


class _Server(uvicorn.Server):
    """A uvicorn server that stops at once: a request that hangs on purpose must not hold it."""

    def __init__(self, config: uvicorn.Config, wire: Wire) -> None:
        super().__init__(config)
        self._wire = wire
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # From Python 3.12 on, closing waits for every open connection.
        self._wire.cut()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        yield

    def _stop(self) -> None:
        self.should_exit = self.force_exit = True


class _ByPort:
    """Every surface is one port of the same server."""

    def __init__(self, surfaces: dict[int, ASGIApp]) -> None:
        self._surfaces = surfaces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._surfaces[scope["server"][1]](scope, receive, send)


def _listen(settings: Settings) -> dict[str, socket.socket]:
    sockets = {}
    for offset, name in enumerate(SURFACES):
        host = LOOPBACK if name == "control" else settings.host
        port = settings.port + offset if settings.port else 0
        try:
            sockets[name] = socket.create_server((host, port), backlog=256)
        except OSError as exc:
            raise SystemExit(f"demo: cannot listen on {host}:{port}: {exc.strerror}") from exc
    return sockets


async def _announce(server: "_Server", settings: Settings, ports: dict[str, int], file: Path | None) -> None:
    await server.listening.wait()
    found = addresses(settings, ports)
    if file:
        # Whoever waits for the file must never read half of it.
        partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
        partial.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        partial.replace(file)
    if not settings.quiet:
        for name, url in found.items():
            _say(f"{name:<8}{url}")


async def _follow(plan: list[Planned], twin: Twin) -> None:
    start = asyncio.get_running_loop().time()
    for planned in sorted(plan, key=lambda each: each.seconds):
        await asyncio.sleep(start + planned.seconds - asyncio.get_running_loop().time())
        if planned.name is None:
            twin.faults.clear()
        elif planned.on:
            twin.faults.switch_on(planned.name)
        else:
            twin.faults.switch_off(planned.name)
    await asyncio.Event().wait()


def _say(line: str) -> None:
    print(f"{datetime.now().astimezone():%H:%M:%S} twin    {line}", flush=True)
