"""`critpath run`: the daemon."""

from __future__ import annotations

import asyncio
import contextlib
import sys

import structlog
import typer

from config import Configuration, exposed_files
from config.settings import Log
from scheduler import logs
from scheduler.cli.common import DEFAULT_CONFIG, ConfigOption, command_line, load_configuration

log = structlog.get_logger("critpath")

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

    async with contextlib.AsyncExitStack() as stack:
        table = await stack.enter_async_context(LiveTable()) if show else None
        logs.set_up(_quieter(configuration.settings.log) if show else configuration.settings.log)
        for file in exposed_files(configuration) if configuration.settings.environment == "prod" else ():
            log.warning("a secret file can be read by every user of this machine; chmod 600 it", file=str(file))
        daemon = await Daemon.build(configuration)
        stack.enter_context(daemon.signals())
        if table:
            table.show(daemon)
        await daemon.run()


def _quieter(settings: Log) -> Log:
    # The table shows what a line for each verdict would say; above it belongs what it does not show.
    return settings.model_copy(update={"level": "warning"}) if settings.level == "info" else settings
