"""The metrics: exactly the names of the design, children at zero, labels from the configuration alone."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import CollectorRegistry, disable_created_metrics, generate_latest
from prometheus_client.openmetrics import exposition

from critpath import Outcome, RunClass
from scheduler.metrics import Metrics, Snapshot
from tests.unit.scheduler.scheduler_doubles import attempt, verdict

# Name as in the design, and its labels.
NAMES = {
    "critpath_state_seconds_total": ("path", "state"),
    "critpath_path_up": ("path",),
    "critpath_check_attempts_total": ("check", "path", "class", "outcome"),
    "critpath_check_flakes_total": ("check", "path"),
    "critpath_check_duration_seconds": ("check", "path"),
    "critpath_step_duration_seconds": ("check", "path", "step"),
    "critpath_check_last_run_timestamp_seconds": ("check", "path"),
    "critpath_slo_objective_ratio": ("path",),
    "critpath_slo_error_budget_remaining_ratio": ("path", "window"),
    "critpath_slo_burn_rate": ("path", "window"),
    "critpath_slo_coverage_ratio": ("path", "window"),
    "critpath_incidents_open": ("severity",),
    "critpath_outbox_pending": (),
    "critpath_outbox_oldest_age_seconds": (),
    "critpath_canary_residue": (),
    "critpath_schedule_lag_seconds": ("check",),
    "critpath_schedule_missed_total": ("check",),
    "critpath_store_errors_total": (),
    "critpath_event_loop_lag_seconds": (),
    "critpath_request_budget_remaining": ("surface",),
    "critpath_build_info": ("version",),
    "probe_success": ("check", "path"),
    "probe_duration_seconds": ("check", "path"),
}
SNAPSHOT: dict[str, Any] = {
    "state_seconds": {("auth", "good"): 60.0, ("auth", "bad"): 0.0},
    "path_up": {"auth": 1.0},
    "objectives": {"auth": 0.999},
    "budget_remaining": {("auth", "30d"): -0.5},
    "burn_rate": {("auth", "5m"): 14.4},
    "coverage": {("auth", "30d"): 0.99},
    "incidents_open": {"SEV-1": 0},
    "outbox_pending": 2,
    "outbox_oldest_age": 1.5,
    "canary_residue": 3,
    "event_loop_lag": 0.25,
    "request_budget": 88,
}


@pytest.fixture(autouse=True)
def _as_the_daemon_does() -> None:
    disable_created_metrics()  # type: ignore[no-untyped-call]


def metrics(**differs: Any) -> Metrics:
    return Metrics(CollectorRegistry(), lambda: Snapshot(**{**SNAPSHOT, **differs}))


def value(made: Metrics, name: str, **labels: str) -> float | None:
    return made.registry.get_sample_value(name, labels)


def test_exactly_the_names_of_the_design_are_exported() -> None:
    """With their labels, each with a help text; nothing besides."""
    made = metrics()
    made.declare("login", "auth")
    made.observe(attempt(Outcome.OK))
    made.judge(verdict(Outcome.OK))
    found = {}
    for family in made.registry.collect():
        assert family.documentation.endswith("."), family.name
        labels = {tuple(name for name in sample.labels if name != "le") for sample in family.samples}
        assert len(labels) == 1, family.name
        found[f"{family.name}_total" if family.type == "counter" else family.name] = labels.pop()
    assert found == NAMES


def test_every_child_of_a_check_exists_at_zero() -> None:
    """A first failure must be an increase: of nothing, no rate can be computed."""
    made = metrics()
    made.declare("login", "auth")
    for run_class in RunClass:
        for outcome in Outcome:
            labels = {"check": "login", "path": "auth", "class": run_class.value, "outcome": outcome.value}
            assert made.registry.get_sample_value("critpath_check_attempts_total", labels) == 0
    assert value(made, "critpath_check_flakes_total", check="login", path="auth") == 0
    assert value(made, "critpath_check_duration_seconds_count", check="login", path="auth") == 0
    assert value(made, "critpath_schedule_lag_seconds_count", check="login") == 0
    assert value(made, "critpath_schedule_missed_total", check="login") == 0
    assert value(made, "critpath_store_errors_total") == 0
    assert value(made, "probe_success", check="login", path="auth") is None, "before the first run nothing is known"


def test_an_attempt_is_counted_and_timed() -> None:
    """By class and outcome, with its steps, its start and its length."""
    made = metrics()
    made.observe(attempt(Outcome.FAILED, 7.5, run_class=RunClass.CONFIRM))
    labels = {"check": "login", "path": "auth"}
    assert value(made, "critpath_check_attempts_total", **labels, **{"class": "confirm"}, outcome="failed") == 1
    assert value(made, "critpath_check_duration_seconds_sum", **labels) == 1.0
    assert value(made, "critpath_step_duration_seconds_sum", **labels, step="login") == 0.75
    assert value(made, "critpath_check_last_run_timestamp_seconds", **labels) == 1_800_000_007.5
    assert value(made, "probe_duration_seconds", **labels) == 1.0


@pytest.mark.parametrize(
    ("outcome", "after_good", "after_bad"),
    [
        (Outcome.OK, 1, 1),
        (Outcome.DEGRADED, 1, 1),
        (Outcome.FAILED, 0, 0),
        (Outcome.ERROR, 1, 0),
        (Outcome.ABORTED, 1, 0),
    ],
)
def test_what_could_not_be_told_leaves_the_last_word_standing(outcome: Outcome, after_good: int, after_bad: int) -> None:
    """`probe_success` says what the last run said that said anything."""
    for before, expected in ((Outcome.OK, after_good), (Outcome.FAILED, after_bad)):
        made = metrics()
        made.judge(verdict(before))
        made.judge(verdict(outcome))
        assert value(made, "probe_success", check="login", path="auth") == expected


def test_a_flake_is_counted_and_good() -> None:
    """It is no failure of the check."""
    made = metrics()
    made.judge(verdict(Outcome.OK, flake=True))
    assert value(made, "critpath_check_flakes_total", check="login", path="auth") == 1
    assert value(made, "probe_success", check="login", path="auth") == 1


def test_a_scrape_shows_the_moment_it_is_made() -> None:
    """What is unknown is absent, not zero."""
    made = metrics(path_up={}, request_budget=None)
    assert value(made, "critpath_path_up", path="auth") is None
    assert value(made, "critpath_request_budget_remaining", surface="all") is None
    assert value(made, "critpath_state_seconds_total", path="auth", state="good") == 60.0
    assert value(made, "critpath_slo_error_budget_remaining_ratio", path="auth", window="30d") == -0.5
    assert value(made, "critpath_canary_residue") == 3


def test_both_formats_can_be_written_and_exemplars_are_in_one() -> None:
    """The trace of an attempt is found from its bucket."""
    made = metrics()
    made.observe(attempt(Outcome.OK))
    assert b"trace_id" not in generate_latest(made.registry)
    assert b'trace_id="0af7651916cd43dd8448eb211c80319c"' in exposition.generate_latest(made.registry)  # type: ignore[no-untyped-call]
