"""`critpath sla`: the account, as it stands."""

from __future__ import annotations

import asyncio
import json
import re
from decimal import Decimal
from typing import Any

import typer
from rich.table import Table

from alerts.page import duration
from alerts.sla import Assessment, Claim
from config import Configuration
from critpath import ConfigurationError, SystemClock
from scheduler.account import Account
from scheduler.checks import load_checks
from scheduler.cli.common import DEFAULT_CONFIG, ConfigOption, command_line, console, load_configuration
from scheduler.cli.storing import opened_store

_CLAIM_STYLE = {Claim.MET: "green", Claim.NOT_MET: "bold red", Claim.NOT_PROVEN: "yellow"}


app = command_line()


@app.command()
def command(
    config: ConfigOption = DEFAULT_CONFIG,
    month: str = typer.Option(
        "", "--month", metavar="YYYY-MM", help="A calendar month of the contract's zone; else the present one."
    ),
    format: str = typer.Option(  # noqa: A002 - the name of the option
        "table", "--format", help="table or json."
    ),
) -> None:
    """
    Show each path against its objective: the calendar month of the contract, and the rolling period.

    Example: [bold]critpath sla --month 2026-11 --format json[/bold]
    """
    year_month = _parse_month(month) if month else None
    if format not in ("table", "json"):
        raise ConfigurationError(f"--format {format}: write table or json")
    configuration = load_configuration(config)
    account, watched = asyncio.run(_read(configuration))
    rows = [
        (path, name, assessed)
        for path in account.timelines
        for name, assessed in (("month", account.month(path, year_month)), ("rolling", account.rolling(path)))
        if name == "month" or year_month is None
    ]
    if format == "json":
        typer.echo(json.dumps([_plain(*row) for row in rows], indent=2))
        return
    out = console()
    if configuration.settings.environment != "prod":
        out.print(f"[yellow]{configuration.settings.environment} has no SLA; these figures are for information.[/yellow]")
    if not watched:
        out.print("The journal is empty: nothing has been watched yet. Start with [bold]critpath run[/bold].")
        return
    out.print(_table(rows, account))


async def _read(configuration: Configuration) -> tuple[Account, bool]:
    """Return the account, and whether anything was ever watched."""
    clock = SystemClock()
    async with opened_store(configuration, clock) as store:
        account = await Account.read(configuration.settings, load_checks(configuration), store.records, clock.now())
    watched = any(len(timeline) for timeline in account.timelines.values())
    account.take(account.book.advance(clock.now()))
    return account, watched


def _table(rows: list[tuple[str, str, Assessment]], account: Account) -> Table:
    table = Table(title="Service level", title_justify="left")
    for heading in (
        "path",
        "window",
        "state",
        "objective",
        "measured",
        "pessimistic",
        "coverage",
        "bad",
        "unknown",
        "budget left",
        "verdict",
    ):
        table.add_column(heading, justify="left" if heading in ("path", "window", "state", "verdict") else "right")
    for path, name, a in rows:
        first = name == "month"
        state = account.state(path).value if first else ""
        claim = f"[{_CLAIM_STYLE[a.verdict]}]{a.verdict.value}{'' if a.complete else ' so far'}[/]"
        table.add_row(
            path if first else "",
            name,
            state,
            f"{a.objective:.3%}",
            _percent(a.measured),
            _percent(a.pessimistic),
            _percent(a.coverage),
            duration(a.spent.bad),
            duration(a.spent.unknown),
            f"{'-' if a.remaining_ms < 0 else ''}{duration(round(abs(a.remaining_ms)))} ({_percent(a.remaining_ratio, 1)})",
            claim,
            end_section=not first,
        )
    return table


def _plain(path: str, name: str, a: Assessment) -> dict[str, Any]:
    return {
        "path": path,
        "window": name,
        "from_ms": a.window.start_ms,
        "to_ms": a.window.end_ms,
        "complete": a.complete,
        "objective": str(a.objective),
        "measured": _text(a.measured),
        "pessimistic": _text(a.pessimistic),
        "coverage": _text(a.coverage),
        "good_ms": a.spent.good,
        "bad_ms": a.spent.bad,
        "unknown_ms": a.spent.unknown,
        "maintenance_ms": a.spent.maintenance,
        "budget_ms": str(a.budget_ms),
        "budget_remaining_ms": str(a.remaining_ms),
        "budget_remaining": _text(a.remaining_ratio),
        "verdict": a.verdict.value,
    }


def _percent(value: Decimal | None, digits: int = 4) -> str:
    return "–" if value is None else f"{value:.{digits}%}"


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _parse_month(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", text)
    if found is None:
        raise ConfigurationError(f"--month {text!r} is not a month; write for example 2026-11")
    return int(found[1]), int(found[2])
