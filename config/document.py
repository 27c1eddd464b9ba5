"""
Reading a YAML file without forgetting where each value stands.

The scalars are those of YAML 1.2: `on`, `off`, `yes`, `no`, dates and `0123` are text. Keys are always text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import yaml

from config.mistakes import Loc, Mistake, Mistakes, dotted


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was written: a file and its line, or an environment variable."""

    file: str
    line: int | None = None


@dataclass(slots=True)
class Tree:
    """Plain data, the origin of each of its values, and what was wrong in the writing of it."""

    data: dict[str, Any]
    origins: dict[Loc, Origin]
    mistakes: list[Mistake] = field(default_factory=list)

    def origin(self, loc: Loc) -> Origin:
        """Return where *loc*, or the nearest thing around it, was written."""
        return next(self.origins[loc[:size]] for size in range(len(loc), -1, -1) if loc[:size] in self.origins)

    def mistake(self, loc: Loc, problem: str, remedy: str) -> Mistake:
        """Return a mistake at *loc*."""
        origin = self.origin(loc)
        return Mistake(origin.file, origin.line, dotted(loc), problem, remedy)


_STANDARD = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """YAML 1.2's idea of a scalar. Nothing here makes objects."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}  # type: ignore[misc]


for _tag, _pattern, _first in (
    ("merge", r"<<", "<"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", "-+0123456789"),
):
    _Loader.add_implicit_resolver(f"{_STANDARD}{_tag}", re.compile(f"(?:{_pattern})\\Z"), list(_first))


def read(file: Path) -> Tree:
    """
    Return what *file* holds. A key written twice is kept as a mistake, so that all others can be found too.

    Raises:
        Mistakes: the file cannot be read, is not YAML, or does not hold keys and values.
    """
    shown = str(file)
    text = _text(file)
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None or (isinstance(root, yaml.ScalarNode) and not root.value):
            raise _refusal(shown, "is empty", "start from what `critpath init` writes, or from config/example.yaml")
        if not isinstance(root, yaml.MappingNode):
            problem, remedy = "must hold keys and values at its top", "write lines such as `environment: prod`"
            raise _refusal(shown, problem, remedy, root.start_mark.line + 1)
        tree = Tree({}, {(): Origin(shown, 1)})
        tree.data = _Walk(loader, tree).value(root, ())
        loader.dispose()
    except RecursionError:
        raise _refusal(shown, "is nested too deeply", "write it flatter") from None
    except yaml.MarkedYAMLError as exc:
        raise _syntax(shown, exc) from None
    except yaml.reader.ReaderError as exc:
        problem = f"holds a character (U+{exc.character:04X}) that YAML forbids"
        raise _refusal(shown, problem, "remove it") from None
    return tree


@dataclass(slots=True)
class _Walk:
    loader: _Loader
    tree: Tree
    above: list[yaml.Node] = field(default_factory=list)

    def value(self, node: yaml.Node, loc: Loc) -> Any:
        if any(node is other for other in self.above):
            raise yaml.constructor.ConstructorError(None, None, "an alias that holds itself", node.start_mark)
        self.above.append(node)
        try:
            if isinstance(node, yaml.CollectionNode) and node.tag.removeprefix(_STANDARD) not in ("map", "seq"):
                raise yaml.constructor.ConstructorError(None, None, "a tag", node.start_mark)
            if isinstance(node, yaml.MappingNode):
                return dict(self._entries(node, loc))
            if isinstance(node, yaml.SequenceNode):
                return [self._at(item, item, (*loc, index)) for index, item in enumerate(node.value)]
            return self._scalar(node)
        finally:
            self.above.pop()

    def _scalar(self, node: yaml.Node) -> Any:
        if node.tag.removeprefix(_STANDARD) in ("str", "null", "bool", "int", "float"):
            with suppress(ValueError, KeyError):
                return self.loader.construct_object(node)
        raise yaml.constructor.ConstructorError(None, None, "a tag", node.start_mark)

    def _entries(self, node: yaml.MappingNode, loc: Loc) -> Iterator[tuple[str, Any]]:
        self._note_twins(node, loc)
        self.loader.flatten_mapping(node)
        for key, item in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key that is not text", key.start_mark)
            yield key.value, self._at(key, item, (*loc, key.value))

    def _at(self, mark: yaml.Node, node: yaml.Node, loc: Loc) -> Any:
        self.tree.origins[loc] = Origin(self.tree.origins[()].file, mark.start_mark.line + 1)
        return self.value(node, loc)

    def _note_twins(self, node: yaml.MappingNode, loc: Loc) -> None:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            name = str(key.value)
            if name in seen and name != "<<":
                file, first = self.tree.origins[()].file, seen[name]
                problem = f"is written twice, first in line {first}"
                self.tree.mistakes.append(Mistake(file, line, dotted((*loc, name)), problem, "keep one of them"))
            seen.setdefault(name, line)


def _text(file: Path) -> str:
    shown = str(file)
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        raise _refusal(shown, "does not exist", "name another file, or make this one with `critpath init`") from None
    except IsADirectoryError:
        raise _refusal(shown, "is a folder", "name a file in it, such as critpath.yaml") from None
    except PermissionError:
        raise _refusal(shown, "may not be read by this user", "give the user the right to read it") from None
    except OSError as exc:
        said = (exc.strerror or "unknown error").lower()
        raise _refusal(shown, f"cannot be read ({said})", "name another file") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        raise _refusal(shown, "is not written in UTF-8", "save the file as UTF-8", line) from None


_REMEDIES = {
    "\\t": "has a tab; indent with spaces",
    "mapping values are not allowed": "has a colon too many or a wrong indentation; quote text that holds ': '",
    "unexpected end of stream": "ends inside quotes or brackets; close them",
    "could not find expected ':'": "has a key without a colon; write `key: value`",
    "found '<scalar>'": "has text where a key should begin; close the quotes above it, or write `key: value`",
    "expected <block end>": "has a line that is indented unlike its neighbours; give equals the same indentation",
    "expected ',' or": "has a bracket that is not closed; close it, or separate its entries by commas",
    "undefined alias": "uses an alias that is not defined; define it with & before, or quote text that begins with *",
    "single document": "holds more than one document; remove the second ---",
    "a tag": "has a tag or a number that means nothing here; remove the word that begins with !, or use quotes",
    "holds itself": "has an alias that holds itself; write the values out",
    "a key that is not text": "has a key that is a list or a section; quote text that begins with [ or {",
    "cannot start any token": "begins a value with a character that must be quoted; put the value in quotes",
}


def _syntax(shown: str, exc: yaml.MarkedYAMLError) -> Mistakes:
    said = f"{exc.context or ''} {exc.problem or ''}"
    fallback = "is not YAML; check its quotes and its indentation"
    found = next((remedy for sign, remedy in _REMEDIES.items() if sign in said), fallback)
    problem, _, remedy = found.partition("; ")
    mark = exc.problem_mark or exc.context_mark
    if mark is None:
        return _refusal(shown, problem, remedy)
    return _refusal(shown, f"column {mark.column + 1}: {problem}", remedy, mark.line + 1)


def _refusal(file: str, problem: str, remedy: str, line: int | None = None) -> Mistakes:
    return Mistakes([Mistake(file, line, "", problem, remedy)])
