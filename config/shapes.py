"""What the models say may stand at a place: for messages that tell what to write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from config.mistakes import Loc


def keys_at(model: type[BaseModel], loc: Loc) -> list[str]:
    """Return the keys that are allowed in the section at *loc*; nothing where names are free."""
    return sorted({key for shape in _shapes(model, loc) if _is_model(shape) for key in shape.model_fields})


def example_at(model: type[BaseModel], loc: Loc) -> str:
    """Return an example of the value at *loc*, or nothing."""
    for shape in _shapes(model, loc[:-1]):
        field = shape.model_fields.get(loc[-1]) if _is_model(shape) else None
        if field is not None:
            return _example(field)
    return ""


def choices(kind: Any) -> list[str]:
    """Return the words of a `Literal`."""
    return [str(word) for word in get_args(kind)] if get_origin(kind) is Literal else []


def _example(field: FieldInfo) -> str:
    if field.examples:
        return str(field.examples[0])
    words = choices(field.annotation)
    return words[0] if words else ""


def _shapes(model: Any, loc: Loc) -> list[Any]:
    shapes = list(_members(model))
    for part in loc:
        shapes = [member for shape in shapes for below in _below(shape, part) for member in _members(below)]
    return shapes


def _below(shape: Any, part: str | int) -> Iterator[Any]:
    if _is_model(shape):
        if part in shape.model_fields:
            yield shape.model_fields[part].annotation
    elif get_origin(shape) in (Mapping, dict):
        yield get_args(shape)[1]
    elif get_origin(shape) is tuple:
        yield get_args(shape)[0]


def _members(shape: Any) -> Iterator[Any]:
    if get_origin(shape) is Annotated:
        yield from _members(get_args(shape)[0])
    elif get_origin(shape) in (Union, UnionType):
        for member in get_args(shape):
            yield from _members(member)
    else:
        yield shape


def _is_model(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, BaseModel)


def words_at(model: type[BaseModel], loc: Loc) -> list[str]:
    """Return the words that may be chosen at *loc*, over all members of a union."""
    return sorted(word for shape in _shapes(model, loc) for word in choices(shape))
