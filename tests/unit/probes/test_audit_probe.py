"""The probe of audit: an action is on record to the letter, and the ledger behind it is whole and remembered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from critpath import Outcome, Reason, Result
from critpath.testing import Call, FakeAnswer, FakeTools, run_once
from probes.audit import roundtrip

GENESIS = "0" * 64
FACTS = {"tenant": "synthetic", "first_sequence": 1, "genesis_hash": GENESIS}
PARAMS = {"identity": "operator", "action": "verify_token", "deadline": "20s", "poll": "3s"}
FAILED = Outcome.FAILED


class Platform:
    """A target with a ledger of *length* entries, the newest of which is our action."""

    def __init__(self, length: int = 5, *, notes: Mapping[str, Any] | None = None, late: int = 0) -> None:
        self.tools = FakeTools(
            {"verify_token": FakeAnswer(user_id="u1"), "audit_events": self.events, "ledger_entries": self.page},
            notes=notes or {},
        )
        self.late = late
        self.event: dict[str, Any] = {}
        self.copies = 1
        self.ledger = [
            {"sequence": str(n), "previous": f"h{n - 1}" if n > 1 else GENESIS, "hash": f"h{n}", "correlation": f"c{n}"}
            for n in range(1, length + 1)
        ]
        self.recorded = True

    @property
    def correlation(self) -> str:
        """The id of our action."""
        return self.tools.calls[0].correlation_id

    def events(self, call: Call) -> FakeAnswer:
        """Return our event, after so many questions in vain."""
        if self.late:
            self.late -= 1
            return FakeAnswer(events=[])
        event = {"tenant": "synthetic", "actor": "u1", "correlation": call.variables["correlation_id"], **self.event}
        return FakeAnswer(events=[event] * self.copies)

    def page(self, call: Call) -> FakeAnswer:
        """Return a page of the ledger, after the number asked for."""
        if self.recorded and self.ledger:
            self.ledger[-1]["correlation"] = self.correlation
        after, limit = int(call.variables["after"]), int(call.variables["limit"])
        rest = [entry for entry in self.ledger if int(entry["sequence"]) > after]
        return FakeAnswer(entries=rest[:limit], head=self.ledger[-1]["sequence"] if self.ledger else None)

    async def run(self) -> Result:
        """Walk the path."""
        return await run_once(roundtrip.probe, self.tools, params=PARAMS, facts=FACTS, deadline=30)

    @property
    def pages(self) -> list[tuple[str, str]]:
        """What was asked of the ledger: after which number, and how many."""
        return [(c.variables["after"], c.variables["limit"]) for c in self.tools.calls if c.operation == "ledger_entries"]


async def test_an_action_that_is_on_record_is_good() -> None:
    """Its event is ours to the letter, its entry is in a whole ledger, and the ledger's end is remembered."""
    platform = Platform()
    result = await platform.run()
    assert (result.outcome, result.message) == (Outcome.OK, "")
    assert [step.name for step in result.steps] == ["action", "event", "ledger"]
    assert platform.tools.notes == {"sequence": 5, "hash": "h5"}


async def test_an_event_may_take_the_time_that_is_normal() -> None:
    """Five seconds are nothing; the delay is measured."""
    result = await Platform(late=2).run()
    assert result.outcome is Outcome.OK
    assert result.measurements == {"audit_delay_seconds": 6.0}


async def test_an_event_that_does_not_come_in_time_is_lost() -> None:
    """It is asked for as long as the deadline allows: at 0, 3, … 18 s."""
    platform = Platform(late=1000)
    result = await platform.run()
    assert (result.outcome, result.reason, result.failing_step) == (FAILED, Reason.LOST, "event")
    assert result.message == "the action succeeded, but its audit event did not come within 20s"
    assert sum(call.operation == "audit_events" for call in platform.tools.calls) == 7


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"tenant": "other"}, "names another tenant"),
        ({"tenant": None}, "names another tenant"),
        ({"actor": "u2"}, "names another actor"),
        ({"correlation": None}, "has lost its correlation id"),
    ],
)
async def test_an_event_that_is_not_ours_to_the_letter_is_red(event: dict[str, Any], said: str) -> None:
    """Another tenant, another actor, no correlation."""
    platform = Platform()
    platform.event = event
    result = await platform.run()
    assert (result.outcome, result.reason) == (FAILED, Reason.WRONG_ANSWER)
    assert said in result.message


