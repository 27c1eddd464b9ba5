"""Every metric, declared once, on a registry that is handed in. Labels come from the configuration alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from critpath import Outcome, Result, RunClass, Verdict

BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 8, 13, 20, 30, 60)
"""Seconds. They hold the latency objectives of the Summit profile as exact bounds."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is true at the moment of a scrape. Seconds and ratios; a `None` is not exported."""

    state_seconds: Mapping[tuple[str, str], float]
    path_up: Mapping[str, float]
    objectives: Mapping[str, float]
    budget_remaining: Mapping[tuple[str, str], float]
    burn_rate: Mapping[tuple[str, str], float]
    coverage: Mapping[tuple[str, str], float]
    incidents_open: Mapping[str, int]
    outbox_pending: int
    outbox_oldest_age: float
    canary_residue: int
    event_loop_lag: float
    request_budget: int | None


class Metrics:
    """The instruments. Children of every check are made at zero when it is configured: a first increment must be seen."""

    def __init__(self, registry: CollectorRegistry, snapshot: Callable[[], Snapshot]) -> None:
        self.registry = registry
        registry.register(_AtScrape(snapshot))
        self._attempts = Counter(
            "critpath_check_attempts",
            "Attempts of a check, by class and outcome.",
            ("check", "path", "class", "outcome"),
            registry=registry,
        )
        self._flakes = Counter(
            "critpath_check_flakes",
            "Runs in which an attempt failed and the run was good.",
            ("check", "path"),
            registry=registry,
        )
        self._duration = Histogram(
            "critpath_check_duration_seconds", "Length of an attempt.", ("check", "path"), buckets=BUCKETS, registry=registry
        )
        self._steps = Histogram(
            "critpath_step_duration_seconds",
            "Length of a step of an attempt.",
            ("check", "path", "step"),
            buckets=BUCKETS,
            registry=registry,
        )
        self._last_run = Gauge(
            "critpath_check_last_run_timestamp_seconds", "When the last attempt started.", ("check", "path"), registry=registry
        )
        self._success = Gauge(
            "probe_success", "Whether the last run of the check was good.", ("check", "path"), registry=registry
        )
        self._last_duration = Gauge(
            "probe_duration_seconds", "Length of the last attempt of the check.", ("check", "path"), registry=registry
        )
        self.schedule_lag = Histogram(
            "critpath_schedule_lag_seconds", "How late a run started.", ("check",), buckets=BUCKETS, registry=registry
        )
        self.schedule_missed = Counter(
            "critpath_schedule_missed", "Slots in which no run started.", ("check",), registry=registry
        )
        self.store_errors = Counter(
            "critpath_store_errors", "Writes to the store that failed and are tried again.", registry=registry
        )
        Gauge("critpath_build_info", "The version that runs.", ("version",), registry=registry).labels(version("critpath")).set(
            1
        )

    def declare(self, check: str, path: str) -> None:
        """Make every child of a check at zero."""
        for run_class in RunClass:
            for outcome in Outcome:
                self._attempts.labels(check, path, run_class.value, outcome.value)
        self._flakes.labels(check, path)
        self._duration.labels(check, path)
        self.schedule_lag.labels(check)
        self.schedule_missed.labels(check)

    def observe(self, result: Result) -> None:
        """Count an attempt. A step's name is from the probe's text, and so of a small set."""
        names = (result.check, result.path)
        exemplar = {"trace_id": result.trace_id, "run_id": result.run_id} if result.trace_id else None
        self._attempts.labels(*names, result.run_class.value, result.outcome.value).inc(exemplar=exemplar)
        self._duration.labels(*names).observe(result.seconds, exemplar=exemplar)
        for step in result.steps:
            self._steps.labels(*names, step.name).observe(step.seconds, exemplar=exemplar)
        self._last_run.labels(*names).set(result.started_ms / 1000)
        self._last_duration.labels(*names).set(result.seconds)

    def judge(self, verdict: Verdict) -> None:
        """Note a verdict. What could not be told leaves the last word standing."""
        names = (verdict.check, verdict.path)
        if verdict.flake:
            self._flakes.labels(*names).inc()
        if verdict.outcome.works or verdict.outcome is Outcome.FAILED:
            self._success.labels(*names).set(int(verdict.outcome.works))


class _AtScrape(Collector):
    """The figures that are computed when they are asked for, all from one moment."""

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot

    def describe(self) -> Iterable[Metric]:
        """Declare nothing beforehand: there may be no store yet."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Yield the families."""
        now = self._snapshot()
        seconds = CounterMetricFamily(
            "critpath_state_seconds",
            "Settled time of a path in each state since the start of the daemon.",
            labels=("path", "state"),
        )
        for key, value in now.state_seconds.items():
            seconds.add_metric(key, value)
        yield seconds
        yield _gauge(
            "critpath_path_up", "1 good, 0 bad; absent while unknown or in maintenance.", ("path",), _keyed(now.path_up)
        )
        yield _gauge("critpath_slo_objective_ratio", "The objective of a path.", ("path",), _keyed(now.objectives))
        windowed = ("path", "window")
        yield _gauge(
            "critpath_slo_error_budget_remaining_ratio",
            "Error budget left; negative when overspent.",
            windowed,
            now.budget_remaining,
        )
        yield _gauge(
            "critpath_slo_burn_rate", "Speed of spending; 1 spends the budget exactly in the period.", windowed, now.burn_rate
        )
        yield _gauge("critpath_slo_coverage_ratio", "Share of the window that is known, good or bad.", windowed, now.coverage)
        yield _gauge("critpath_incidents_open", "Incidents that are not resolved.", ("severity",), _keyed(now.incidents_open))
        yield GaugeMetricFamily("critpath_outbox_pending", "Messages that no channel has accepted yet.", now.outbox_pending)
        yield GaugeMetricFamily("critpath_outbox_oldest_age_seconds", "Age of the oldest of them.", now.outbox_oldest_age)
        yield GaugeMetricFamily(
            "critpath_canary_residue", "Records of ours in the target that are not proved gone.", now.canary_residue
        )
        yield GaugeMetricFamily("critpath_event_loop_lag_seconds", "Worst delay of our event loop of late.", now.event_loop_lag)
        budget = {("all",): float(now.request_budget)} if now.request_budget is not None else {}
        yield _gauge(
            "critpath_request_budget_remaining", "Requests left in the present window, reserve included.", ("surface",), budget
        )


def _keyed(values: Mapping[str, float]) -> dict[tuple[str], float]:
    return {(key,): value for key, value in values.items()}


def _gauge(name: str, text: str, labels: tuple[str, ...], values: Mapping[Any, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family
