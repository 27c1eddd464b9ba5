"""Disturbances that must not page anybody: flakes, the target's normal delays, and faults of our own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.stage import ROOT, Stage, critpath
from tests.acceptance.conftest import PATHS, Seen, staged

CALM = {
    # disturbance: the check that meets it, and for how many of its runs we watch
    "blip-1": ("search", 3),
    "ingest-5s": ("ingest-roundtrip", 2),
    "ingest-status-404": ("ingest-roundtrip", 2),
    "audit-flush-5s": ("audit-roundtrip", 2),
    "restart-1s": ("search", 4),
    "token-expires-mid-run": ("permissions", 4),
}


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """A daemon with the deadlines of the demo."""
    yield from staged(tmp_path_factory.mktemp("patient"))


@pytest.mark.parametrize("disturbance", CALM)
def test_a_disturbance_pages_nobody(patient: Seen, disturbance: str) -> None:
    """Runs go on through the disturbance, no path turns bad, and the telephone is silent."""
    check, runs = CALM[disturbance]
    before, bad = patient.runs(check), set[str]()
    patient.stage.twin.switch_on(disturbance)

    def enough() -> bool:
        bad.update(patient.bad())
        return patient.runs(check) >= before + runs

    try:
        patient.until(enough, f"{runs} runs of {check}", 120)
    finally:
        patient.stage.twin.switch_off(disturbance)
    patient.until(patient.all_good, f"after {disturbance}, all is good")
    assert (bad, patient.pages("trigger")) == (set(), [])


def test_a_blip_is_counted_as_a_flake(patient: Seen) -> None:
    """One failing answer between good ones shows in the flakes of the one check that asks there, and in nothing else."""
    flakes = 'critpath_check_flakes_total{check="permissions",path="auth"}'
    before = patient.metric(flakes)
    patient.stage.twin.switch_on("blip-1", route="/release-readiness/summary")
    patient.until(lambda: patient.metric(flakes) == before + 1, "a flake is counted")
    assert patient.pages("trigger") == []


def test_being_throttled_is_our_fault_and_makes_paths_unknown(patient: Seen) -> None:
    """A 429 from the target is `error(throttled)`: no path is bad, and what we cannot tell is not called good."""
    patient.stage.twin.switch_on("throttled")
    try:
        patient.until(lambda: "investigation" not in patient.states(), "investigation is unknown")
        assert (patient.bad(), patient.pages("trigger")) == (set(), [])
    finally:
        patient.stage.twin.switch_off("throttled")
    patient.until(patient.all_good, "after the silence that the target asked for, all is good", 90)


def test_without_a_browser_the_path_is_unknown_and_nobody_is_paged(tmp_path: Path) -> None:
    """A missing browser is `error(browser)`: the sign-in page is not known to work, and not said to be broken."""
    with Stage(tmp_path, env={"CRITPATH_BROWSER__EXECUTABLE": "/nonexistent/chromium"}) as stage:
        seen = Seen(stage)
        errors = 'critpath_check_attempts_total{check="sign-in",class="scheduled",outcome="error",path="auth"}'
        seen.until(lambda: seen.metric(errors) >= 1, "the browser check says that it cannot tell")
        seen.until(lambda: PATHS - set(seen.states()) == {"auth"}, "the other paths are known")
        assert (seen.bad(), seen.pages("trigger")) == (set(), [])
        report = tmp_path / "report.json"
        done = subprocess.run(
            critpath("check", "-c", str(ROOT / "config" / "demo.yaml"), "sign-in", "--report", f"json:{report}"),
            env={**os.environ, **stage.env, "CRITPATH_STORE__URL": f"sqlite:///{tmp_path}/check.db"},
            capture_output=True,
            check=False,
        )
    (verdict,) = json.loads(report.read_text("utf-8"))["verdicts"]
    assert (done.returncode, verdict["outcome"], verdict["reason"]) == (4, "error", "browser")


def test_a_missing_secret_is_our_fault(tmp_path: Path) -> None:
    """A credential file that is gone is `error(secret)`; what needs it is unknown, and nobody is paged."""
    with Stage(tmp_path, env={"CRITPATH_IDENTITIES__ANALYST__PASSWORD__FILE": str(tmp_path / "gone")}) as stage:
        seen = Seen(stage)
        seen.until(lambda: seen.states().get("auth") and seen.states().get("audit"), "paths that do not need it are good")
        errors = 'critpath_check_attempts_total{check="%s",class="scheduled",outcome="error",path="%s"}'
        for check, path in (("search", "investigation"), ("ingest-roundtrip", "ingestion")):
            seen.until(lambda: seen.metric(errors % (check, path)) >= 1, f"{check} says that it cannot tell")  # noqa: B023
        assert {"investigation", "ingestion"}.isdisjoint(seen.states())
        assert (seen.bad(), seen.pages("trigger")) == (set(), [])
