"""Did you mean …?"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from config.mistakes import listed


def suggestion(word: str, known: Iterable[str], otherwise: str = "write", last: str = "or") -> str:
    """Return `did you mean 'x'?` where *known* has something like *word*, and all that is known where it has not."""
    names = list(known)
    near = get_close_matches(word.lower(), names, n=1, cutoff=0.7)
    return f"did you mean {near[0]!r}?" if near else f"{otherwise} {listed(names, last)}"
