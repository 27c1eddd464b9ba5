"""`critpath db`: the schema, and the proof that the journal is whole."""

from __future__ import annotations

import asyncio

import typer

from alerts.journal import fault
from critpath import OperatorError, SystemClock
from scheduler.cli.common import DEFAULT_CONFIG, ConfigOption, command_line, load_configuration
from scheduler.cli.storing import opened_store

app = command_line(help="Look after the store.", no_args_is_help=True)


@app.command()
def migrate(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """
    Bring the schema up to date. The daemon does so by itself.

    Example: [bold]critpath db migrate[/bold]
    """
    typer.echo(f"{asyncio.run(_url(config))}: the schema is up to date")


@app.command()
def verify(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """
    Recompute every hash of the journal; exit 1 and name the first entry that does not fit.

    Example: [bold]critpath db verify[/bold]
    """
    count, head, wrong = asyncio.run(_verify(config))
    if wrong:
        raise OperatorError(f"the journal is not whole: {wrong}")
    typer.echo(f"the journal is whole: {count} entries{f', head {head}' if head else ''}")


async def _url(config: ConfigOption) -> str:
    configuration = load_configuration(config)
    async with opened_store(configuration, SystemClock()) as store:
        return store.url


async def _verify(config: ConfigOption) -> tuple[int, str, str | None]:
    configuration = load_configuration(config)
    async with opened_store(configuration, SystemClock()) as store:
        entries = await store.records.entries()
    return len(entries), entries[-1].hash if entries else "", fault(entries)
