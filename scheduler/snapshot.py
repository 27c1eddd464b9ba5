"""The figures of one moment, for a scrape."""

from __future__ import annotations

from collections import Counter

from alerts.outbox import Dispatcher
from alerts.timeline import State
from scheduler.account import Account
from scheduler.budget import RequestBudget
from scheduler.lag import LoopLag
from scheduler.metrics import Snapshot


def take_snapshot(  # noqa: PLR0913 - the parts of a daemon that have something to show
    account: Account, dispatcher: Dispatcher, lag: LoopLag, budget: RequestBudget, *, residue: int, now: int
) -> Snapshot:
    """Return what is true at *now*, UTC epoch milliseconds."""
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
        outbox_pending=dispatcher.pending_count,
        outbox_oldest_age=dispatcher.oldest_age_seconds(now),
        canary_residue=residue,
        event_loop_lag=lag.worst(),
        request_budget=budget.remaining(),
    )
