"""
The journal's chain: each entry holds the hash of the one before it, so that nothing can be changed unnoticed.

An entry says that from `at_ms` on the state of `subject` was `state`. The hash is SHA-256 over the canonical JSON
(sorted keys, no spaces, UTF-8) of all its other fields.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum

GENESIS = "0" * 64
"""What the first entry links to."""


class Kind(StrEnum):
    """What an entry records."""

    SEGMENT = "segment"
    START = "start"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal. `subject` is `path:NAME`, `check:NAME` or `daemon`; times are UTC epoch milliseconds."""

    seq: int
    kind: Kind
    subject: str
    at_ms: int
    state: str
    cause: str
    written_ms: int
    previous: str
    hash: str

    def recompute(self) -> str:
        """Return the hash that the entry ought to have."""
        fields = {key: value for key, value in asdict(self).items() if key != "hash"}
        return hashlib.sha256(
            json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        ).hexdigest()


@dataclass(frozen=True, slots=True)
class Line:
    """What is to be entered, before it has its place in the chain."""

    kind: Kind
    subject: str
    at_ms: int
    state: str = ""
    cause: str = ""


def append(last: Entry | None, lines: Iterable[Line], written_ms: int) -> list[Entry]:
    """Return *lines* as entries that continue *last*."""
    entries: list[Entry] = []
    for line in lines:
        previous = entries[-1] if entries else last
        unsealed = Entry(
            seq=previous.seq + 1 if previous else 1,
            **{**asdict(line), "kind": line.kind},
            written_ms=written_ms,
            previous=previous.hash if previous else GENESIS,
            hash="",
        )
        entries.append(Entry(**{**asdict(unsealed), "kind": line.kind, "hash": unsealed.recompute()}))
    return entries


def fault(entries: Iterable[Entry]) -> str | None:
    """Return what is wrong with a journal read from its beginning, naming the first bad entry; `None` if it is whole."""
    expected, link = 1, GENESIS
    for entry in entries:
        if entry.seq != expected:
            return f"entry {expected} is missing: {entry.seq} comes next"
        if entry.previous != link:
            return f"entry {entry.seq} is not linked to the one before it"
        if entry.recompute() != entry.hash:
            return f"entry {entry.seq} has been changed: its hash does not fit its content"
        expected, link = expected + 1, entry.hash
    return None
