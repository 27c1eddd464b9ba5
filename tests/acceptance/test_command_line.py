"""`critpath check`, `sla` and the demo itself, as a person or a pipeline calls them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.stage import ROOT, Twin, critpath, environment
from tests.acceptance.conftest import FAST

FAULTS = {
    "login-500": "auth",
    "refresh-reuse-accepted": "auth",
    "authz-escalation": "auth",
    "graph-mock-fallback": "investigation",
    "graph-expand-stub": "investigation",
    "search-empty": "investigation",
    "ingest-lost": "ingestion",
    "audit-lost": "audit",
    "ledger-broken-link": "audit",
}


class Shell:
    """Calls critpath against a twin."""

    def __init__(self, twin: Twin, folder: Path) -> None:
        self.twin = twin
        self.folder = folder
        self.env = {**os.environ, **environment(twin, folder / "critpath.db", "127.0.0.1:0"), **FAST}

    def __call__(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        command = critpath(arguments[0], "-c", str(ROOT / "config" / "demo.yaml"), *arguments[1:])
        return subprocess.run(command, env={**self.env, **env}, capture_output=True, text=True, check=False, timeout=120)

    def bad_paths(self, *arguments: str) -> set[str]:
        """Return the paths in which `critpath check` finds a failure."""
        report = self.folder / "report.json"
        self("check", *arguments, "--report", f"json:{report}")
        return {v["path"] for v in json.loads(report.read_text("utf-8"))["verdicts"] if v["outcome"] == "failed"}


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A twin, and critpath pointed at it."""
    folder = tmp_path_factory.mktemp("shell")
    twin = Twin(folder)
    try:
        yield Shell(twin, folder)
    finally:
        twin.stop()


def test_a_healthy_target_is_good_on_all_four_paths(shell: Shell) -> None:
    """All checks pass, the real browser included; the exit code is 0 and the reports say the same."""
    junit, markdown = shell.folder / "junit.xml", shell.folder / "report.md"
    done = shell("check", "--report", f"junit:{junit}", "--report", f"markdown:{markdown}", "--deploy", "d-17")
    assert done.returncode == 0, done.stdout + done.stderr
    suites = {suite.get("name"): suite for suite in ET.parse(junit).getroot()}  # noqa: S314 - our own file
    assert set(suites) == {"auth", "investigation", "ingestion", "audit"}
    assert {suite.get("failures") for suite in suites.values()} == {"0"}
    assert "d-17" in markdown.read_text("utf-8")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_with_exit_1_on_its_own_path(shell: Shell, fault: str) -> None:
    """What the fault breaks is red, and nothing else is."""
    shell.twin.switch_on(fault)
    try:
        assert shell.bad_paths() == {FAULTS[fault]}
    finally:
        shell.twin.switch_off(fault)


def test_a_name_that_matches_nothing_is_not_green(shell: Shell) -> None:
    """A gate that checks nothing exits with 5 and says what there is."""
    done = shell("check", "serach")
    assert (done.returncode, "search" in done.stderr) == (5, True)


def test_the_account_of_nothing_says_so(shell: Shell, tmp_path: Path) -> None:
    """On an empty store `critpath sla` says plainly that nothing has been watched."""
    done = shell("sla", CRITPATH_STORE__URL=f"sqlite:///{tmp_path}/empty.db")
    assert (done.returncode, "nothing has been watched yet" in done.stdout) == (0, True)


def test_every_command_has_help_with_an_example() -> None:
    """`--help` of each command shows how to call it."""
    for command in ("init", "validate", "plan", "list", "run", "check", "sla"):
        done = subprocess.run(critpath(command, "--help"), capture_output=True, text=True, check=True)
        assert "Example" in done.stdout, command


def test_the_demo_breaks_mends_and_judges_itself() -> None:
    """It exits 0 because the incident was opened on the right path, delivered within 8 s, and resolved."""
    command = [sys.executable, "-m", "demo.show", "--plain", "--port", "0", "--listen", "127.0.0.1:19808"]
    cues = ["--seconds", "45", "--break", "search-empty@12", "--mend", "@22"]
    done = subprocess.run([*command, *cues], cwd=ROOT, capture_output=True, text=True, check=False, timeout=150)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "right: opened on the right path, delivered 1, resolved 1" in done.stdout
