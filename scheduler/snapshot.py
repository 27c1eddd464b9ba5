"""The figures of one moment, for a scrape and for the live table."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from alerts.timeline import State
from scheduler.metrics import Snapshot

if TYPE_CHECKING:
    from scheduler.app import Daemon


def take_snapshot(daemon: Daemon) -> Snapshot:
    """Return what is true of *daemon* now."""
    account, now = daemon.account, daemon.clock.now()
    paths = list(account.timelines)
    rolling = {path: account.rolling(path) for path in paths}
    months = {path: account.month(path) for path in paths}
    assessed = [(path, name, each[path]) for name, each in (("30d", rolling), ("month", months)) for path in paths]
    states = {path: account.state(path) for path in paths}
    severities: Counter[str] = Counter({settings.severity: 0 for settings in account.settings.paths.values()})
    severities.update(incident.severity for incident in account.open_incidents())
    return Snapshot(
        state_seconds={(path, state.value): s for path in paths for state, s in account.seconds_since_start(path).items()},
        path_up={path: float(state is State.GOOD) for path, state in states.items() if state in (State.GOOD, State.BAD)},
        objectives={path: float(account.path(path).objective) for path in paths},
        budget_remaining={(p, name): float(a.remaining_ratio) for p, name, a in assessed if a.remaining_ratio is not None},
        burn_rate={(path, name): float(rate) for path in paths for name, rate in account.burn(path).items()},
        coverage={
            **{(path, name): float(share) for path in paths for name, share in account.coverage(path).items()},
            **{(path, name): float(a.coverage) for path, name, a in assessed if a.coverage is not None},
        },
        incidents_open=dict(severities),
        outbox_pending=daemon.dispatcher.pending_count,
        outbox_oldest_age=daemon.dispatcher.oldest_age_seconds(now),
        canary_residue=daemon.residue,
        event_loop_lag=daemon.lag.worst(),
        request_budget=daemon.budget.remaining(),
    )
