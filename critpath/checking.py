"""`check_that`: the assertion of a probe. It says what was expected in words that can stand in a page at night."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container
from typing import Any

from critpath.errors import ProbeFailed
from critpath.model import Reason

_UNSET: Any = object()
_SHOWN = 160


def check_that(  # noqa: PLR0913 - each keyword is one assertion, read at the call
    value: Any,
    *,
    otherwise: str,
    equals: Any = _UNSET,
    differs_from: Any = _UNSET,
    contains: Any = _UNSET,
    lacks: Any = _UNSET,
    one_of: Container[Any] = _UNSET,
    matches: str = _UNSET,
    at_least: float = _UNSET,
    at_most: float = _UNSET,
    reason: Reason = Reason.WRONG_ANSWER,
) -> None:
    """
    Assert something about an answer of the target.

    With no expectation given, *value* itself must be true. *otherwise* says in plain words what is wrong when the
    assertion does not hold; the values compared are added to it.

    Raises:
        ProbeFailed: with *reason*, when an expectation does not hold, or *value* is of a type that cannot satisfy it.
    """
    expectations: dict[str, tuple[Any, Callable[[], bool]]] = {
        "to be {}": (equals, lambda: value == equals and isinstance(value, bool) is isinstance(equals, bool)),
        "not to be {}": (differs_from, lambda: value != differs_from),
        "to contain {}": (contains, lambda: contains in value),
        "not to contain {}": (lacks, lambda: lacks not in value),
        "to be one of {}": (one_of, lambda: value in one_of),
        "to match {}": (matches, lambda: re.search(matches, value) is not None),
        "to be at least {}": (at_least, lambda: value >= at_least),
        "to be at most {}": (at_most, lambda: value <= at_most),
    }
    given = [(words, wanted, test) for words, (wanted, test) in expectations.items() if wanted is not _UNSET]
    if not given and not value:
        raise ProbeFailed(reason, otherwise)
    for words, wanted, test in given:
        try:
            held = test()
        except TypeError:
            held = False
        if not held:
            raise ProbeFailed(reason, f"{otherwise} (expected {show(value)} {words.format(show(wanted))})")


def show(value: Any) -> str:
    """Return a short, one-line text of any value."""
    text = ", ".join(sorted(map(str, value))) if isinstance(value, (set, frozenset)) else repr(value)
    if isinstance(value, Collection) and not value:
        text = "nothing"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
