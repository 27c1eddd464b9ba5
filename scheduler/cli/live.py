"""The live table of `critpath run` on a terminal: paths, states, last results, budget left, open incidents."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from alerts.page import duration
from scheduler.cli.common import OUTCOME_STYLE, STATE_STYLE, console

if TYPE_CHECKING:
    from scheduler.app import Daemon

_REFRESH_SECONDS = 0.5


class LiveTable:
    """The screen until the block ends: what is written to standard error meanwhile goes above the table."""

    def __init__(self) -> None:
        self._live = Live(console=console(), auto_refresh=False)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._live.start()
        return self

    def show(self, daemon: Daemon) -> None:
        """Draw *daemon* from now on."""
        self._task = asyncio.create_task(self._draw(daemon))

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._live.stop()

    async def _draw(self, daemon: Daemon) -> None:
        while True:
            self._live.update(view(daemon), refresh=True)
            await asyncio.sleep(_REFRESH_SECONDS)


def view(daemon: Daemon) -> Group:
    """Return what is known now, as something to print."""
    settings = daemon.configuration.settings
    now = datetime.fromtimestamp(daemon.clock.now() / 1000, UTC)
    head = Text.assemble(
        ("critpath", "bold"),
        f"  {daemon.configuration.profile.title} · {settings.environment} · {now:%H:%M:%S} UTC · {daemon.address}/metrics",
    )
    return Group(head, _paths(daemon), _incidents(daemon))


def _paths(daemon: Daemon) -> Table:
    table = Table(expand=True)
    table.add_column("path", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("budget left", justify="right", no_wrap=True)
    table.add_column("checks", ratio=3)
    for name, path in daemon.configuration.settings.paths.items():
        state = daemon.account.state(name)
        assessed = daemon.account.rolling(name)
        left = f"{assessed.remaining_ratio:.2%}" if assessed.remaining_ratio is not None else "–"
        table.add_row(path.title, Text(state.value, STATE_STYLE[state.value]), left, _checks(daemon, name))
    return table


def _checks(daemon: Daemon, path: str) -> Text:
    text = Text()
    for check in daemon.checks.values():
        if check.settings.path != path:
            continue
        verdict = daemon.verdicts.get(check.name)
        if verdict is None:
            text.append(f"· {check.name}  ", "dim")
            continue
        sign, style = OUTCOME_STYLE[verdict.outcome]
        text.append(f"{sign} {check.name} ", style)
        text.append(f"{verdict.evidence.seconds * 1000:.0f} ms  " if verdict.outcome.works else f"{verdict.reason}  ", "dim")
    return text


def _incidents(daemon: Daemon) -> Table | Text:
    incidents = daemon.account.open_incidents()
    if not incidents:
        return Text("no open incident", "dim")
    table = Table(expand=True, title="open incidents", title_justify="left")
    for heading in ("severity", "path", "for", "status", "what"):
        table.add_column(heading, no_wrap=heading != "what", ratio=3 if heading == "what" else None)
    for incident in incidents:
        table.add_row(
            Text(incident.severity, "bold red"),
            incident.path,
            duration(daemon.clock.now() - incident.started_ms),
            incident.status.value,
            f"{incident.cause.check}: {incident.cause.message}",
        )
    return table
