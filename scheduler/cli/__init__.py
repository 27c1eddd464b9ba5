"""The command line. Each command is a module of its own; what they share is in `common`."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version

import typer

from critpath import OperatorError
from scheduler.cli import check, database, init, listing, planning, run, sla, validate

app = typer.Typer(
    name="critpath",
    help="Synthetic critical-path monitoring: walks the flows that must always work, and says so when they do not.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("init")(init.command)
app.command("validate")(validate.command)
app.command("plan")(planning.command)
app.command("list")(listing.command)
app.command("run")(run.command)
app.command("check")(check.command)
app.command("sla")(sla.command)
app.add_typer(database.app, name="db")


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
