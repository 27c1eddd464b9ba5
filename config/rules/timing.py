"""A check on its own: its times, its probe, its right to write."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from config.mistakes import Mistake, listed
from config.rules.view import View
from config.values import show_duration


def times_fit(view: View) -> Iterator[Mistake]:
    """An attempt ends before the next begins, and is slow before it is late."""
    for name, check in view.settings.checks.items():
        for key, value, bound, limit in (
            ("timeout", check.timeout, "interval", check.interval),
            ("slow_after", check.slow_after, "timeout", check.timeout),
            ("recheck", check.recheck, "interval", check.interval),
        ):
            if value is not None and value > limit:
                most = show_duration(limit)
                problem = f"is {show_duration(value)}, longer than the {bound} of {most}"
                place = ("checks", name, bound)
                yield view.wrong(("checks", name, key), problem, f"write at most {most}, or a longer {bound}", place)


def probe_is_known(view: View) -> Iterator[Mistake]:
    """The script of each check exists."""
    for name, check in view.running.items():
        loc = ("checks", name, "probe")
        file = check.probe.partition(":")[0]
        if file.endswith(".py"):
            if not (view.folder / file).is_file():
                problem = f"names the file {file}, which does not exist"
                yield view.wrong(loc, problem, "write its path as seen from the folder of the configuration")
        elif not view.known_probe(check.probe):
            yield view.wrong(loc, f"names the unknown probe {check.probe!r}", _other_probe(check.probe, view))


def _other_probe(name: str, view: View) -> str:
    if near := get_close_matches(name, list(view.probes), n=1, cutoff=0.7):
        return f"did you mean {near[0]!r}?"
    return f"write {listed([*sorted(view.probes), 'the path of a file such as ./mine.py'])}"


def writing_is_allowed(view: View) -> Iterator[Mistake]:
    """In production a check writes only where the configuration says so in so many words."""
    if view.settings.environment != "prod":
        return
    writers = [name for name, check in view.running.items() if check.writes]
    if view.settings.writes == "refused":
        for name in writers:
            remedy = f"write `writes: allowed` at the top, or `enabled: false` under checks.{name}"
            yield view.wrong(("checks", name), "writes into prod, where writing is refused", remedy, ("writes",))
    elif writers and (view.profile.evidence is None or not view.profile.evidence.values.get("prod")):
        problem = "is allowed, but the profile does not say how an answer proves that it comes from prod"
        yield view.wrong(("writes",), problem, "add `evidence` to the profile, or write `writes: refused`")
