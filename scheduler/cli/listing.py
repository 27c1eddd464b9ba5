"""`critpath list`: what would run?"""

from __future__ import annotations

from rich.table import Table

from scheduler.cli.common import DEFAULT_CONFIG, ConfigOption, command_line, console, load_configuration

app = command_line()


@app.command()
def command(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """
    List the paths and their checks.

    Example: [bold]critpath list[/bold]
    """
    settings = load_configuration(config).settings
    table = Table(title=f"{settings.target}, {settings.environment}", title_justify="left")
    for heading in ("path", "severity", "objective", "check", "probe", "every", "timeout", "required"):
        table.add_column(heading)
    for name, path in settings.paths.items():
        label: tuple[str, ...] = (name, path.severity, f"{path.objective:.3%}")
        for check_name, check in settings.checks.items():
            if check.path == name:
                required = ("yes" if check.required else "no") if check.enabled else "disabled"
                table.add_row(*label, check_name, check.probe, f"{check.interval:g} s", f"{check.timeout:g} s", required)
                label = ("", "", "")
        table.add_section()
    console().print(table)
