"""The daemon killed and stopped while things happen: nothing is lost, nothing is said twice, nothing is left running."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil

from demo.stage import ROOT, Stage, critpath
from tests.acceptance.conftest import Seen

SECONDS_DEAD = 14
LONGEST_HOLD = 1.5 * 3 + 3
"""Seconds: 1.5 × interval + timeout of the demo's search."""


def sla(seen: Seen, path: str) -> dict[str, Any]:
    """Return what `critpath sla` says of a path in the rolling window."""
    done = subprocess.run(
        critpath("sla", "-c", str(ROOT / "config" / "demo.yaml"), "--format", "json"),
        env={**os.environ, **seen.stage.env},
        capture_output=True,
        check=True,
    )
    return next(row for row in json.loads(done.stdout) if (row["path"], row["window"]) == (path, "rolling"))


def test_killed_during_an_incident_it_goes_on_with_the_same_one(fresh: Seen) -> None:
    """SIGKILL, a pause, a restart: one page, one resolve, the gap unknown and not bad, and a journal that is whole."""
    fresh.stage.twin.switch_on("search-empty")
    fresh.until(lambda: fresh.pages("trigger"), "the incident is paged")
    fresh.stage.daemon.process.kill()
    time.sleep(SECONDS_DEAD)
    dead = sla(fresh, "investigation")
    fresh.stage.start_daemon()
    fresh.until(lambda: fresh.metric('critpath_incidents_open{severity="SEV-1"}') == 1, "the incident is open again")
    fresh.until(lambda: "investigation" in fresh.bad(), "the path is seen to be bad again")
    (_, before), (gap_began, gap), (gap_ended, after) = journal(fresh, "path:investigation")[-3:]
    assert (before, gap, after) == ("bad", "unknown", "bad")
    assert gap_ended - gap_began >= (SECONDS_DEAD - LONGEST_HOLD) * 1000
    again = sla(fresh, "investigation")
    assert again["bad_ms"] >= dead["bad_ms"]
    assert again["bad_ms"] - dead["bad_ms"] < gap_ended - gap_began
    fresh.stage.twin.switch_off()
    fresh.until(lambda: fresh.pages("resolve"), "the incident is resolved")
    (trigger,), (resolve,) = fresh.pages("trigger"), fresh.pages("resolve")
    assert trigger["incident_id"] == resolve["incident_id"]
    subprocess.run(
        critpath("db", "verify", "-c", str(ROOT / "config" / "demo.yaml")), env={**os.environ, **fresh.stage.env}, check=True
    )


def journal(seen: Seen, subject: str) -> list[tuple[int, str]]:
    """Return the journal's transitions of a subject: when, and to which state."""
    with contextlib.closing(sqlite3.connect(seen.stage.folder / "critpath.db")) as connection:
        return connection.execute("SELECT at_ms, state FROM journal WHERE subject = ? ORDER BY seq", (subject,)).fetchall()


def test_terminated_it_leaves_nothing_running(fresh: Seen) -> None:
    """SIGTERM ends the daemon with 0 in bounded time, and its browser with it; the journal says that it stopped."""
    daemon = psutil.Process(fresh.stage.daemon.process.popen.pid)
    family = daemon.children(recursive=True)
    assert any("chrom" in process.name() for process in family)
    daemon.send_signal(signal.SIGTERM)
    assert fresh.stage.daemon.process.popen.wait(20) == 0
    psutil.wait_procs(family, timeout=5)
    assert [process for process in family if process.is_running()] == []
    assert kinds(fresh)[-1] == "stop"


def kinds(seen: Seen) -> list[str]:
    """Return the kinds of the journal's entries, in order."""
    with contextlib.closing(sqlite3.connect(seen.stage.folder / "critpath.db")) as connection:
        return [kind for (kind,) in connection.execute("SELECT kind FROM journal ORDER BY seq")]


def test_a_second_daemon_on_the_same_store_is_refused(fresh: Seen) -> None:
    """One process watches one environment; the second says who the first is, without a traceback."""
    done = subprocess.run(
        critpath("run", "-c", str(ROOT / "config" / "demo.yaml"), "--no-table"),
        env={**os.environ, **fresh.stage.env, "CRITPATH_WEB__LISTEN": "127.0.0.1:0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert f"process {fresh.stage.daemon.process.popen.pid}" in done.stderr
    assert "Traceback" not in done.stderr


def test_with_the_target_down_at_the_start_it_runs_and_pages(tmp_path: Path) -> None:
    """A target that was never up is bad, not an error of ours: every path that needs no session says so."""
    with Stage(tmp_path, env={"CRITPATH_CONFIRMATION__GAP": "1s"}) as stage:
        stage.daemon.process.stop()
        stage.env["CRITPATH_SURFACES__API"] = "http://127.0.0.1:9"
        stage.start_daemon()
        seen = Seen(stage)
        seen.until(lambda: seen.pages("trigger"), "somebody is paged")
        assert {page["path"] for page in seen.pages("trigger")} == {"auth"}
        assert stage.daemon.process.running


def test_an_address_in_use_is_said_plainly(fresh: Seen) -> None:
    """A second daemon with a store of its own cannot listen where the first does, and says which setting to change."""
    env = {**os.environ, **fresh.stage.env, "CRITPATH_STORE__URL": f"sqlite:///{fresh.stage.folder}/other.db"}
    done = subprocess.run(
        critpath("run", "-c", str(ROOT / "config" / "demo.yaml"), "--no-table"),
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, "web.listen" in done.stderr, "Traceback" in done.stderr) == (1, True, False)
