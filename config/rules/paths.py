"""Paths: what they require, and what watches them."""

from __future__ import annotations

from collections.abc import Iterator

from config.mistakes import Mistake
from config.rules.view import View, unknown


def names_of_paths(view: View) -> Iterator[Mistake]:
    """Every path that is named exists."""
    paths = view.names("paths")
    for name, check in view.settings.checks.items():
        if check.path not in paths:
            yield view.wrong(("checks", name, "path"), *unknown("path", check.path, paths, "paths"))
    for name, path in view.settings.paths.items():
        for index, parent in enumerate(path.requires):
            if parent not in paths:
                yield view.wrong(("paths", name, "requires", index), *unknown("path", parent, paths, "paths"))


def no_cycle(view: View) -> Iterator[Mistake]:
    """No path requires itself. Each cycle is reported once, at the first of its paths."""
    reported: set[frozenset[str]] = set()
    for name in view.settings.paths:
        cycle = _cycle(view, (name,))
        if cycle and frozenset(cycle) not in reported:
            reported.add(frozenset(cycle))
            way = ", which requires ".join(cycle[1:])
            alone = set(cycle) == {name}
            remedy = f"take {name} out of it" if alone else "take one of them out of the other's `requires`"
            places = [("paths", path, "requires") for path in cycle]
            yield view.wrong(places[0], f"is a circle: {name} requires {way}", remedy, *places)


def _cycle(view: View, way: tuple[str, ...]) -> tuple[str, ...]:
    path = view.settings.paths.get(way[-1])
    for parent in path.requires if path else ():
        if parent == way[0]:
            return (*way, parent)
        if parent not in way and (found := _cycle(view, (*way, parent))):
            return found
    return ()


def deployables_are_known(view: View) -> Iterator[Mistake]:
    """A page names only deployables that the target has."""
    known = view.profile_names("deployables")
    for name, path in view.settings.paths.items():
        for index, deployable in enumerate(path.deployables):
            if deployable not in known:
                loc = ("paths", name, "deployables", index)
                yield view.wrong(loc, *unknown("deployable", deployable, known, "deployables"))


def something_is_watched(view: View) -> Iterator[Mistake]:
    """There is a check, and every path has one that counts."""
    if not view.running:
        yield view.wrong(("checks",), "has no check that is enabled", "add one, or take an `enabled: false` away")
        return
    if any(check.path not in view.settings.paths for check in view.running.values()):
        return  # One of these may be meant for the path that seems unwatched.
    watched = {check.path for check in view.running.values() if check.required}
    for name in view.settings.paths:
        if name not in watched:
            remedy = f"enable one, or write `enabled: false` under paths.{name} so that the path is not watched at all"
            idle = [check for check, settings in view.settings.checks.items() if settings.path == name]
            places = [("checks", check, key) for check in idle for key in ("enabled", "required")]
            yield view.wrong(("paths", name), "has no required check that is enabled", remedy, *places)
