"""Durations, percentages and references."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from config import PathSettings, SecretReference, parse_duration, show_duration


@given(st.integers(min_value=1, max_value=10**12))
def test_a_duration_that_is_shown_reads_back_to_the_millisecond(milliseconds: int) -> None:
    """What a message suggests can be written into the file."""
    assert round(parse_duration(show_duration(milliseconds / 1000)) * 1000) == milliseconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("15m", 900), ("1h30m", 5400), ("30d", 2_592_000), ("1.5s", 1.5), ("0.1s", 0.1)],
)
def test_a_duration_is_in_seconds(text: str, seconds: float) -> None:
    """Decimal fractions are exact."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("value", ["", "5", 5, None, "5x", "s", "5 s", "-5s", "1h 30m", "5s!", True, [], "\u0665s"])
def test_what_has_no_unit_is_no_duration(value: Any) -> None:
    """A bare number would be read as seconds by one and as minutes by another."""
    with pytest.raises(ValueError, match="write a number with its unit"):
        parse_duration(value)


@pytest.mark.parametrize(("written", "ratio"), [(99.9, "0.999"), ("99.95%", "0.9995"), (99, "0.99")])
def test_an_objective_is_an_exact_ratio(written: Any, ratio: str) -> None:
    """No binary fraction comes near the account."""
    assert PathSettings(title="A path", objective=written).objective == Decimal(ratio)


@pytest.mark.parametrize("written", [100, 0.999, 0, -1, "nan", "inf", True, "high", None])
def test_an_objective_that_cannot_be_meant_is_refused(written: Any) -> None:
    """100 leaves no budget, and 0.999 was meant as a ratio."""
    with pytest.raises(ValidationError):
        PathSettings(title="A path", objective=written)


@pytest.mark.parametrize(
    "written", ["hunter2", 42, {}, {"env": "A", "file": "b"}, {"env": ""}, {"file": " "}, {"hunter2": None}]
)
def test_a_reference_names_one_place_and_never_shows_what_it_refuses(written: Any) -> None:
    """The refused value may be the secret itself."""
    with pytest.raises(ValidationError) as caught:
        SecretReference.model_validate(written)
    assert "hunter2" not in "".join(error["msg"] + str(error["loc"]) for error in caught.value.errors())
