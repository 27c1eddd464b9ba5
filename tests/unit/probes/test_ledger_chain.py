"""The rules of a hash-chained ledger, as a table of ledgers."""

from __future__ import annotations

from typing import Any

import pytest

from probes.audit.chain import ChainBroken, Head, follow

GENESIS = "0" * 64


def ledger(first: int, last: int, start: str = GENESIS) -> list[dict[str, Any]]:
    """Return whole entries; the hash of number n is `hn`."""
    return [{"sequence": n, "previous": start if n == first else f"h{n - 1}", "hash": f"h{n}"} for n in range(first, last + 1)]


def changed(number: int, **fields: Any) -> list[dict[str, Any]]:
    """Return the ledger 1 to 5 with one entry changed."""
    return [{**entry, **fields} if entry["sequence"] == number else entry for entry in ledger(1, 5)]


@pytest.mark.parametrize(
    ("entries", "first", "genesis", "known", "head"),
    [
        ([], 1, GENESIS, None, None),
        (ledger(1, 5), 1, GENESIS, None, Head(5, "h5")),
        (ledger(1, 5), 1, GENESIS, Head(3, "h3"), Head(5, "h5")),
        (ledger(1, 5), 1, None, None, Head(5, "h5")),
        (ledger(40, 42, "h39"), 40, None, Head(41, "h41"), Head(42, "h42")),
        (ledger(40, 42, "anything"), 40, None, None, Head(42, "h42")),
        (ledger(1, 2), 1, GENESIS, Head(9, "h9"), Head(2, "h2")),
        ([{**entry, "sequence": str(entry["sequence"])} for entry in ledger(1, 3)], 1, GENESIS, None, Head(3, "h3")),
    ],
)
def test_a_whole_part_ends_with_its_head(
    entries: list[dict[str, Any]], first: int, genesis: str | None, known: Head | None, head: Head | None
) -> None:
    """From the start or from the middle, numbered by numbers or by texts."""
    assert follow(entries, first=first, genesis=genesis, known=known) == head


@pytest.mark.parametrize(
    ("entries", "known", "said"),
    [
        (ledger(2, 5, "h1"), None, "entry number 1 is missing: 2 comes next"),
        ([*ledger(1, 2), *ledger(4, 5, "h3")], None, "entry number 3 is missing: 4 comes next"),
        ([*ledger(1, 3), *ledger(3, 5, "h2")], None, "there are two entries number 3"),
        ([*ledger(1, 3), ledger(1, 1)[0]], None, "there are two entries number 1"),
        (changed(4, previous="h9"), None, "entry number 4 is not linked to the one before it"),
        (changed(3, hash="h9"), None, "entry number 4 is not linked to the one before it"),
        (ledger(1, 5, "1" * 64), None, "entry number 1 is not linked to the one before it"),
        (changed(5, hash="h9"), Head(5, "h5"), "entry number 5 has been rewritten: its hash was h5…"),
        (changed(2, sequence="x"), None, "an entry is malformed: {'sequence': 'x', 'previous': 'h1', 'hash': 'h2'}"),
        (changed(2, sequence=None), None, "an entry is malformed: {'sequence': None, 'previous': 'h1', 'hash': 'h2'}"),
        ([{"sequence": 1, "hash": "h1"}], None, "an entry is malformed: {'sequence': 1, 'hash': 'h1'}"),
        ([None], None, "an entry is malformed: None"),
        (changed(2, hash=None), None, "entry number 2 has no hash or no link"),
        (changed(2, hash=""), None, "entry number 2 has no hash or no link"),
        (changed(2, previous=7), None, "entry number 2 has no hash or no link"),
    ],
)
def test_a_contradiction_names_the_first_entry_that_does(entries: Any, known: Head | None, said: str) -> None:
    """A gap, a fork, a wrong link, a rewritten or a malformed entry."""
    with pytest.raises(ChainBroken) as caught:
        follow(entries, first=1, genesis=GENESIS, known=known)
    assert str(caught.value) == said


def test_a_malformed_entry_is_quoted_in_part() -> None:
    """A page has no room for an entry of a megabyte."""
    with pytest.raises(ChainBroken) as caught:
        follow([{"x": "y" * 10_000}], first=1, genesis=None)
    assert len(str(caught.value)) < 160
