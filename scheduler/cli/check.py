"""`critpath check`: run checks now, judge them, and say so with an exit code that a pipeline can act on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from alerts.timeline import State
from config import Configuration
from critpath import ConfigurationError, Outcome, RunClass, SystemClock, Verdict
from probes.toolbox import Workshop
from scheduler import logs
from scheduler.account import Account
from scheduler.budget import RequestBudget
from scheduler.checks import Attempts, Check, load_checks, new_run_id
from scheduler.cli import report
from scheduler.cli.common import (
    DEFAULT_CONFIG,
    OUTCOME_STYLE,
    ConfigOption,
    NothingMatched,
    command_line,
    console,
    load_configuration,
)
from scheduler.cli.storing import opened_store
from scheduler.lag import LoopLag
from scheduler.runner import Runner
from scheduler.secrets import Secrets
from scheduler.store import Store

_AT_ONCE = 4
GOOD, FAILED, FAILED_BEFORE, INCONCLUSIVE = 0, 1, 3, 4


app = command_line()


@app.command()
def command(  # noqa: PLR0913, PLR0917 - one option each
    names: list[str] = typer.Argument(None, metavar="[NAME…]", help="Checks to run; all by default."),
    config: ConfigOption = DEFAULT_CONFIG,
    path: list[str] = typer.Option([], "--path", help="Run the checks of this path. May be repeated."),
    repeat: int = typer.Option(1, "--repeat", min=1, help="Run each check so many times."),
    deploy: str = typer.Option("", "--deploy", metavar="ID", help="The deploy that is being judged; named in the reports."),
    deployed_at: str = typer.Option(
        "",
        "--deployed-at",
        metavar="TIME",
        help="When it began (ISO 8601; now by default): what failed before is not its fault.",
    ),
    reports: list[str] = typer.Option(
        [], "--report", metavar="KIND:FILE", help="Also write junit:FILE, json:FILE or markdown:FILE."
    ),
) -> None:
    """
    Run checks now and judge them. On-demand runs never enter the SLA.

    Exit 0 all good · 1 failed · 3 failed, and did so before the deploy · 4 could not be told · 5 nothing matched.

    Example: [bold]critpath check --path auth --report junit:critpath.xml[/bold]
    """
    configuration = load_configuration(config)
    wanted = [report.parse(text) for text in reports]
    known = load_checks(configuration)
    checks = select(known, names or [], path, configuration)
    began = SystemClock().now()
    # Without a deploy there is no before: a failure is a failure.
    before_ms = _milliseconds(deployed_at) if deployed_at else began if deploy else None
    verdicts, bad_before = asyncio.run(_check(configuration, known, checks, repeat, before_ms))
    code = exit_code(verdicts, bad_before)
    for kind, file in wanted:
        report.write(kind, file, configuration, verdicts, code, deploy=deploy, began_ms=began)
    out = console()
    out.print(report.summary(verdicts, code, bad_before))
    raise typer.Exit(code)


def select(checks: dict[str, Check], names: list[str], paths: list[str], configuration: Configuration) -> list[Check]:
    """
    Return the checks that are meant, in the order of the configuration.

    Raises:
        NothingMatched: there are none. A gate that checks nothing must not be green.
    """
    for name in names:
        if name not in configuration.settings.checks:
            raise NothingMatched(f"there is no check {name!r}; there are {', '.join(checks)}")
    for path in paths:
        if path not in configuration.settings.paths:
            raise NothingMatched(f"there is no path {path!r}; there are {', '.join(configuration.settings.paths)}")
    meant = [c for c in checks.values() if (not names or c.name in names) and (not paths or c.settings.path in paths)]
    if not meant:
        raise NothingMatched("no enabled check matches; `critpath list` shows them")
    return meant


def exit_code(verdicts: list[Verdict], bad_before: set[str]) -> int:
    """Return the exit code for verdicts, given the checks that were failing before."""
    failed = {v.check for v in verdicts if v.outcome is Outcome.FAILED}
    if failed:
        return FAILED_BEFORE if failed <= bad_before else FAILED
    return GOOD if all(v.outcome.works for v in verdicts) else INCONCLUSIVE


async def _check(
    configuration: Configuration, known: dict[str, Check], checks: list[Check], repeat: int, before_ms: int | None
) -> tuple[list[Verdict], set[str]]:
    clock = SystemClock()
    logs.set_up(configuration.settings.log.model_copy(update={"level": "error"}))
    async with opened_store(configuration, clock) as store:
        budget = RequestBudget(configuration.settings.limits, clock, store.spends)
        await budget.open()
        lag = LoopLag(clock)
        workshop = Workshop(configuration, budget, store.notebook, clock, Secrets(configuration).read)
        workshop.warm_up(browser=any(check.settings.browser for check in checks))
        runner = Runner(Attempts(workshop, clock), clock, configuration.settings.confirmation.gap, lag)
        watching = asyncio.create_task(lag.watch())
        try:
            verdicts = await _run_all(runner, checks, repeat)
            bad_before = set() if before_ms is None else await _bad_at(configuration, known, store, before_ms, clock.now())
            return verdicts, bad_before
        finally:
            watching.cancel()
            await workshop.aclose()
            await budget.flush()


async def _run_all(runner: Runner, checks: list[Check], repeat: int) -> list[Verdict]:
    out = console()
    places = asyncio.Semaphore(_AT_ONCE)
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        console=out,
        transient=True,
        disable=not out.is_terminal,
    )
    with progress:
        task = progress.add_task("checks", total=len(checks) * repeat)

        async def one(check: Check) -> list[Verdict]:
            verdicts = []
            async with places:
                for _ in range(repeat):
                    verdict = await runner.run(check, RunClass.ONDEMAND, new_run_id())
                    verdicts.append(verdict)
                    progress.advance(task)
                    _say(out, verdict)
            return verdicts

        return [verdict for each in await asyncio.gather(*map(one, checks)) for verdict in each]


def _say(out: Console, verdict: Verdict) -> None:
    sign, style = OUTCOME_STYLE[verdict.outcome]
    flake = "  [yellow](a flake: one attempt failed)[/]" if verdict.flake else ""
    seconds = f"{verdict.evidence.seconds:6.2f} s"
    out.print(
        f"[{style}]{sign}[/] {verdict.path:<14} {verdict.check:<18} {seconds}  {report.story(verdict)}{flake}", soft_wrap=True
    )


async def _bad_at(configuration: Configuration, known: dict[str, Check], store: Store, at_ms: int, now: int) -> set[str]:
    """Return the checks that the daemon's journal has as bad at a moment."""
    account = await Account.read(configuration.settings, known, store.records, now)
    account.take(account.book.advance(now))
    return {name for name, timeline in account.checks.items() if timeline.state_at(at_ms) is State.BAD}


def _milliseconds(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"--deployed-at {text!r} is not a time; write for example 2026-11-23T14:00:00Z") from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
