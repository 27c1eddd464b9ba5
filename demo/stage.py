"""Twin and daemon on one stage: two processes, started, watched and ended together. For the demo and the acceptance tests."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import httpx

ROOT = Path(__file__).resolve().parent.parent
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0


class StageError(Exception):
    """Twin or daemon did not do what the stage needs."""


class Process:
    """A child in a process group of its own."""

    def __init__(
        self, command: Sequence[str], *, env: Mapping[str, str] | None = None, stdout: IO[Any] | int, stderr: IO[Any] | int
    ) -> None:
        self.popen = subprocess.Popen(  # noqa: S603 - our own commands
            command,
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            stdout=stdout,
            stderr=stderr,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.popen.poll() is None

    def stop(self) -> int:
        """Ask it to end, insist after a while, and return its exit code."""
        if self.running:
            self.popen.send_signal(signal.SIGTERM)
        try:
            return self.popen.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.popen.wait()

    def kill(self) -> None:
        """End it and its group at once, as a crash of the machine would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()


class Twin:
    """The Summit twin as a process, and its switches."""

    def __init__(self, folder: Path, *, port: int = 0, options: Sequence[str] = ()) -> None:
        self._folder = folder
        self._addresses = folder / "twin.json"
        self._addresses.unlink(missing_ok=True)
        command = [
            sys.executable,
            "-m",
            "demo",
            "--port",
            str(port),
            "--addresses",
            str(self._addresses),
            "--data",
            str(folder / "twin"),
            "--quiet",
        ]
        with (folder / "twin.log").open("wb") as log:
            self.process = Process([*command, *options], stdout=log, stderr=log)
        self.addresses: dict[str, str] = self._wait_for_addresses()
        self.control = httpx.Client(base_url=self.addresses["control"], timeout=5, trust_env=False)

    def switch_on(self, fault: str, **parameters: Any) -> None:
        """Break it."""
        self.control.put(f"/__twin__/faults/{fault}", json=parameters).raise_for_status()

    def switch_off(self, fault: str | None = None) -> None:
        """Mend it: one fault, or all."""
        self.control.delete(f"/__twin__/faults/{fault}" if fault else "/__twin__/faults").raise_for_status()

    def faults(self) -> dict[str, dict[str, Any]]:
        """Return every switch by name."""
        return {each["name"]: each for each in self.control.get("/__twin__/faults").raise_for_status().json()}

    def pages(self) -> list[dict[str, Any]]:
        """Return what the on-call telephone received, oldest first: `received_ms` and `message`."""
        pages: list[dict[str, Any]] = self.control.get("/__twin__/pager").raise_for_status().json()
        return pages

    def stop(self) -> None:
        """End it."""
        if hasattr(self, "control"):
            self.control.close()
        self.process.stop()

    def _wait_for_addresses(self) -> dict[str, str]:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self.process.running:
            with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
                addresses: dict[str, str] = json.loads(self._addresses.read_text("utf-8"))
                return addresses
            time.sleep(0.05)
        self.process.stop()
        said = (self._folder / "twin.log").read_text("utf-8", "replace").strip()
        raise StageError(f"the twin did not start: {said or 'it said nothing'}")


def environment(twin: Twin, store: Path, listen: str) -> dict[str, str]:
    """Return the variables that point `config/demo.yaml` at this twin, at a store and at an address of its own."""
    pager = f"{twin.addresses['control']}/__twin__/pager"
    surfaces = {f"CRITPATH_SURFACES__{name.upper()}": twin.addresses[name] for name in ("api", "web", "ledger")}
    return {
        **surfaces,
        "CRITPATH_STORE__URL": f"sqlite:///{store}",
        "CRITPATH_WEB__LISTEN": listen,
        "CRITPATH_CHANNELS__ONCALL__URL": pager,
    }


def critpath(*arguments: str) -> list[str]:
    """Return the command line of the installed `critpath`."""
    return [str(Path(sys.executable).with_name("critpath")), *arguments]


def free_port() -> int:
    """Return a port of loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Daemon:
    """`critpath run` as a process."""

    def __init__(
        self,
        folder: Path,
        *,
        env: Mapping[str, str],
        listen: str,
        config: Path = ROOT / "config" / "demo.yaml",
        table: bool = False,
    ) -> None:
        self.address = f"http://{listen}"
        self.log = folder / "critpath.log"
        with self.log.open("ab") as log:
            self.process = Process(
                critpath("run", "-c", str(config), "--table" if table else "--no-table"),
                env=env,
                stdout=sys.stdout if table else log,
                stderr=log,
            )

    def wait_until_ready(self) -> None:
        """
        Wait until it watches.

        Raises:
            StageError: it ended, or did not come up in time.
        """
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self.process.running:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.address}/-/ready", timeout=2, trust_env=False).status_code == httpx.codes.OK:
                    return
            time.sleep(0.1)
        self.process.stop()
        raise StageError(f"the daemon did not start: {last_line(self.log)}")

    def metrics(self) -> str:
        """Return its metrics as text."""
        return httpx.get(f"{self.address}/metrics", timeout=10, trust_env=False).raise_for_status().text


def last_line(log: Path) -> str:
    """Return the last line of a log, or that it is empty."""
    lines = log.read_text("utf-8", "replace").strip().splitlines() if log.exists() else []
    return lines[-1] if lines else "it said nothing"


class Stage:
    """Twin and daemon together; leave the block and both are gone."""

    def __init__(
        self, folder: Path, *, port: int = 0, listen: str = "", table: bool = False, env: Mapping[str, str] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._port, self._table = folder, port, table
        self.listen = listen or f"127.0.0.1:{free_port()}"
        self.twin: Twin
        self.daemon: Daemon
        self.env: dict[str, str] = dict(env or {})

    def __enter__(self) -> Self:
        self.twin = Twin(self.folder, port=self._port)
        try:
            self.env = {**environment(self.twin, self.folder / "critpath.db", self.listen), **self.env}
            self.start_daemon()
        except BaseException:
            self.twin.stop()
            raise
        return self

    def start_daemon(self) -> None:
        """Start the daemon, anew after a stop or a kill, and wait until it watches."""
        self.daemon = Daemon(self.folder, env=self.env, listen=self.listen, table=self._table)
        self.daemon.wait_until_ready()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self.daemon.process.stop()
        finally:
            self.twin.stop()
