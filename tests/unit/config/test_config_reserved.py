"""Names in a profile that would hide what every answer has."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.profile import ANSWER_FIELDS, Operation


@pytest.mark.parametrize("name", sorted(ANSWER_FIELDS))
def test_a_field_of_every_answer_cannot_be_read_under_its_name(name: str) -> None:
    """The probe would get the answer's own value; the message says to write another name."""
    with pytest.raises(ValidationError, match=f"reads a field called '{name}'.*write another name"):
        Operation(path="/x", read={name: "x"})
