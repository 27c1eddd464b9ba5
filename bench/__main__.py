"""`python -m bench`: what one plain HTTP check costs in CPU, beside the blackbox exporter. Stops by itself."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.process import Child
from bench.subjects import Blackbox, Daemon, Unusable, blackbox_missing

WARM_UP_SECONDS = 3.0
"""The first runs fill caches and spread themselves over the second."""
MOST_CHECKS, MOST_SECONDS = 200, 900

NOTE = """\
CPU: user + system of the one process, all threads, over the window, divided by the runs judged in it. Critpath's holds
all that the daemon does: scheduling, the check, the account, one durable SQLite transaction, the log line, its ticks. Not
counted: the target, the driver of blackbox, start and warm-up, and the scrapes that read the counters (shown apart).\
"""


@dataclass(frozen=True, slots=True)
class Window:
    """One subject, measured once. Times in seconds, memory in bytes; `scrape` is the CPU of one reading of `/metrics`."""

    subject: str
    seconds: float
    cpu: float
    runs: int
    good: int
    missed: int
    resident: int
    scrape: float
    children: list[str]
    playwright: bool

    @property
    def per_check(self) -> float:
        """CPU milliseconds for each run."""
        return 1000 * self.cpu / self.runs if self.runs else float("nan")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return 0; or 1 where a run went wrong, a child process was there, or playwright was imported."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        windows = measure(options.seconds, options.checks, options.rounds)
    except Unusable as exc:
        print(f"bench: {exc}", file=sys.stderr)
        return 1
    print(report(windows))
    if options.json:
        options.json.write_text(json.dumps(document(windows, options.checks), indent=2) + "\n")
    return 0 if not faults(windows) else 1


def measure(seconds: int, checks: int, rounds: int) -> list[Window]:
    """Return the windows of all rounds: about *seconds* in all, the two subjects in turn, never at the same time."""
    kinds: list[type[Daemon | Blackbox]] = [Daemon]
    if problem := blackbox_missing():
        print(f"bench: {problem}", file=sys.stderr)
    else:
        kinds.append(Blackbox)
    length = max(2.0, seconds / (rounds * len(kinds)) - WARM_UP_SECONDS - 1)
    found = []
    with (
        tempfile.TemporaryDirectory(prefix="critpath-bench-") as scratch,
        Child([sys.executable, "-m", "bench.target"], Path(scratch, "target"), pipe=True) as target,
    ):
        port = int(target.line())
        for number in range(rounds):
            for kind in kinds:
                found.append(_window(kind.started(Path(scratch, f"{kind.name}-{number}"), port, checks), length))
                print(f"round {number + 1}: {kind.name} {found[-1].per_check:.2f} ms", file=sys.stderr)
    return found


def report(windows: Sequence[Window]) -> str:
    """Return the table: medians, and the least and most of all rounds."""
    lines = [f"{'':10}{'CPU ms per check':>28}{'RSS MiB':>9}{'runs':>7}{'not good':>10}{'missed':>8}{'scrape ms':>11}"]
    for name in dict.fromkeys(window.subject for window in windows):
        mine = [window for window in windows if window.subject == name]
        cost = _spread([window.per_check for window in mine])
        scrape = f"{1000 * statistics.median(w.scrape for w in mine):.1f}" if name == Daemon.name else "-"
        resident = statistics.median(window.resident for window in mine) / 2**20
        runs, good, missed = (sum(getattr(window, key) for window in mine) for key in ("runs", "good", "missed"))
        lines.append(f"{name:10}{cost:>28}{resident:>9.1f}{runs:>7}{runs - good:>10}{missed:>8}{scrape:>11}")
    if ratios := _ratios(windows):
        lines.append(f"{'ratio':10}{_spread(ratios):>28}   (critpath / blackbox, round by round)")
    lines += ["", "\n".join(faults(windows)) or "The daemon had no child process and did not import playwright.", "", NOTE]
    return "\n".join(lines)


def document(windows: Sequence[Window], checks: int) -> dict[str, object]:
    """Return everything measured, for `--json`."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "kind": platform.machine(), "python": platform.python_version()},
        "checks_per_second": checks,
        "windows": [{**asdict(window), "cpu_ms_per_check": window.per_check} for window in windows],
        "cpu_ms_per_check": {
            name: statistics.median(w.per_check for w in windows if w.subject == name) for name in {w.subject for w in windows}
        },
        "ratio": statistics.median(ratios) if (ratios := _ratios(windows)) else None,
        "counted": NOTE,
    }


def faults(windows: Sequence[Window]) -> list[str]:
    """Return what makes the figures worthless, or the daemon heavier than it says."""
    said = [f"{w.subject}: {w.runs - w.good} of {w.runs} runs were not good" for w in windows if w.good < w.runs or not w.runs]
    mine = [window for window in windows if window.subject == Daemon.name]
    said += [f"the daemon had child processes: {', '.join(window.children)}" for window in mine if window.children]
    return said + ["the daemon has imported playwright" for window in mine if window.playwright][:1]


def _window(started: AbstractContextManager[Daemon] | AbstractContextManager[Blackbox], length: float) -> Window:
    with started as subject:
        time.sleep(WARM_UP_SECONDS)
        child = subject.child
        before_scrape = child.cpu()
        first = subject.counts()
        cpu, began = child.cpu(), time.monotonic()
        time.sleep(length)
        used, seconds = child.cpu() - cpu, time.monotonic() - began
        last = subject.counts()
        return Window(
            subject=subject.name,
            seconds=seconds,
            cpu=used,
            **{key: last[key] - first[key] for key in first},
            resident=child.resident(),
            scrape=cpu - before_scrape,
            children=child.children(),
            playwright=isinstance(subject, Daemon) and subject.imported("playwright"),
        )


def _ratios(windows: Sequence[Window]) -> list[float]:
    by_name = [[w.per_check for w in windows if w.subject == name] for name in (Daemon.name, Blackbox.name)]
    return [mine / theirs for mine, theirs in zip(*by_name, strict=False)]


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f}  ({min(values):.2f} to {max(values):.2f})"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m bench", description=__doc__)
    parser.add_argument("--seconds", type=_bounded(10, MOST_SECONDS), default=60, help="about how long in all (60)")
    parser.add_argument("--checks", type=_bounded(1, MOST_CHECKS), default=20, help="how many, each once a second (20)")
    parser.add_argument("--rounds", type=_bounded(1, 20), default=3, help="each measures both, one after the other (3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured to FILE")
    return parser


def _bounded(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"from {least} to {most}")
        return value

    return parse


if __name__ == "__main__":
    sys.exit(main())
