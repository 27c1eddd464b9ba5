"""The journal's chain: whatever is changed in it is found, and the first entry that does not fit is named."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from alerts.journal import GENESIS, Entry, Kind, Line, append, fault

LINES = [
    Line(Kind.START, "daemon", 1000),
    Line(Kind.SEGMENT, "path:auth", 1000, "good"),
    Line(Kind.SEGMENT, "path:auth", 2000, "bad", "login: timeout: kein Ende nach 10 s — é"),
    Line(Kind.STOP, "daemon", 3000),
]


def journal() -> list[Entry]:
    """Return four entries, written in two goes."""
    first = append(None, LINES[:2], 1500)
    return [*first, *append(first[-1], LINES[2:], 3500)]


def test_a_whole_journal_has_no_fault() -> None:
    """Numbered from one, linked from the genesis on; an empty one is whole, too."""
    entries = journal()
    assert fault(entries) is None
    assert fault([]) is None
    assert [entry.seq for entry in entries] == [1, 2, 3, 4]
    assert [entry.previous for entry in entries] == [GENESIS, *(entry.hash for entry in entries[:-1])]
    assert [entry.written_ms for entry in entries] == [1500, 1500, 3500, 3500]


def test_the_hash_is_the_one_worked_out_by_hand() -> None:
    """SHA-256 over the canonical JSON of all other fields: sorted keys, no spaces, UTF-8."""
    text = (
        '{"at_ms":1000,"cause":"","kind":"start","previous":"'
        + GENESIS
        + '","seq":1,"state":"","subject":"daemon","written_ms":1500}'
    )
    assert journal()[0].hash == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize(
    "change",
    [
        {"kind": Kind.SEGMENT, "subject": "path:x"},
        {"subject": "path:other"},
        {"at_ms": 1},
        {"state": "maintenance"},
        {"cause": "nothing happened"},
        {"written_ms": 1},
        {"hash": "0" * 64},
    ],
)
def test_any_change_of_any_entry_is_found(position: int, change: dict[str, Any]) -> None:
    """The entry itself is named, as its hash does not fit."""
    entries = journal()
    entries[position] = replace(entries[position], **change)
    assert fault(entries) == f"entry {position + 1} has been changed: its hash does not fit its content"


@pytest.mark.parametrize("position", range(3))
def test_a_change_with_its_hash_mended_breaks_the_next_link(position: int) -> None:
    """To hide it, everything after it would have to be rewritten; the head then differs from what was published."""
    entries = journal()
    forged = replace(entries[position], cause="nothing happened")
    entries[position] = replace(forged, hash=forged.recompute())
    assert fault(entries) == f"entry {position + 2} is not linked to the one before it"


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ((1, 2, 3), "entry 1 is missing: 2 comes next"),
        ((0, 2, 3), "entry 2 is missing: 3 comes next"),
        ((0, 2, 1, 3), "entry 2 is missing: 3 comes next"),
        ((0, 1, 1, 2), "entry 3 is missing: 2 comes next"),
    ],
)
def test_what_is_left_out_moved_or_repeated_is_found(order: tuple[int, ...], said: str) -> None:
    """By its number."""
    entries = journal()
    assert fault([entries[position] for position in order]) == said


def test_another_journals_beginning_does_not_fit() -> None:
    """The first entry links to the genesis and nothing else."""
    forged = replace(journal()[0], previous="1" * 64)
    assert fault([replace(forged, hash=forged.recompute())]) == "entry 1 is not linked to the one before it"
