"""`critpath plan`: does the schedule fit what the target allows?"""

from __future__ import annotations

import typer
from rich.table import Table

from scheduler.cli.common import DEFAULT_CONFIG, ConfigOption, command_line, console, load_configuration
from scheduler.plan import plan

app = command_line()


@app.command()
def command(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """
    Show what the schedule asks of the target, and refuse one that does not fit (exit 2).

    Example: [bold]critpath plan -c critpath.yaml[/bold]
    """
    made = plan(load_configuration(config).settings)
    table = Table(title=f"Requests within {made.window / 60:g} min, if every run is good", title_justify="left")
    for heading in ("check", "path"):
        table.add_column(heading)
    for heading in ("every", "runs", "requests", "logins"):
        table.add_column(heading, justify="right")
    for line in sorted(made.lines, key=lambda item: -item.requests):
        table.add_row(line.check, line.path, f"{line.interval:g} s", str(line.runs), str(line.requests), str(line.logins))
    table.add_section()
    table.add_row("all", "", "", "", str(made.requests), str(sum(made.logins.values())))
    out = console()
    out.print(table)
    allowed = f"{made.allowed} besides the reserve" if made.allowed is not None else "without limit"
    out.print(
        f"allowed: {allowed}; logins per account: {made.logins_allowed if made.logins_allowed is not None else 'without limit'}"
    )
    problems = made.problems()
    for problem in problems:
        out.print(f"[red]does not fit:[/red] {problem}")
    if problems:
        raise typer.Exit(2)
    out.print("[green]the schedule fits[/green]")
