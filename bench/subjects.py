"""The two that are measured: how each is set up, driven, and asked what it has done."""

from __future__ import annotations

import http.client
import re
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import yaml
from prometheus_client.parser import text_string_to_metric_families

from bench.process import Child, free_port

_HERE = Path(__file__).parent
_START_SECONDS = 30.0
BLACKBOX = "prometheus-blackbox-exporter"
COUNTED = ("runs", "good", "missed")


class Unusable(Exception):
    """A subject did not start, or answered wrongly."""


class Daemon:
    """Critpath, by its own scheduler."""

    name = "critpath"

    def __init__(self, child: Child, port: int) -> None:
        self.child = child
        self._port = port

    @classmethod
    @contextmanager
    def started(cls, folder: Path, target: int, checks: int) -> Iterator[Daemon]:
        """Run a daemon with *checks* checks of the target's port, one run a second each, on a new database in *folder*."""
        port = free_port()
        folder.mkdir()
        shutil.copy(_HERE / "target.yaml", folder)
        document = yaml.safe_load((_HERE / "critpath.yaml").read_text())
        document["surfaces"]["api"] = f"http://127.0.0.1:{target}"
        document["web"]["listen"] = f"127.0.0.1:{port}"
        document["checks"] = {f"plain-{number:03}": document["checks"]["plain"] for number in range(checks)}
        (folder / "critpath.yaml").write_text(yaml.dump(document))
        command: list[str | Path] = [
            Path(sys.executable).with_name("critpath"),
            "run",
            "--no-table",
            "-c",
            folder / "critpath.yaml",
        ]
        # Every import is written to the log: that is how we know what was never imported.
        with Child(command, folder / "log", env={"PYTHONPROFILEIMPORTTIME": "1", "PYTHONSAFEPATH": "1"}) as child:
            daemon = cls(child, port)
            _wait(child, port, "/-/ready")
            yield daemon

    def counts(self) -> dict[str, int]:
        """Return `runs` judged, `good` ones among them, and slots `missed`, since the start."""
        runs = good = missed = 0.0
        for family in text_string_to_metric_families(_get(self._port, "/metrics")):
            for sample in family.samples:
                if sample.name == "critpath_check_attempts_total":
                    runs += sample.value
                    good += sample.value if sample.labels["outcome"] == "ok" else 0
                elif sample.name == "critpath_schedule_missed_total":
                    missed += sample.value
        return dict(zip(COUNTED, map(round, (runs, good, missed)), strict=True))

    def imported(self, package: str) -> bool:
        """Whether the process has imported *package* by now."""
        return re.search(rf"\| +{re.escape(package)}(\.|$)", self.child.log.read_text(), re.MULTILINE) is not None


class Blackbox:
    """Debian's blackbox exporter, asked once a second for each check as Prometheus would: over connections that stay."""

    name = "blackbox"

    def __init__(self, child: Child, port: int, target: int, checks: int) -> None:
        self.child = child
        self._port = port
        self._path = f"/probe?module=http_2xx&target={quote(f'http://127.0.0.1:{target}/health', safe='')}"
        self._checks = checks
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(COUNTED, 0)

    @classmethod
    @contextmanager
    def started(cls, folder: Path, target: int, checks: int) -> Iterator[Blackbox]:
        """Run the exporter, and drive it until the block is left."""
        port = free_port()
        folder.mkdir()
        command = [BLACKBOX, f"--config.file={_HERE / 'blackbox.yaml'}", f"--web.listen-address=127.0.0.1:{port}"]
        with Child(command, folder / "log") as child:
            _wait(child, port, "/-/healthy")
            blackbox = cls(child, port, target, checks)
            drivers = [threading.Thread(target=blackbox._drive, args=(number,), daemon=True) for number in range(checks)]
            for driver in drivers:
                driver.start()
            try:
                yield blackbox
            finally:
                blackbox._stop.set()
                for driver in drivers:
                    driver.join(5)

    def counts(self) -> dict[str, int]:
        """Return `runs`, `good` ones among them, and slots `missed`, since the start."""
        with self._lock:
            return dict(self._counts)

    def _drive(self, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=2)
        due = time.monotonic() + number / self._checks
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            try:
                connection.request("GET", self._path)
                good = b"\nprobe_success 1\n" in connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                connection.close()
                good = False
            missed = max(0, int(time.monotonic() - due))
            due += 1 + missed
            with self._lock:
                for key, value in zip(COUNTED, (1, int(good), missed), strict=True):
                    self._counts[key] += value


def blackbox_missing() -> str:
    """Return what to do where the exporter is not installed, else an empty string."""
    return "" if shutil.which(BLACKBOX) else f"{BLACKBOX} is not installed (Debian: apt-get install {BLACKBOX}): no comparison"


def _wait(child: Child, port: int, path: str) -> None:
    end = time.monotonic() + _START_SECONDS
    while child.alive and time.monotonic() < end:
        try:
            _get(port, path)
        except (OSError, http.client.HTTPException, Unusable):
            time.sleep(0.1)
        else:
            return
    raise Unusable(f"{path} of process {child.log.parent.name} never answered:\n{child.log.read_text()[-2000:]}")


def _get(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise Unusable(f"{path} answered {answer.status}")
    return text
