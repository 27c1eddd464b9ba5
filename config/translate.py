"""From what pydantic found to what an operator can mend. Values are shown only where a word was to be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.document import Tree
from config.mistakes import Loc, Mistake, listed
from config.nearest import suggestion
from config.shapes import example_at, keys_at, words_at

_SHOWN = 40


def translate(exc: ValidationError, tree: Tree, model: type[BaseModel]) -> list[tuple[Loc, Mistake]]:
    """Return a mistake for each error of *exc*, with the place in *tree* where it was made."""
    found = []
    for error in exc.errors(include_url=False):
        loc = place(error, tree.data)
        problem, remedy = _say(error, loc, model)
        found.append((loc, tree.mistake(loc, problem, remedy)))
    return found


def place(error: ErrorDetails, data: Any) -> Loc:
    """Return where in *data* the error is. The names of union members, which pydantic adds, are no part of it."""
    loc: list[str | int] = []
    *parts, last = error["loc"] or ("",)
    for part in parts:
        if _has(data, part):
            loc.append(part)
            data = data[part]
    if _has(data, last) or error["type"] == "missing":
        loc.append(last)
    return (*loc, "kind") if error["type"].startswith("union_tag") else tuple(loc)


def _has(data: Any, part: str | int) -> bool:
    if isinstance(data, Mapping):
        return part in data
    return isinstance(data, (list, tuple)) and isinstance(part, int) and part < len(data)


def _say(error: ErrorDetails, loc: Loc, model: type[BaseModel]) -> tuple[str, str]:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":
        problem, _, remedy = str(context["error"]).partition("; ")
        return problem, remedy
    if kind == "extra_forbidden":
        return "is not a known key", suggestion(str(loc[-1]), keys_at(model, loc[:-1]), "the keys here are", "and")
    if kind in ("missing", "union_tag_not_found"):
        return "is missing", _add(loc, model)
    if kind in ("literal_error", "enum", "union_tag_invalid"):
        chosen = error["input"]["kind"] if "tag" in context else error["input"]
        return _quoted(chosen), suggestion(str(chosen), _words(context))
    return _say_type(kind, context, error["input"])


def _add(loc: Loc, model: type[BaseModel]) -> str:
    if words := words_at(model, loc):
        return f"add {listed(f'`{loc[-1]}: {word}`' for word in words)}"
    example = example_at(model, loc)
    return f"add it, for example `{loc[-1]}: {example}`" if example else "add it"


def _words(context: Mapping[str, Any]) -> list[str]:
    expected = str(context.get("expected", context.get("expected_tags")))
    return [word.strip("'\" ") for word in expected.replace(" or ", ",").split(",")]


def _quoted(value: Any) -> str:
    if value is None or value == "":
        return "is empty"
    if not isinstance(value, (str, int, float)):
        return "is not a word"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    shown = f"is {text!r}, which" if len(text) <= _SHOWN and "\n" not in text else "holds what"
    return f"{shown} is not a choice here"


_TYPES = {
    "string": ("is not text", "write text; put a number or a word like true in quotes"),
    "bool": ("is neither true nor false", "write true or false"),
    "int": ("is not a whole number", "write a whole number, without quotes"),
    "float": ("is not a number", "write a number"),
    "decimal": ("is not a number", "write a number"),
    "dict": ("is not a section", "write keys and values, indented below it"),
    "mapping": ("is not a section", "write keys and values, indented below it"),
    "model": ("is not a section", "write keys and values, indented below it"),
    "tuple": ("is not a list", "write [A, B], or one line for each, beginning with -"),
    "list": ("is not a list", "write [A, B], or one line for each, beginning with -"),
}

_UNFORESEEN = ("is not a value that can stand here", "compare it with config/example.yaml")

_BOUNDS = {
    "greater_than": ("must be more than {gt}", "write a larger number"),
    "greater_than_equal": ("must be at least {ge}", "write a larger number"),
    "less_than": ("must be less than {lt}", "write a smaller number"),
    "less_than_equal": ("must be at most {le}", "write a smaller number"),
    "too_short": ("has too few entries", "write at least {min_length}"),
}


def _say_type(kind: str, context: Mapping[str, Any], value: Any) -> tuple[str, str]:
    if kind in _BOUNDS:
        problem, remedy = _BOUNDS[kind]
        return problem.format(**context), remedy.format(**context)
    problem, remedy = _TYPES.get(kind.partition("_")[0], _UNFORESEEN)
    return ("is empty" if value is None else problem), remedy
