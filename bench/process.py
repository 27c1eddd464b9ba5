"""Processes of the bench: started, watched, and ended by their ids whatever happens."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psutil

_PR_SET_PDEATHSIG = 1
_END_SECONDS = 10.0


class Child:
    """A process of ours. A context manager: left in any way, the process has ended. Its output goes to *log*."""

    def __init__(
        self, command: Sequence[str | Path], log: Path, *, pipe: bool = False, env: Mapping[str, str] | None = None
    ) -> None:
        self._log: IO[bytes] = log.open("ab")
        self._process = subprocess.Popen(  # noqa: S603 - commands of our own
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if pipe else self._log,
            stderr=self._log,
            env={**os.environ, **(env or {})},
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - we have one thread here
        )
        self.log = log
        self._watched = psutil.Process(self._process.pid)

    def line(self) -> str:
        """Return the next line of its standard output; the child must have been made with *pipe*."""
        assert self._process.stdout is not None  # noqa: S101
        return self._process.stdout.readline().decode().strip()

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def cpu(self) -> float:
        """Return the seconds of CPU, user and system, that all its threads have used, those that ended included."""
        if sys.platform == "linux":
            # The clock of another process (clock_getcpuclockid(3)): nanoseconds, where /proc has hundredths.
            return time.clock_gettime((~self._process.pid << 3) | 2)
        times = self._watched.cpu_times()
        return times.user + times.system

    def resident(self) -> int:
        """Return its resident memory in bytes."""
        return self._watched.memory_info().rss

    def children(self) -> list[str]:
        """Return the names of its child processes, and of theirs."""
        return [child.name() for child in self._watched.children(recursive=True)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.alive:
            self._process.terminate()
            try:
                self._process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        self._log.close()
        if self._process.stdout is not None:
            self._process.stdout.close()


def free_port() -> int:
    """Return a port of loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _die_with_parent() -> None:
    # Not even a kill of the harness leaves its processes behind.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
