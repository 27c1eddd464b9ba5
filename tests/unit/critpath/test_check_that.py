"""`check_that`: what holds, what does not, and what it says at night."""

from __future__ import annotations

from typing import Any

import pytest

from critpath import ProbeFailed, Reason, check_that
from critpath.checking import show

HOLDS: list[tuple[Any, dict[str, Any]]] = [
    ("a", {}),
    (7, {"equals": 7}),
    (None, {"equals": None}),
    (True, {"equals": True}),
    ("a", {"differs_from": "b"}),
    (["a", "b"], {"contains": "b"}),
    ("abc", {"contains": "b"}),
    (["a"], {"lacks": "b"}),
    (401, {"one_of": (400, 401)}),
    ("case-7", {"matches": r"^case-\d$"}),
    (2, {"at_least": 2, "at_most": 2}),
]
BREAKS: list[tuple[Any, dict[str, Any], str]] = [
    ("", {}, ""),
    ([], {}, ""),
    (8, {"equals": 7}, " (expected 8 to be 7)"),
    (1, {"equals": True}, " (expected 1 to be True)"),
    (True, {"equals": 1}, " (expected True to be 1)"),
    ("a", {"differs_from": "a"}, " (expected 'a' not to be 'a')"),
    ([], {"contains": "a"}, " (expected nothing to contain 'a')"),
    (["a"], {"lacks": "a"}, " (expected ['a'] not to contain 'a')"),
    (200, {"one_of": frozenset({403, 401})}, " (expected 200 to be one of 401, 403)"),
    ("x", {"matches": "y"}, " (expected 'x' to match 'y')"),
    (1, {"at_least": 2}, " (expected 1 to be at least 2)"),
    (3, {"at_most": 2}, " (expected 3 to be at most 2)"),
    (2, {"at_least": 1, "at_most": 1.5}, " (expected 2 to be at most 1.5)"),
]
WRONG_TYPES: list[tuple[Any, dict[str, Any]]] = [
    (None, {"contains": "a"}),
    (None, {"lacks": "a"}),
    (7, {"matches": "7"}),
    (None, {"matches": "a"}),
    ("7", {"at_least": 1}),
    (None, {"at_most": 1}),
    ([], {"one_of": frozenset({1})}),
]


@pytest.mark.parametrize(("value", "expectation"), HOLDS)
def test_an_expectation_that_holds_says_nothing(value: Any, expectation: dict[str, Any]) -> None:
    """The call returns."""
    check_that(value, otherwise="never said", **expectation)


@pytest.mark.parametrize(("value", "expectation", "said"), BREAKS)
def test_an_expectation_that_breaks_fails_with_both_values(value: Any, expectation: dict[str, Any], said: str) -> None:
    """The words of the probe come first, then what was seen and what was expected."""
    with pytest.raises(ProbeFailed) as caught:
        check_that(value, otherwise="it is wrong", **expectation)
    assert str(caught.value) == f"it is wrong{said}"
    assert caught.value.reason is Reason.WRONG_ANSWER


@pytest.mark.parametrize(("value", "expectation"), WRONG_TYPES)
def test_a_value_of_the_wrong_type_is_the_targets_fault(value: Any, expectation: dict[str, Any]) -> None:
    """A null where a list should be is a failure, not a bug of ours."""
    with pytest.raises(ProbeFailed, match=r"^it is wrong"):
        check_that(value, otherwise="it is wrong", **expectation)


def test_the_reason_can_be_chosen() -> None:
    """It goes into the result."""
    with pytest.raises(ProbeFailed) as caught:
        check_that(value=None, otherwise="gone", reason=Reason.MISSING)
    assert caught.value.reason is Reason.MISSING


def test_a_long_value_is_cut() -> None:
    """A page holds 160 characters of a value at most."""
    assert len(show("x" * 1000)) == 160
    assert show("x" * 1000).endswith("…")


def test_a_set_is_shown_in_order() -> None:
    """The same set is the same text."""
    assert show({"b", "a"}) == "a, b"
