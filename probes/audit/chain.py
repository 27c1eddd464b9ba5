"""The rules of a hash-chained ledger, pure: sequence without gaps or forks, each entry linked to the one before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Head:
    """An entry that is known: its sequence number and its hash."""

    sequence: int
    hash: str


class ChainBroken(ValueError):
    """The ledger contradicts itself or what it said before. The text names the first entry that does."""


def follow(entries: Iterable[Mapping[str, Any]], *, first: int, genesis: str | None, known: Head | None = None) -> Head | None:
    """
    Return the head of *entries*, or `None` where there are none.

    Entries have `sequence` (a number or a text), `previous` and `hash`, in ascending order from number *first* on.
    *genesis* is what the very first entry links to; `None` where the part begins in the middle of the ledger.
    *known* is an entry seen before: if it is among them, it must still be what it was.

    Raises:
        ChainBroken: a gap, a fork, a wrong link, a rewritten or malformed entry.
    """
    expected, link, head = first, genesis, None
    for entry in entries:
        sequence, previous, digest = _read(entry)
        if sequence < expected:
            raise ChainBroken(f"there are two entries number {sequence}")
        if sequence > expected:
            raise ChainBroken(f"entry number {expected} is missing: {sequence} comes next")
        if link is not None and previous != link:
            raise ChainBroken(f"entry number {sequence} is not linked to the one before it")
        if known and sequence == known.sequence and digest != known.hash:
            raise ChainBroken(f"entry number {sequence} has been rewritten: its hash was {known.hash[:12]}…")
        head = Head(sequence, digest)
        expected, link = sequence + 1, digest
    return head


def _read(entry: Mapping[str, Any]) -> tuple[int, str, str]:
    try:
        sequence = int(str(entry["sequence"]))
        previous, digest = entry["previous"], entry["hash"]
    except (KeyError, TypeError, ValueError):
        raise ChainBroken(f"an entry is malformed: {str(entry)[:120]}") from None
    if not isinstance(previous, str) or not isinstance(digest, str) or not digest:
        raise ChainBroken(f"entry number {sequence} has no hash or no link")
    return sequence, previous, digest
