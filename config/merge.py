"""One tree of three layers: the profile's defaults, the file, the environment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from config.document import Tree
from config.environment import fit
from config.layers import overlay, part, without
from config.mistakes import Loc, Mistake
from config.nearest import suggestion

_LAID_OVER = ("paths", "checks", "limits")
_NEW_NEEDS = {"checks": "probe", "paths": "title"}
_ONE = {"checks": "check", "paths": "path"}


def merge(profile: Tree | None, written: Tree, variables: list[Tree]) -> Tree:
    """
    Return the file laid over the profile's `paths`, `checks` and `limits`, and the environment laid over both.

    Without a profile nothing can be said of those three, and they are left out.
    """
    if profile is None:
        written, variables = without(written, *_LAID_OVER), [without(tree, *_LAID_OVER) for tree in variables]
    empty = list(_empty_entries(written))
    written = without(written, *(section for section in _LAID_OVER if written.data.get(section) is None))
    defaults = Tree({"paths": {}, "checks": {}}, {}) if profile is None else part(profile, *_LAID_OVER)
    defaults.data = {"paths": {}, "checks": {}} | defaults.data
    merged = overlay(defaults, _pruned(written, empty))
    for tree in variables:
        merged = overlay(merged, fit(tree, merged.data))
    merged.origins[()] = written.origins[()]
    merged.mistakes += [written.mistake(loc, "is empty", _fill_or_switch_off(loc)) for loc in empty]
    strays = list(_strays(defaults, merged))
    merged.mistakes += [mistake for _, mistake in strays]
    return _pruned(merged, [loc for loc, _ in strays])


def _empty_entries(tree: Tree) -> Iterator[tuple[str, str]]:
    """Return the paths and checks that have a name and nothing else: too easily made by mistake to switch one off."""
    for section in _ONE:
        entries = tree.data.get(section)
        if isinstance(entries, dict):
            yield from ((section, name) for name, entry in entries.items() if entry is None)


def _fill_or_switch_off(loc: Loc) -> str:
    return f"write its keys, or `enabled: false` to switch the {_ONE[str(loc[0])]} off"


def _strays(defaults: Tree, merged: Tree) -> list[tuple[tuple[str, str], Mistake]]:
    """Return the entries that are neither the profile's nor complete enough to be meant as new ones."""
    found = []
    for section, key in _NEW_NEEDS.items():
        known = defaults.data[section]
        entries = merged.data[section] if isinstance(merged.data[section], dict) else {}
        for name, entry in entries.items():
            if known and name not in known and isinstance(entry, dict) and key not in entry:
                problem = f"is not a {_ONE[section]} of the target, and has no {key} to be a new one"
                remedy = suggestion(name, known, f"add the {key}, or write")
                found.append(((section, name), merged.mistake((section, name), problem, remedy)))
    return found


def _pruned(tree: Tree, entries: list[tuple[str, str]]) -> Tree:
    data: dict[str, Any] = dict(tree.data)
    for section, name in entries:
        data[section] = {key: value for key, value in data[section].items() if key != name}
    return Tree(data, tree.origins, tree.mistakes)
