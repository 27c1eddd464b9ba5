"""`critpath validate`: is the configuration right?"""

from __future__ import annotations

import os

import typer

from config import missing_secrets
from scheduler.checks import load_checks
from scheduler.cli.common import DEFAULT_CONFIG, ConfigOption, command_line, load_configuration

app = command_line()


@app.command()
def command(
    config: ConfigOption = DEFAULT_CONFIG,
    no_secrets: bool = typer.Option(False, "--no-secrets", help="Do not look whether the secrets are there."),
) -> None:
    """
    Check the configuration, all of it at once; exit 2 if anything is wrong.

    Example: [bold]critpath validate -c critpath.yaml[/bold]
    """
    configuration = load_configuration(config)
    checks = load_checks(configuration)
    missing = [] if no_secrets else missing_secrets(configuration, os.environ)
    for mistake in missing:
        typer.echo(str(mistake), err=True)
    if missing:
        raise typer.Exit(2)
    settings = configuration.settings
    typer.echo(
        f"{config}: right. {configuration.profile.title}, {settings.environment}: "
        f"{len(checks)} checks of {len({c.settings.path for c in checks.values()})} paths."
    )
