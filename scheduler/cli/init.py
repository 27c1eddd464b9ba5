"""`critpath init`: a configuration to start from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import typer

from critpath import ConfigurationError
from scheduler.cli.common import command_line

app = command_line()


@app.command()
def command(
    file: Path = typer.Argument(Path("critpath.yaml"), help="Where to write it."),
    force: bool = typer.Option(False, "--force", help="Overwrite a file that is there."),
) -> None:
    """
    Write a commented configuration to start from.

    Example: [bold]critpath init critpath.yaml[/bold]
    """
    if file.exists() and not force:
        raise ConfigurationError(f"{file} exists; write elsewhere, or add --force to overwrite it")
    try:
        file.write_text((files("config") / "example.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    except OSError as exc:
        raise ConfigurationError(f"{file} cannot be written: {exc.strerror}; name a file in a folder that exists") from None
    typer.echo(f"{file} written. Next: put in your addresses and accounts, then: critpath validate -c {file}")
