"""`critpath run`: the daemon."""

from __future__ import annotations

import asyncio
import sys

import structlog
import typer

from config import Configuration, exposed_files
from scheduler import logs
from scheduler.cli.common import DEFAULT_CONFIG, ConfigOption, command_line, load_configuration

app = command_line()


@app.command()
def command(
    config: ConfigOption = DEFAULT_CONFIG,
    table: bool | None = typer.Option(None, "--table/--no-table", help="The live table; by default on a terminal."),
) -> None:
    """
    Watch: run every check on its schedule, keep the account, raise incidents. Stops on SIGTERM and Ctrl-C.

    Example: [bold]critpath run -c critpath.yaml[/bold]
    """
    asyncio.run(_run(load_configuration(config), show=sys.stdout.isatty() if table is None else table))


async def _run(configuration: Configuration, *, show: bool) -> None:
    from scheduler.app import Daemon  # noqa: PLC0415 - the whole daemon, which the other commands do without
    from scheduler.cli.live import LiveTable  # noqa: PLC0415

    logs.set_up(configuration.settings.log)
    for file in exposed_files(configuration) if configuration.settings.environment == "prod" else ():
        structlog.get_logger("critpath").warning(
            "a secret file can be read by every user of this machine; chmod 600 it", file=str(file)
        )
    daemon = await Daemon.build(configuration)
    with daemon.signals():
        if show:
            async with LiveTable(daemon):
                await daemon.run()
        else:
            await daemon.run()
