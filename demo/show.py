"""
`make demo`: the twin and the daemon that watches it, live; broken and mended on demand, and judged at the end.

With `--break` it exits 0 only if critpath paged for the right path, delivered, and resolved; for a disturbance, only if
nobody was paged.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from dataclasses import dataclass
from typing import Any

from demo.stage import ROOT, Stage, StageError

_FOLDER = ROOT / "var" / "demo"
_PROMISED_SECONDS = 8.0
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Cue:
    """Something to do at a moment: switch a fault on (*fault* named), one off, or all off (*fault* empty)."""

    seconds: float
    fault: str
    on: bool


def parse_cue(text: str, *, on: bool) -> Cue:
    """Return the cue of `NAME@SECONDS`, or of `@SECONDS` for mending all."""
    fault, at, seconds = text.rpartition("@")
    try:
        if not at or (on and not fault):
            raise ValueError(text)
        return Cue(float(seconds), fault, on)
    except ValueError:
        wanted = "NAME@SECONDS" if on else "@SECONDS or NAME@SECONDS"
        raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}, such as graph-mock-fallback@20") from None


def arguments(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="make demo",
        description="Watch the Summit twin with critpath.",
        epilog='Example: make demo ARGS="--seconds 60 --break search-empty@20 --mend @40"',
    )
    parser.add_argument("--seconds", type=float, help="end after so many seconds; else with Ctrl-C")
    parser.add_argument(
        "--break",
        dest="breaks",
        action="append",
        default=[],
        metavar="NAME@SECONDS",
        type=lambda text: parse_cue(text, on=True),
        help="switch a fault of the twin on",
    )
    parser.add_argument(
        "--mend",
        dest="mends",
        action="append",
        default=[],
        metavar="[NAME]@SECONDS",
        type=lambda text: parse_cue(text, on=False),
        help="switch it off again",
    )
    parser.add_argument("--plain", action="store_true", help="plain lines, also on a terminal")
    parser.add_argument("--port", type=int, default=14000, help="the twin's first port (default 14000; 0 takes free ones)")
    parser.add_argument("--listen", default="127.0.0.1:9808", metavar="HOST:PORT", help="the daemon's address")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the demo and return its exit code."""
    options = arguments(sys.argv[1:] if argv is None else argv)
    table = sys.stdout.isatty() and not options.plain
    shutil.rmtree(_FOLDER, ignore_errors=True)
    try:
        with Stage(_FOLDER, port=options.port, listen=options.listen, table=table) as stage:
            show = Show(stage, sorted([*options.breaks, *options.mends], key=lambda cue: cue.seconds), quiet=table)
            show.introduce()
            show.play(options.seconds)
    except StageError as exc:
        print(f"demo: {exc}", file=sys.stderr)
        return 1
    return show.judge()


