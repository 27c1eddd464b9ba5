"""A real Prometheus that scrapes the daemon, and a real Alertmanager that it tells of an incident."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.stage import Process, free_port
from tests.acceptance.conftest import FAST, Seen, staged


def binary(*names: str) -> str:
    """Return a program of the system; where there is none, skip, but never in CI: there it has to be installed."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        message = f"{names[0]} is not installed"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


@contextlib.contextmanager
def server(folder: Path, command: list[str], ready: str) -> Iterator[None]:
    """Run a server until the block ends; wait until it answers at *ready*."""
    with (folder / "log").open("wb") as log:
        process = Process(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and process.running:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(ready, trust_env=False).is_success:
                    break
            time.sleep(0.1)
        else:
            pytest.fail(f"{command[0]} did not come up: {(folder / 'log').read_text('utf-8')[-500:]}")
        yield
    finally:
        process.stop()


@pytest.fixture
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Alertmanager; its address."""
    folder, port = tmp_path_factory.mktemp("alertmanager"), free_port()
    (folder / "config.yml").write_text("route: {receiver: nobody, group_wait: 0s}\nreceivers: [{name: nobody}]\n", "utf-8")
    program = binary("prometheus-alertmanager", "alertmanager")
    options = [f"--config.file={folder}/config.yml", f"--storage.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"]
    with server(folder, [program, *options, "--cluster.listen-address="], f"http://127.0.0.1:{port}/-/ready"):
        yield f"http://127.0.0.1:{port}"


def test_alertmanager_shows_the_incident_and_its_resolution(alertmanager: str, tmp_path: Path) -> None:
    """The SEV-1 stands in a real Alertmanager while the path is broken, with the labels that page, and is gone after."""
    channels = {
        "CRITPATH_CHANNELS__ALERTS__KIND": "alertmanager",
        "CRITPATH_CHANNELS__ALERTS__URLS": f'["{alertmanager}"]',
    }

    def alerts() -> list[dict[str, Any]]:
        held: list[dict[str, Any]] = httpx.get(f"{alertmanager}/api/v2/alerts", trust_env=False).json()
        return held

    for seen in staged(tmp_path, **FAST, **channels):
        seen.stage.twin.switch_on("search-empty")
        (alert,) = seen.until(alerts, "Alertmanager holds the alert")
        assert alert["labels"] == {
            "alertname": "CritpathPathBroken",
            "env": "prod",
            "path": "investigation",
            "priority": "P1",
            "sev": "1",
            "service": "summit",
            "severity": "critical",
            "source": "daemon",
        }
        assert "the known case is missing" in alert["annotations"]["summary"]
        seen.stage.twin.switch_off()
        seen.until(lambda: not alerts(), "Alertmanager has resolved it")


def test_prometheus_scrapes_what_promtool_accepts(fast: Seen, tmp_path: Path) -> None:
    """promtool finds nothing wrong with `/metrics`, and a real Prometheus answers queries about every path."""
    metrics = fast.stage.daemon.metrics()
    checked = subprocess.run(
        [binary("promtool"), "check", "metrics"], input=metrics, text=True, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    port = free_port()
    target = fast.stage.listen
    (tmp_path / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s}\n"
        f"scrape_configs: [{{job_name: critpath, static_configs: [{{targets: ['{target}']}}]}}]\n",
        "utf-8",
    )
    options = [
        f"--config.file={tmp_path}/prometheus.yml",
        f"--storage.tsdb.path={tmp_path}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    address = f"http://127.0.0.1:{port}"

    def query(expression: str) -> list[dict[str, Any]]:
        answer = httpx.get(f"{address}/api/v1/query", params={"query": expression}, trust_env=False).json()
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    with server(tmp_path, [binary("prometheus"), *options], f"{address}/-/ready"):
        fast.until(lambda: len(query("critpath_path_up == 1")) == 4, "Prometheus has all four paths up")
        fast.until(lambda: query('increase(critpath_state_seconds_total{state="good"}[10s]) > 1'), "good time grows")
        assert query("count(critpath_slo_burn_rate)")[0]["value"][1] == "28"  # 4 paths × 7 windows


def test_openmetrics_carries_exemplars(fast: Seen) -> None:
    """Asked for OpenMetrics, a bucket names the trace and the run that fell into it."""
    accept = {"accept": "application/openmetrics-text; version=1.0.0"}
    answer = httpx.get(f"{fast.stage.daemon.address}/metrics", headers=accept, trust_env=False)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    buckets = [line for line in answer.text.splitlines() if line.startswith("critpath_check_duration_seconds_bucket")]
    assert any("trace_id=" in line and "run_id=" in line for line in buckets)


def test_health_is_open_and_plain(fast: Seen) -> None:
    """`/-/healthy` and `/-/ready` answer without a token."""
    for page in ("healthy", "ready"):
        assert httpx.get(f"{fast.stage.daemon.address}/-/{page}", trust_env=False).status_code == 200
