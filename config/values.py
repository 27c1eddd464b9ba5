"""The kinds of value that a configuration file holds: durations, ratios, references to secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_UNITS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600), "d": Decimal(86400)}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")


class Model(BaseModel):
    """A section of a configuration file: frozen, and no key that is not declared."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def parse_duration(value: Any) -> float:
    """
    Return seconds from a text such as `90s`, `15m`, `1h30m` or `500ms`.

    Raises:
        ValueError: no unit, an unknown unit, or nothing that is a duration.
    """
    if isinstance(value, str) and (parts := _DURATION.findall(value)) and "".join(map("".join, parts)) == value.strip():
        return float(sum(Decimal(number) * _UNITS[unit] for number, unit in parts))
    raise ValueError("is not a duration; write a number with its unit, such as 500ms, 30s, 15m, 1h30m or 30d")


def show_duration(seconds: float) -> str:
    """Return a duration as it is written in a configuration; `parse_duration` reads it back, to the millisecond."""
    left = round(seconds * 1000)
    shown = ""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, left = divmod(left, size)
        shown += f"{count}{unit}" if count else ""
    return shown or "0ms"


def _parse_positive(value: Any) -> float:
    if (seconds := parse_duration(value)) > 0:
        return seconds
    raise ValueError("must be longer than nothing; write a duration such as 30s")


def _parse_objective(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise ValueError("is not a percentage; write for example 99.9")
    try:
        percent = Decimal(str(value).removesuffix("%"))
        possible = Decimal(50) <= percent < Decimal(100)
    except ArithmeticError:
        raise ValueError("is not a percentage; write for example 99.9") from None
    if not possible:
        raise ValueError("must be a percentage from 50 to below 100; write for example 99.9")
    return percent / 100


def _parse_jmespath(value: Any) -> str:
    try:
        jmespath.compile(value)
    except (JMESPathError, TypeError) as exc:
        said = str(exc).splitlines()[0].removeprefix("Invalid jmespath expression: ").rstrip(": ").lower()
        raise ValueError(f"is not a JMESPath expression ({said}); see https://jmespath.org") from None
    return str(value)


def _some_text(text: str) -> str:
    if text.strip():
        return text
    raise ValueError("is empty; write a word or more")


Text = Annotated[str, AfterValidator(_some_text)]
"""Text that is not blank."""

Duration = Annotated[float, BeforeValidator(_parse_positive), Field(examples=["30s"])]
"""Seconds, longer than zero; written with a unit."""

Objective = Annotated[Decimal, BeforeValidator(_parse_objective)]
"""A ratio below 1, written in percent."""

Selection = Annotated[str, BeforeValidator(_parse_jmespath)]
"""A JMESPath expression."""


class SecretReference(Model):
    """Where a secret is: the name of an environment variable, or a file that holds nothing else."""

    env: str | None = None
    file: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _refuse_a_plain_secret(cls, data: Any) -> Any:
        if isinstance(data, (str, int, float)):
            raise ValueError("is a secret in plain text; write {env: NAME} or {file: PATH} instead")
        # A key that is not ours may be the secret itself, so it is not named.
        if isinstance(data, Mapping) and not set(data) <= {"env", "file"}:
            raise ValueError("has a key other than env and file; write {env: NAME} or {file: PATH}")
        return data

    @model_validator(mode="after")
    def _name_one_place(self) -> SecretReference:
        if (self.env is None) is (self.file is None):
            raise ValueError("needs exactly one of env and file; write {env: NAME} or {file: PATH}")
        if self.env is not None and not _VARIABLE.fullmatch(self.env):
            raise ValueError("has no name of a variable under env; write letters, digits and _, such as API_PASSWORD")
        if self.file is not None and not self.file.strip():
            raise ValueError("has an empty file; write {file: PATH}")
        return self