class Show:
    """One demo: what is done to the twin, what came of it, and whether that was right."""

    def __init__(self, stage: Stage, cues: list[Cue], *, quiet: bool) -> None:
        self._stage = stage
        self._cues = cues
        self._quiet = quiet
        self._switches = stage.twin.faults()
        self._zero_ms = time.time_ns() // 1_000_000
        self._lines: list[tuple[int, str]] = []
        self._pages: list[dict[str, Any]] = []
        if unknown := [cue.fault for cue in cues if cue.fault and cue.fault not in self._switches]:
            raise StageError(f"the twin has no fault {unknown[0]!r}; it has {', '.join(self._switches)}")

    def introduce(self) -> None:
        """Say where everything is."""
        if self._quiet:
            return
        print("the twin      " + "  ".join(f"{name} {url}" for name, url in self._stage.twin.addresses.items()))
        print(f"critpath      {self._stage.daemon.address}/metrics")
        print(f"its log       {self._stage.daemon.log.relative_to(ROOT)}")
        print("watching; Ctrl-C ends it\n", flush=True)

    def play(self, seconds: float | None) -> None:
        """Follow the cues until the time is over, or Ctrl-C."""
        waiting = list(self._cues)
        try:
            while seconds is None or self._elapsed() < seconds:
                while waiting and waiting[0].seconds <= self._elapsed():
                    self._act(waiting.pop(0))
                self._listen()
                if not self._stage.daemon.process.running:
                    raise StageError(f"the daemon ended by itself; see {self._stage.daemon.log}")
                time.sleep(_POLL_SECONDS)
        except KeyboardInterrupt:
            pass
        self._listen()

    def judge(self) -> int:
        """Print the timeline and the judgement; return the exit code."""
        print("\nWhat critpath noticed, and when")
        for at_ms, line in sorted(self._lines):
            print(self._stamp(at_ms, line))
        if not self._lines:
            print("  nothing: every path was good, and nobody was paged")
        problems = [problem for name in dict.fromkeys(c.fault for c in self._cues if c.on) for problem in self._problems(name)]
        problems += self._strays()
        for problem in problems:
            print(f"  NOT RIGHT: {problem}")
        if any(cue.on for cue in self._cues) and not problems:
            print("  right: " + "; ".join(self._praise()))
        return 1 if problems else 0

    def _act(self, cue: Cue) -> None:
        if cue.on:
            self._stage.twin.switch_on(cue.fault)
            switch = self._switches[cue.fault]
            self._say(f"the twin breaks: {cue.fault}: {switch['line']}")
        else:
            self._stage.twin.switch_off(cue.fault or None)
            self._say("the twin is mended")

    def _listen(self) -> None:
        pages = self._stage.twin.pages()
        for page in pages[len(self._pages) :]:
            message, received = page["message"], page["received_ms"]
            path = message["path"]
            if message["kind"] == "trigger":
                self._say(f"{path}: first failing attempt: {message['details'].get('check')}", message["started_ms"])
                self._say(f"{path}: incident opened: {message['title']}", message["sent_for_ms"])
                after = (received - message["started_ms"]) / 1000
                self._say(f"{path}: the telephone rings, {after:.1f} s after the first failing attempt", received)
            else:
                self._say(f"{path}: {message['title']}", message["resolved_ms"] or received)
                self._say(f"{path}: the telephone is told that it is over", received)
        self._pages = pages

    def _problems(self, fault: str) -> list[str]:
        switch = self._switches[fault]
        mine = [p for p in self._pages if p["message"]["path"] == switch["path"]]
        if switch["kind"] != "fault":
            return [f"{fault} is a disturbance, but somebody was paged"] if self._pages else []
        triggers = [p for p in mine if p["message"]["kind"] == "trigger"]
        if not triggers:
            return [f"{fault}: no SEV-1 on {switch['path']} was delivered"]
        found = []
        delay = (triggers[0]["received_ms"] - triggers[0]["message"]["started_ms"]) / 1000
        if self._is_fast(triggers[0]) and delay > _PROMISED_SECONDS:
            found.append(
                f"{fault}: delivered {delay:.1f} s after the first failing attempt; promised are {_PROMISED_SECONDS:g} s"
            )
        if len(triggers) > 1:
            found.append(f"{fault}: paged {len(triggers)} times for one outage")
        mended = any(not cue.on and cue.fault in ("", fault) for cue in self._cues)
        if mended and not any(p["message"]["kind"] == "resolve" for p in mine):
            found.append(f"{fault}: mended, but not resolved")
        return found

    def _is_fast(self, page: dict[str, Any]) -> bool:
        # A check that must wait for a deadline of the target's cannot fail fast.
        return page["message"]["details"].get("reason") not in ("lost", "stuck", "timeout", "page_broken")

    def _strays(self) -> list[str]:
        meant = {self._switches[cue.fault]["path"] for cue in self._cues if cue.on}
        strays = sorted({p["message"]["path"] for p in self._pages} - meant)
        return [f"{path}: paged, although nothing of it was broken" for path in strays]

    def _praise(self) -> list[str]:
        counts = {kind: sum(p["message"]["kind"] == kind for p in self._pages) for kind in ("trigger", "resolve")}
        if not self._pages:
            return ["nobody was paged"]
        return [f"opened on the right path, delivered {counts['trigger']}, resolved {counts['resolve']}"]

    def _elapsed(self) -> float:
        return (time.time_ns() // 1_000_000 - self._zero_ms) / 1000

    def _say(self, line: str, at_ms: int | None = None) -> None:
        at = time.time_ns() // 1_000_000 if at_ms is None else at_ms
        self._lines.append((at, line))
        if not self._quiet:
            print(self._stamp(at, line), flush=True)

    def _stamp(self, at_ms: int, line: str) -> str:
        return f"  {(at_ms - self._zero_ms) / 1000:7.1f} s  {line}"


if __name__ == "__main__":
    sys.exit(main())
