"""The configuration of the example file, and results and verdicts to judge. Times are seconds after `START`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from config import Configuration, load
from critpath import Outcome, Reason, Result, RunClass, Step, Verdict
from scheduler.checks import Check, load_checks

START = 1_800_000_000_000
CONFIGURATION: Configuration = load(Path(__file__).parents[3] / "config" / "example.yaml", environ={})
CHECKS: dict[str, Check] = load_checks(CONFIGURATION)
REASONS = {
    Outcome.OK: Reason.NONE,
    Outcome.DEGRADED: Reason.SLOW,
    Outcome.FAILED: Reason.TIMEOUT,
    Outcome.ERROR: Reason.BROWSER,
    Outcome.ABORTED: Reason.STOPPING,
}


def attempt(outcome: Outcome, at: float = 0, number: int = 1, **differs: Any) -> Result:
    """Return an attempt of `login` that began *at* seconds and took one."""
    values: dict[str, Any] = {
        "run_id": f"run-{at:g}",
        "check": "login",
        "path": "auth",
        "run_class": RunClass.SCHEDULED,
        "attempt": number,
        "started_ms": START + round(at * 1000),
        "seconds": 1.0,
        "outcome": outcome,
        "reason": REASONS[outcome],
        "message": "" if outcome.works else f"it says {outcome}",
        "steps": (Step("login", 0.0, 0.75, outcome is not Outcome.FAILED),),
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "correlation_id": "c-1",
    }
    return Result(**{**values, **differs})


def verdict(outcome: Outcome, at: float = 0, attempts: Sequence[Result] = (), **differs: Any) -> Verdict:
    """Return the verdict of one attempt, or of those given."""
    last = attempt(
        outcome, at, **{k: v for k, v in differs.items() if k in {"check", "path", "message", "run_class", "reason"}}
    )
    made = tuple(attempts) or (last,)
    values: dict[str, Any] = {
        "check": last.check,
        "path": last.path,
        "run_class": last.run_class,
        "run_id": last.run_id,
        "attempts": made,
        "outcome": outcome,
        "reason": last.reason,
        "message": last.message,
        "since_ms": made[0].started_ms,
    }
    return Verdict(**{**values, **differs})