async def test_an_action_that_is_recorded_twice_is_red() -> None:
    """One action, one event."""
    platform = Platform()
    platform.copies = 2
    assert (await platform.run()).reason is Reason.DUPLICATE


async def test_the_first_time_the_tail_is_read_from_the_end() -> None:
    """Of 500 entries, those from fifty before the newest; later, from fifty before the one remembered."""
    platform = Platform(500)
    assert (await platform.run()).outcome is Outcome.OK
    assert platform.pages == [("0", "1"), ("449", "200")]
    again = Platform(505, notes=platform.tools.notes)
    assert (await again.run()).outcome is Outcome.OK
    assert again.pages == [("449", "200")]
    assert again.tools.notes == {"sequence": 505, "hash": "h505"}


async def test_a_long_tail_is_read_page_by_page() -> None:
    """Until a page is not full."""
    platform = Platform(600, notes={"sequence": 51, "hash": "h51"})
    assert (await platform.run()).outcome is Outcome.OK
    assert platform.pages == [("0", "200"), ("200", "200"), ("400", "200"), ("600", "200")]


@pytest.mark.parametrize(
    ("number", "change", "said"),
    [
        (3, {"hash": "forged"}, "the ledger's chain is broken: entry number 4 is not linked to the one before it"),
        (3, {"previous": "forged"}, "the ledger's chain is broken: entry number 3 is not linked to the one before it"),
        (1, {"previous": "forged"}, "the ledger's chain is broken: entry number 1 is not linked to the one before it"),
        (3, {"sequence": "2"}, "the ledger's chain is broken: there are two entries number 2"),
        (4, {"sequence": "5"}, "the ledger's chain is broken: entry number 4 is missing: 5 comes next"),
        (5, {"hash": "forged"}, "the ledger's chain is broken: entry number 5 has been rewritten: its hash was h5…"),
    ],
)
async def test_a_ledger_that_contradicts_itself_or_the_past_is_broken(number: int, change: dict[str, str], said: str) -> None:
    """A gap, a fork, a wrong link, or an entry that is not what it was."""
    platform = Platform(6, notes={"sequence": 5, "hash": "h5"})
    platform.ledger[number - 1].update(change)
    if number == 5:  # whoever rewrites also mends what follows
        platform.ledger[5]["previous"] = "forged"
    result = await platform.run()
    assert (result.outcome, result.reason, result.message) == (FAILED, Reason.CHAIN_BROKEN, said)
    assert platform.tools.notes == {"sequence": 5, "hash": "h5"}


@pytest.mark.parametrize(
    ("length", "notes", "said"), [(5, {"sequence": 9, "hash": "h9"}, "it ended with number 9 before"), (0, {}, "it is empty")]
)
async def test_a_ledger_that_was_cut_off_is_broken(length: int, notes: dict[str, Any], said: str) -> None:
    """It ends before the end that is remembered, or holds nothing at all."""
    result = await Platform(length, notes=notes).run()
    assert (result.outcome, result.reason) == (FAILED, Reason.CHAIN_BROKEN)
    assert result.message == f"the ledger has lost its newest entries: {said}"


async def test_an_action_without_an_entry_is_lost() -> None:
    """It has an event, and the ledger knows nothing of it; what was remembered stays."""
    platform = Platform()
    platform.recorded = False
    result = await platform.run()
    assert (result.outcome, result.reason, result.failing_step) == (FAILED, Reason.LOST, "ledger")
    assert platform.tools.notes == {}
