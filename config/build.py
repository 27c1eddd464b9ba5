"""Making a model of plain data: all mistakes, and as much of the model as is right."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from config.document import Tree
from config.mistakes import Loc, Mistake
from config.translate import translate

M = TypeVar("M", bound=BaseModel)


@dataclass(slots=True)
class Built(Generic[M]):
    """
    A model of all that is right in *tree*.

    *absent* names the sections of which nothing could be used, *partial* those that lack an entry. Both hold stand-ins
    and must not be judged for what they lack.
    """

    model: M
    tree: Tree
    mistakes: list[Mistake] = field(default_factory=list)
    absent: set[str] = field(default_factory=set)
    partial: set[str] = field(default_factory=set)


def build(model: type[M], tree: Tree, stand_ins: Mapping[str, Any]) -> Built[M]:
    """Return the model of *tree*. *stand_ins* are valid values for its required sections."""
    data = {key: value for key, value in deepcopy(tree.data).items() if value is not None}
    kept = Tree(data, tree.origins)
    mistakes: list[Mistake] = []
    absent: set[str] = set()
    partial: set[str] = set()
    while True:
        try:
            return Built(model.model_validate(data), tree, mistakes, absent, partial)
        except ValidationError as exc:
            found = translate(exc, kept, model)
        mistakes += [mistake for _, mistake in found]
        for loc, _ in found:
            section = str(loc[0])
            if _drop(data, loc, model):
                partial.add(section)
            else:
                absent.add(section)
                data |= {section: stand_ins[section]} if section in stand_ins else {}


def _drop(data: dict[str, Any], loc: Loc, model: type[BaseModel]) -> bool:
    """Take the wrong part away, and return whether the rest of its section can be judged."""
    section = str(loc[0])
    if section not in model.model_fields:
        data.pop(section, None)
        return True
    entries = data.get(section)
    if len(loc) > 1 and isinstance(entries, dict) and section in _NAMED and isinstance(loc[1], str):
        entries.pop(loc[1], None)
        return True
    data.pop(section, None)
    return False


_NAMED = frozenset({"channels", "checks", "deployables", "hosts", "identities", "operations", "paths", "surfaces"})
