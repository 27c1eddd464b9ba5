"""What the commands share: the configuration option, how it is loaded, and how things look."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from config import Configuration, load
from critpath import OperatorError, Outcome
from probes.registry import is_file, names

ConfigOption = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="CRITPATH_CONFIG", help="The configuration file.", show_default=True),
]
DEFAULT_CONFIG = Path("critpath.yaml")

command_line = partial(typer.Typer, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")
"""Makes the part of the command line that one module declares."""

OUTCOME_STYLE = {
    Outcome.OK: ("✓", "green"),
    Outcome.DEGRADED: ("~", "yellow"),
    Outcome.FAILED: ("✗", "red"),
    Outcome.ERROR: ("?", "yellow"),
    Outcome.ABORTED: ("-", "dim"),
}
STATE_STYLE = {"good": "green", "bad": "bold red", "unknown": "yellow", "maintenance": "cyan"}


def load_configuration(file: Path) -> Configuration:
    """
    Return the configuration.

    Raises:
        ConfigurationError: with every mistake in it.
    """
    known = names()
    return load(file, known_probe=lambda name: is_file(name) or name in known, probes=known)


def console(*, stderr: bool = False) -> Console:
    """Return a console that is as wide as the terminal, or wide enough for whole lines where there is none."""
    made = Console(stderr=stderr, highlight=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=160)


class NothingMatched(OperatorError):
    """No check matches."""

    exit_code = 5
