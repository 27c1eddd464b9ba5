"""The reports of `critpath check`: each can be read by what it is made for, whatever a target says."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from rich.text import Text

from critpath import ConfigurationError, Outcome, Verdict
from scheduler.cli.report import parse, story, summary, write
from tests.unit.scheduler.scheduler_doubles import CONFIGURATION, START, attempt, verdict

NASTY = 'it says <b>"no" & | [red]\x00\x1b[31m\ufffe\U0001f600 ]]>\nand more'
VERDICTS = [
    verdict(Outcome.OK, attempts=[attempt(Outcome.OK)]),
    verdict(Outcome.FAILED, 10, [attempt(Outcome.FAILED, 10), attempt(Outcome.FAILED, 16, 2)], message=NASTY, check="refresh"),
    verdict(Outcome.ERROR, 20, check="search", path="investigation"),
    verdict(Outcome.DEGRADED, 30, check="entity", path="investigation"),
    verdict(Outcome.ABORTED, 40, check="expand", path="investigation"),
]


def written(kind: str, folder: Path, verdicts: list[Verdict] = VERDICTS) -> str:
    file = folder / "new" / f"report.{kind}"
    write(kind, file, CONFIGURATION, verdicts, 1, deploy="build-7", began_ms=START)
    return file.read_text(encoding="utf-8")


def test_json_holds_everything(tmp_path: Path) -> None:
    """What was judged, by which attempts, with the ids to find them again; text as it is."""
    report = json.loads(written("json", tmp_path))
    assert {key: report[key] for key in ("target", "environment", "deploy", "began", "exit_code", "verdict")} == {
        "target": "Summit / IntelGraph",
        "environment": "prod",
        "deploy": "build-7",
        "began": "2027-01-15T08:00:00.000Z",
        "exit_code": 1,
        "verdict": "failed",
    }
    failed = report["verdicts"][1]
    assert (failed["check"], failed["outcome"], failed["reason"], failed["message"]) == ("refresh", "failed", "timeout", NASTY)
    assert [each["attempt"] for each in failed["attempts"]] == [1, 2]
    assert failed["attempts"][0]["steps"] == [{"name": "login", "started": 0.0, "seconds": 0.75, "ok": False}]
    assert failed["attempts"][1]["started"] == "2027-01-15T08:00:16.000Z"


def test_junit_can_be_parsed_and_counts_right(tmp_path: Path) -> None:
    """A suite for each path; what the target did is a failure, what we did an error; what XML cannot hold is replaced."""
    root = ET.fromstring(written("junit", tmp_path))  # noqa: S314 - we wrote it
    counts = {suite.get("name"): [suite.get(key) for key in ("tests", "failures", "errors")] for suite in root}
    assert counts == {"auth": ["2", "1", "0"], "investigation": ["3", "0", "2"]}
    found = root.find("testsuite/testcase[@name='refresh']/failure")
    assert found is not None
    assert found.get("type") == "timeout"
    assert found.get("message") == 'it says <b>"no" & | [red]��[31m�\U0001f600 ]]>\nand more'
    assert (found.text or "").count("attempt ") == 2
    assert root.find("testsuite/testcase[@name='login']/*") is None


def test_markdown_is_a_table_with_a_row_for_each_check(tmp_path: Path) -> None:
    """However many lines and bars a message has."""
    lines = written("markdown", tmp_path).splitlines()
    assert lines[0] == "### critpath: failed"
    assert lines[2] == "Summit / IntelGraph · prod · deploy build-7"
    rows = [line for line in lines if line.startswith(("| ✅", "| ❌", "| ❔", "| 🟡", "| ➖"))]  # noqa: RUF001
    assert len(rows) == 5
    assert all(row.replace(r"\|", "").count("|") == 6 for row in rows)
    assert rows[0] == "| ✅ | auth | login | 1.00 s | ok |"


def test_a_line_on_the_terminal_shows_text_as_it_is() -> None:
    """What a target says is no markup of ours."""
    shown = Text.from_markup(story(VERDICTS[1])).plain
    assert shown.startswith("login ✗ 750 ms  timeout: it says")
    assert "[red]" in shown


def test_the_last_line_counts_and_names_what_failed_before() -> None:
    """In words and figures."""
    assert Text.from_markup(summary(VERDICTS, 1, set())).plain == "failed: 1 ok, 1 degraded, 1 failed, 1 error, 1 aborted"
    assert Text.from_markup(summary(VERDICTS[:2], 3, {"refresh", "login"})).plain == (
        "failed, and was failing before: 1 ok, 1 failed; failing before: refresh"
    )


@pytest.mark.parametrize("text", ["junit", "junit:", "xml:file", ":file", ""])
def test_a_report_needs_a_kind_and_a_file(text: str) -> None:
    """The message names the kinds."""
    with pytest.raises(ConfigurationError, match=r"write KIND:FILE with one of junit, json, markdown"):
        parse(text)


def test_a_colon_belongs_to_the_file() -> None:
    """Only the first one separates."""
    assert parse("json:C:/x.json") == ("json", Path("C:/x.json"))


def test_a_report_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    """As an operator's mistake."""
    with pytest.raises(ConfigurationError, match=r"^--report json:.* cannot be written: Is a directory$"):
        write("json", tmp_path, CONFIGURATION, VERDICTS, 0, deploy="", began_ms=START)
