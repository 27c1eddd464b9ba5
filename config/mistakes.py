"""What is wrong in a configuration, said so that it can be mended at night without reading any code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from critpath import ConfigurationError

Key = str | int
Loc = tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """
    One thing to mend.

    *file* is the file as the operator named it, or the environment variable at fault; *line* counts from 1. *key* is
    the dotted key, empty where the whole file is meant. *problem* and *remedy* never hold the value of a secret.
    """

    file: str
    line: int | None
    key: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        said = f"{self.problem}; {self.remedy}" if self.remedy else self.problem
        return ": ".join(part for part in (place, self.key, said) if part)


class Mistakes(ConfigurationError):
    """The configuration cannot be used. `mistakes` has every one that could be found; the text is one line for each."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(dict.fromkeys(mistakes))
        super().__init__("\n".join(map(str, self.mistakes)))


def dotted(loc: Loc) -> str:
    """Return a place as it is shown: `channels.pager.urls[1]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".")


def listed(words: Iterable[str], last: str = "or") -> str:
    """Return `a, b or c`."""
    *first, end = list(words) or ["nothing"]
    return f"{', '.join(first)} {last} {end}" if first else end
