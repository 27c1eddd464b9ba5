"""The command line. Each command is a module of its own; what they share is in `common`."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

import typer
from typer.core import TyperGroup

from critpath import OperatorError

_COMMANDS = {
    "init": "scheduler.cli.init",
    "validate": "scheduler.cli.validate",
    "plan": "scheduler.cli.planning",
    "list": "scheduler.cli.listing",
    "run": "scheduler.cli.run",
    "check": "scheduler.cli.check",
    "sla": "scheduler.cli.sla",
    "db": "scheduler.cli.database",
}
"""Command → its module, in the order of the help. Imported when it is asked for: `--version` needs no database driver."""


class _Commands(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the base's signature
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the base's signature
        if cmd_name not in _COMMANDS:
            return None
        command = typer.main.get_command(import_module(_COMMANDS[cmd_name]).app)
        command.name = cmd_name
        return command


app = typer.Typer(
    name="critpath",
    cls=_Commands,
    help="Synthetic critical-path monitoring: walks the flows that must always work, and says so when they do not.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"critpath {version('critpath')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    pass


def main() -> None:
    """Run the command line. What an operator can mend is printed without a traceback."""
    try:
        app()
    except OperatorError as exc:
        print(f"critpath: {exc}" if "\n" not in str(exc) else str(exc), file=sys.stderr)
        sys.exit(exc.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
