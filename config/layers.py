"""Laying one set of values over another, key by key, without losing where each came from."""

from __future__ import annotations

from typing import Any

from config.document import Origin, Tree
from config.mistakes import Loc


def part(tree: Tree, *sections: str) -> Tree:
    """Return only *sections* of *tree*; those that are empty or no mapping are left out."""
    data = {name: tree.data[name] for name in sections if isinstance(tree.data.get(name), dict)}
    return Tree(data, {loc: origin for loc, origin in tree.origins.items() if not loc or loc[0] in data})


def without(tree: Tree, *sections: str) -> Tree:
    """Return *tree* without *sections*."""
    data = {name: value for name, value in tree.data.items() if name not in sections}
    return Tree(data, tree.origins, tree.mistakes)


def overlay(base: Tree, over: Tree) -> Tree:
    """
    Return *base* with *over* laid over it.

    Mappings are joined key by key, to any depth; anything else replaces what was below it. An empty value takes away
    what was below it, and is left out.
    """
    origins = dict(base.origins)
    return Tree(_join(base.data, over.data, (), origins, over), origins, [*base.mistakes, *over.mistakes])


def _join(
    base: dict[str, Any], over: dict[str, Any], loc: Loc, origins: dict[Loc, Origin], source: Tree
) -> dict[str, Any]:
    joined = dict(base)
    for key, value in over.items():
        place = (*loc, key)
        below = joined.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            joined[key] = _join(below, value, place, origins, source)
            origins[place] = source.origin(place)
            continue
        for old in [other for other in origins if other[: len(place)] == place]:
            del origins[old]
        origins |= {new: origin for new, origin in source.origins.items() if new[: len(place)] == place}
        joined[key] = value
        if value is None and key in base:
            del joined[key]
    return joined
