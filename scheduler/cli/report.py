"""Reports of `critpath check`: for people, for CI systems (JUnit), for programs (JSON), for pull requests (Markdown)."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.markup import escape

from alerts.message import utc
from config import Configuration
from critpath import ConfigurationError, Outcome, Verdict

_WORDS = {0: "all good", 1: "failed", 3: "failed, and was failing before", 4: "could not be told"}
_SIGNS = {Outcome.OK: "✅", Outcome.DEGRADED: "🟡", Outcome.FAILED: "❌", Outcome.ERROR: "❔", Outcome.ABORTED: "➖"}  # noqa: RUF001
_NOT_XML = re.compile("[^\\t\\n\\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped; a target's error text may."""
_STYLE = {0: "green", 1: "bold red", 3: "red", 4: "yellow"}


def parse(text: str) -> tuple[str, Path]:
    """
    Return kind and file of a `--report` option.

    Raises:
        ConfigurationError: the kind is unknown, or there is no file.
    """
    kind, _, file = text.partition(":")
    if kind not in _WRITERS or not file:
        raise ConfigurationError(f"--report {text!r}: write KIND:FILE with one of {', '.join(_WRITERS)}")
    return kind, Path(file)


def write(  # noqa: PLR0913 - what a report is made of
    kind: str, file: Path, configuration: Configuration, verdicts: list[Verdict], code: int, *, deploy: str, began_ms: int
) -> None:
    """
    Write a report.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    about = {
        "target": configuration.profile.title,
        "environment": configuration.settings.environment,
        "deploy": deploy,
        "began": utc(began_ms),
        "exit_code": code,
        "verdict": _WORDS[code],
    }
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_WRITERS[kind](about, verdicts), encoding="utf-8")
    except OSError as exc:
        raise ConfigurationError(f"--report {kind}:{file} cannot be written: {exc.strerror}") from None


def story(verdict: Verdict) -> str:
    """Return the steps of a verdict and what was found, in one line with markup."""
    evidence = verdict.evidence
    steps = " → ".join(
        f"{escape(s.name) if s.ok else f'[red]{escape(s.name)} ✗[/]'} {s.seconds * 1000:.0f} ms" for s in evidence.steps
    )
    said = f"[bold]{verdict.reason}[/]: {escape(verdict.message)}" if verdict.message else ""
    return "  ".join(part for part in (steps, said) if part)


def summary(verdicts: list[Verdict], code: int, bad_before: set[str]) -> str:
    """Return the last line, with markup."""
    counts = {outcome: sum(v.outcome is outcome for v in verdicts) for outcome in Outcome}
    parts = ", ".join(f"{count} {outcome.value}" for outcome, count in counts.items() if count)
    before = sorted({v.check for v in verdicts if v.outcome is Outcome.FAILED} & bad_before)
    note = f"; failing before: {', '.join(before)}" if before else ""
    return f"[{_STYLE[code]}]{_WORDS[code]}[/]: {parts}{note}"


def _json(about: dict[str, Any], verdicts: list[Verdict]) -> str:
    return json.dumps({**about, "verdicts": [_plain(v) for v in verdicts]}, indent=2) + "\n"


def _plain(verdict: Verdict) -> dict[str, Any]:
    return {
        "check": verdict.check,
        "path": verdict.path,
        "outcome": verdict.outcome.value,
        "reason": verdict.reason.value,
        "message": verdict.message,
        "flake": verdict.flake,
        "run_id": verdict.run_id,
        "attempts": [
            {
                "attempt": a.attempt,
                "started": utc(a.started_ms),
                "seconds": round(a.seconds, 6),
                "outcome": a.outcome.value,
                "reason": a.reason.value,
                "message": a.message,
                "trace_id": a.trace_id,
                "correlation_id": a.correlation_id,
                "steps": [asdict(step) for step in a.steps],
            }
            for a in verdict.attempts
        ],
    }


def _junit(about: dict[str, Any], verdicts: list[Verdict]) -> str:
    root = ET.Element("testsuites", name="critpath")
    for path in dict.fromkeys(v.path for v in verdicts):
        mine = [v for v in verdicts if v.path == path]
        suite = ET.SubElement(
            root,
            "testsuite",
            name=path,
            timestamp=about["began"],
            tests=str(len(mine)),
            failures=str(sum(v.outcome is Outcome.FAILED for v in mine)),
            errors=str(sum(v.outcome in (Outcome.ERROR, Outcome.ABORTED) for v in mine)),
            time=f"{sum(a.seconds for v in mine for a in v.attempts):.3f}",
        )
        for verdict in mine:
            case = ET.SubElement(suite, "testcase", classname=path, name=verdict.check, time=f"{verdict.evidence.seconds:.3f}")
            if not verdict.outcome.works:
                kind = "failure" if verdict.outcome is Outcome.FAILED else "error"
                ET.SubElement(case, kind, type=verdict.reason.value, message=verdict.message).text = _attempt_lines(verdict)
    ET.indent(root)
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", ET.tostring(root, encoding="unicode", xml_declaration=True)) + "\n"


def _attempt_lines(verdict: Verdict) -> str:
    return "\n".join(
        f"attempt {a.attempt} {utc(a.started_ms)} {a.seconds:.3f} s {a.outcome.value} {a.reason.value}: "
        f"{a.message} (trace {a.trace_id})"
        for a in verdict.attempts
    )


def _markdown(about: dict[str, Any], verdicts: list[Verdict]) -> str:
    deploy = f" · deploy {about['deploy']}" if about["deploy"] else ""
    head = f"### critpath: {about['verdict']}\n\n{about['target']} · {about['environment']}{deploy}"
    return "\n".join([head, "", "| | path | check | time | |", "| - | - | - | - | - |", *map(_markdown_row, verdicts), ""])


def _markdown_row(verdict: Verdict) -> str:
    said = (verdict.message or verdict.outcome.value).replace("|", r"\|").replace("\n", " ")
    return f"| {_SIGNS[verdict.outcome]} | {verdict.path} | {verdict.check} | {verdict.evidence.seconds:.2f} s | {said} |"


_WRITERS: dict[str, Callable[[dict[str, Any], list[Verdict]], str]] = {"junit": _junit, "json": _json, "markdown": _markdown}
