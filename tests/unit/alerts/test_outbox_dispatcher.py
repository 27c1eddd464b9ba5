"""The dispatcher against a store in memory, scripted channels and a clock that only moves when told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.channels.base import DeliveryError
from alerts.message import Message, MessageKind
from alerts.outbox import Dispatcher
from alerts.ports import OutboxRow

START = 1_800_000_000_000


class Hands:
    """A clock moved by hand: `pass_time` wakes every sleeper at its own moment."""

    def __init__(self) -> None:
        self._ms = START
        self._sleepers: list[tuple[int, asyncio.Future[None]]] = []

    def now(self) -> int:
        """Return the time on the wall."""
        return self._ms

    def monotonic(self) -> float:
        """Return the same in seconds."""
        return self._ms / 1000

    async def sleep(self, seconds: float) -> None:
        """Wait for `pass_time`."""
        wakes: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._ms + round(seconds * 1000), wakes))
        await wakes

    async def pass_time(self, seconds: float = 0) -> None:
        """Let everybody work until nothing more can happen within *seconds*."""
        end = self._ms + round(seconds * 1000)
        while True:
            for _ in range(250):
                await asyncio.sleep(0)
            self._sleepers = [(at, wakes) for at, wakes in self._sleepers if not wakes.done()]
            at, wakes = min(self._sleepers, key=lambda each: each[0], default=(end + 1, None))
            if wakes is None or at > end:
                self._ms = end
                return
            self._ms = max(self._ms, at)
            wakes.set_result(None)


async def a_moment() -> None:
    """Let others work: what a store returns is older than the moment in which one gets it."""
    for _ in range(5):
        await asyncio.sleep(0)


class Memory:
    """An outbox in memory. `broken` makes its next writes fail."""

    def __init__(self, clock: Hands) -> None:
        self.clock = clock
        self.rows: dict[int, OutboxRow] = {}
        self.broken = 0
        self.unreadable = False
        self.reading: Callable[[], Awaitable[None]] = a_moment

    def put(self, kind: str, incident: str = "I1", *, channel: str = "pager", severity: str = "SEV-1") -> int:
        """Commit a row that is due now, and return its id."""
        now = self.clock.now()
        message = Message(
            kind=MessageKind(kind),
            incident_id=incident,
            alert_key="prod/auth/broken",
            environment="prod",
            path="auth",
            severity=severity,
            title="auth is broken",
            text="login answers 500",
            started_ms=now,
            sent_for_ms=now,
            resolved_ms=now if kind == "resolve" else None,
        )
        number = len(self.rows) + 1
        self.rows[number] = OutboxRow(number, incident, channel, message, now, 0, now, None, None)
        return number

    def unsent(self) -> list[int]:
        """Return the ids of what waits."""
        return [row.id for row in self.rows.values() if row.sent_ms is None]

    def _write(self, row_id: int, **changes: Any) -> None:
        self.rows[row_id] = replace(self.rows[row_id], **changes)

    def _break(self) -> None:
        if self.broken:
            self.broken -= 1
            raise OSError("disk full")

    async def pending(self) -> list[OutboxRow]:
        """See `Outbox`, here and below."""
        if self.unreadable:
            raise OSError("disk gone")
        rows = [row for row in self.rows.values() if row.sent_ms is None]
        await self.reading()
        return rows

    async def mark_sent(self, row_id: int, at_ms: int) -> None:
        """See `Outbox`."""
        self._break()
        self._write(row_id, sent_ms=at_ms)

    async def mark_failed(self, row_id: int, attempts: int, next_ms: int, error: str, dead: bool) -> None:
        """See `Outbox`."""
        self._break()
        self._write(row_id, attempts=attempts, next_ms=next_ms, last_error=error, dead=dead)

    async def coalesce(self, trigger_id: int, resolve_id: int, at_ms: int) -> None:
        """See `Outbox`."""
        self._break()
        self._write(trigger_id, sent_ms=at_ms)
        self._write(resolve_id, sent_ms=at_ms)

    async def latest_sent(self, channel: str, since_ms: int) -> list[OutboxRow]:
        """See `Outbox`."""
        latest: dict[str, OutboxRow] = {}
        for row in self.rows.values():
            if row.channel == channel and row.sent_ms is not None:
                latest[row.incident_id] = row
        await a_moment()
        old = [key for key, row in latest.items() if row.message.resolved_ms and (row.sent_ms or 0) < since_ms]
        return [row for key, row in latest.items() if key not in old]


@dataclass
class Scripted:
    """Accepts what its script does not spoil. A script holds errors, "hang", events to wait for, and None."""

    name: str = "pager"
    resend_seconds: float | None = None
    script: list[BaseException | asyncio.Event | str | None] = field(default_factory=list)
    accepted: list[tuple[str, str, bool]] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    attempts: list[int] = field(default_factory=list)

    async def send(self, message: Message, *, now_ms: int) -> None:
        """Do what the script says."""
        self.attempts.append(now_ms - START)
        step = self.script.pop(0) if self.script else None
        if step == "hang":
            await asyncio.Event().wait()
        if isinstance(step, asyncio.Event):
            await step.wait()
        if isinstance(step, BaseException):
            raise step
        self.accepted.append((message.incident_id, message.kind.value, message.late))
        self.messages.append(message)

    async def aclose(self) -> None:
        """Do nothing."""


class Desk:
    """A dispatcher at work, with all that it touches."""

    def __init__(self, *channels: Scripted) -> None:
        self.clock = Hands()
        self.outbox = Memory(self.clock)
        self.channels = {channel.name: channel for channel in channels or (Scripted(),)}
        self.failures: list[tuple[int, str, bool]] = []
        self.sent: list[int] = []
        self.start()

    def start(self) -> None:
        """Start as a new process would."""
        self.dispatcher = Dispatcher(
            self.outbox,
            self.channels,
            self.clock,
            jitter=lambda seconds: seconds,
            on_sent=lambda row, _at: self.sent.append(row.id),
            on_failed=lambda row, error, dead: self.failures.append((row.id, str(error), dead)),
        )
        self.task = asyncio.create_task(self.dispatcher.run())

    async def stop(self) -> None:
        """Die as in a crash: nothing is waited for, nothing is noted."""
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task
        for flight in list(self.dispatcher._flights.values()):
            flight.cancel()
        await self.clock.pass_time()

    async def put(self, *what: Any, seconds: float = 0, **options: Any) -> int:
        """Commit a row, say so, and let time pass."""
        number = self.outbox.put(*what, **options)
        self.dispatcher.wake()
        await self.clock.pass_time(seconds)
        return number


DOWN = DeliveryError("down")
REFUSED = DeliveryError("refused", permanent=True)


async def test_delivery_starts_at_the_call_not_at_the_next_look() -> None:
    """No time passes between the commit and the send."""
    desk = Desk()
    await desk.put("trigger")
    assert desk.channels["pager"].attempts == [0]
    assert desk.outbox.unsent() == []
    assert desk.sent == [1]
    await desk.stop()


async def test_a_row_that_nobody_announced_is_found() -> None:
    """A lost call costs at most the poll interval."""
    desk = Desk()
    await desk.clock.pass_time()
    desk.outbox.put("trigger")
    await desk.clock.pass_time(30)
    assert desk.channels["pager"].attempts == [30_000]
    await desk.stop()


async def test_failures_are_tried_again_with_growing_waits() -> None:
    """1 s, 2 s, 4 s … to 60 s, without end, and it stays the same row."""
    pager = Scripted(script=[DOWN] * 8)
    desk = Desk(pager)
    await desk.put("trigger", seconds=250)
    assert pager.attempts == [0, 1_000, 3_000, 7_000, 15_000, 31_000, 63_000, 123_000, 183_000]
    assert pager.accepted == [("I1", "trigger", False)]
    assert desk.failures[0] == (1, "down", False)
    await desk.stop()


@pytest.mark.parametrize("error", [RuntimeError("token=hunter2"), asyncio.CancelledError(), KeyError("x")])
async def test_whatever_a_channel_raises_the_dispatcher_goes_on(error: BaseException) -> None:
    """A foreign error is a failed send; its text is not kept, for it may quote a secret."""
    pager = Scripted(script=[error])
    desk = Desk(pager)
    await desk.put("trigger", seconds=1)
    assert pager.accepted == [("I1", "trigger", False)]
    assert "hunter2" not in desk.failures[0][1]
    await desk.stop()


async def test_a_listener_that_fails_stops_nothing() -> None:
    """Metrics are not worth a page."""
    desk = Desk()
    desk.sent = None  # type: ignore[assignment]
    await desk.put("trigger")
    await desk.put("resolve")
    assert [kind for _, kind, _ in desk.channels["pager"].accepted] == ["trigger", "resolve"]
    await desk.stop()


async def test_a_hanging_channel_delays_no_other() -> None:
    """The hanging send is cut off after its time limit; the other channel has long delivered."""
    hanging, quick = Scripted("hanging", script=["hang"]), Scripted("quick")
    desk = Desk(hanging, quick)
    desk.outbox.put("trigger", channel="hanging")
    await desk.put("trigger", channel="quick")
    assert quick.attempts == [0]
    await desk.clock.pass_time(31)
    assert desk.failures == [(1, "no answer within 30 s", False)]
    assert hanging.attempts == [0, 31_000]
    await desk.stop()


async def test_a_send_that_is_slow_to_stop_is_not_overtaken() -> None:
    """The next attempt begins when the last one has really ended: 30 s, 5 s to stop, 1 s of backoff."""
    desk = Desk()

    class Slow(Scripted):
        async def send(self, message: Message, *, now_ms: int) -> None:
            try:
                await super().send(message, now_ms=now_ms)
            except asyncio.CancelledError:
                await desk.clock.sleep(5)

    desk.channels["pager"] = Slow(script=["hang"])
    await desk.put("trigger", seconds=60)
    assert desk.channels["pager"].attempts == [0, 36_000]
    await desk.stop()


async def test_a_failing_incident_delays_no_other() -> None:
    """Order is kept within an incident, not between incidents."""
    pager = Scripted(script=["hang"])
    desk = Desk(pager)
    await desk.put("trigger", "I1")
    await desk.put("trigger", "I2")
    assert pager.accepted == [("I2", "trigger", False)]
    await desk.stop()


async def test_a_resolve_waits_for_the_trigger_that_is_being_sent() -> None:
    """The trigger hangs and fails; what goes out then is one message for both."""
    pager = Scripted(script=["hang"])
    desk = Desk(pager)
    await desk.put("trigger")
    await desk.put("resolve")
    assert pager.accepted == []
    await desk.clock.pass_time(31)
    assert pager.accepted == [("I1", "resolve", True)]
    assert desk.outbox.unsent() == []
    await desk.stop()


async def test_several_unaccepted_triggers_become_one_late_message() -> None:
    """All of them are settled by its acceptance."""
    pager = Scripted(script=[DOWN])
    desk = Desk(pager)
    await desk.put("trigger")
    desk.outbox.put("trigger")
    await desk.put("resolve", seconds=5)
    assert pager.accepted == [("I1", "resolve", True)]
    assert desk.outbox.unsent() == []
    await desk.stop()


async def test_a_refused_page_is_tried_every_minute_until_it_is_taken() -> None:
    """It is a dead letter meanwhile, visible and counted."""
    pager = Scripted(script=[REFUSED, REFUSED])
    desk = Desk(pager)
    await desk.put("trigger", seconds=59)
    assert (desk.dispatcher.pending_count, desk.dispatcher.dead_count) == (1, 1)
    assert desk.failures == [(1, "refused", True)]
    await desk.clock.pass_time(61)
    assert pager.attempts == [0, 60_000, 120_000]
    assert (desk.dispatcher.pending_count, desk.dispatcher.dead_count) == (0, 0)
    await desk.stop()


async def test_a_refused_ticket_is_not_tried_again() -> None:
    """It stays in the outbox as a dead letter and ages no more."""
    pager = Scripted(script=[REFUSED])
    desk = Desk(pager)
    await desk.put("trigger", severity="SEV-2", seconds=600)
    assert pager.attempts == [0]
    assert (desk.dispatcher.pending_count, desk.dispatcher.dead_count) == (0, 1)
    assert desk.dispatcher.oldest_age_seconds(desk.clock.now()) == 0
    await desk.stop()


async def test_a_row_for_an_unknown_channel_is_a_dead_letter_not_a_crash() -> None:
    """A channel may have left the configuration while rows wait for it."""
    desk = Desk()
    await desk.put("trigger", channel="gone")
    assert desk.failures == [(1, "no channel is called gone", True)]
    await desk.put("trigger", "I2")
    assert desk.sent == [2]
    await desk.stop()


async def test_what_was_accepted_but_could_not_be_noted_is_not_sent_twice() -> None:
    """A full disk costs a late note, not a second page. The resolve waits for the note."""
    desk = Desk()
    desk.outbox.broken = 3
    await desk.put("trigger")
    await desk.put("resolve")
    assert desk.outbox.unsent() == [1, 2]
    await desk.clock.pass_time(10)
    assert desk.channels["pager"].accepted == [("I1", "trigger", False), ("I1", "resolve", False)]
    assert desk.outbox.unsent() == []
    await desk.stop()


async def test_a_crash_between_acceptance_and_note_sends_the_same_again() -> None:
    """At least once: the new process cannot know, and says exactly the same."""
    desk = Desk()
    desk.outbox.broken = 1
    await desk.put("trigger")
    await desk.stop()
    desk.start()
    await desk.clock.pass_time()
    first, second = desk.channels["pager"].messages
    assert first == second
    assert desk.outbox.unsent() == []
    await desk.stop()


async def test_a_crash_after_a_late_message_repeats_the_late_message() -> None:
    """Never the bare trigger of an outage that is over."""
    pager = Scripted(script=[DOWN])
    desk = Desk(pager)
    await desk.put("trigger")
    desk.outbox.broken = 1
    await desk.put("resolve", seconds=1)
    await desk.stop()
    desk.start()
    await desk.clock.pass_time()
    assert [late for *_, late in pager.accepted] == [True, True]
    assert pager.messages[0] == pager.messages[1]
    await desk.stop()


async def test_a_start_finds_what_the_last_process_left() -> None:
    """Nobody calls `wake` for it."""
    desk = Desk()
    await desk.stop()
    desk.outbox.put("trigger")
    desk.start()
    await desk.clock.pass_time()
    assert desk.sent == [1]
    await desk.stop()


async def test_age_counts_from_the_oldest_undelivered_row() -> None:
    """The dead-man's proof: an outbox that does not empty grows old, and one that cannot be read as well."""
    desk = Desk(Scripted(script=[DOWN] * 99))
    await desk.put("trigger", seconds=100)
    assert desk.dispatcher.oldest_age_seconds(desk.clock.now()) == 100
    await desk.stop()

    blind = Desk()
    blind.outbox.unreadable = True
    await blind.clock.pass_time(100)
    await blind.put("trigger", seconds=100)
    assert blind.dispatcher.oldest_age_seconds(blind.clock.now()) == 200
    blind.outbox.unreadable = False
    await blind.clock.pass_time(1)
    assert blind.sent == [1]
    assert blind.dispatcher.oldest_age_seconds(blind.clock.now()) == 0
    await blind.stop()


async def test_age_grows_when_the_dispatcher_is_dead() -> None:
    """Rows were announced and nobody looks: that must not read as an empty outbox."""
    desk = Desk()
    await desk.stop()
    desk.outbox.put("trigger")
    desk.dispatcher.wake()
    await desk.clock.pass_time(90)
    assert desk.dispatcher.oldest_age_seconds(desk.clock.now()) == 90


async def test_a_level_triggered_channel_is_told_again_and_at_the_start() -> None:
    """Every 30 s; a restart goes on at once; a resolve is repeated for 15 minutes."""
    manager = Scripted(resend_seconds=30)
    desk = Desk(manager)
    await desk.put("trigger", seconds=60)
    assert manager.attempts == [0, 30_000, 60_000]
    await desk.stop()
    desk.start()
    await desk.clock.pass_time()
    assert manager.attempts[3:] == [60_000]
    await desk.put("resolve", seconds=20 * 60)
    repeats = [kind for _, kind, _ in manager.accepted][4:]
    assert set(repeats) == {"resolve"}
    assert len(repeats) == 1 + 30
    assert manager.attempts[-1] == 60_000 + 15 * 60_000
    await desk.stop()


async def test_a_failed_repetition_leaves_the_row_alone() -> None:
    """The next one comes in half a minute; the message was accepted and stays so."""
    manager = Scripted(resend_seconds=30, script=[None, REFUSED, DOWN, RuntimeError()])
    desk = Desk(manager)
    await desk.put("trigger", seconds=120)
    assert manager.attempts == [0, 30_000, 60_000, 90_000, 120_000]
    assert desk.outbox.rows[1].last_error is None
    assert desk.failures == []
    await desk.stop()


async def test_a_resolve_waits_for_a_repetition_of_its_trigger() -> None:
    """Overtaken by it, the alert would fire again after it ended."""
    manager = Scripted(resend_seconds=30, script=[None, "hang"])
    desk = Desk(manager)
    await desk.put("trigger", seconds=30)
    await desk.put("resolve", seconds=29)
    assert len(manager.accepted) == 1
    await desk.clock.pass_time(1)
    assert [kind for _, kind, _ in manager.accepted] == ["trigger", "resolve"]
    await desk.stop()


async def test_a_repetition_that_hangs_is_not_doubled() -> None:
    """The lane is busy until it has ended."""
    manager = Scripted(resend_seconds=12, script=[None, "hang"])
    desk = Desk(manager)
    await desk.put("trigger", seconds=41)
    assert manager.attempts == [0, 12_000]
    await desk.clock.pass_time(7)
    assert manager.attempts == [0, 12_000, 48_000]
    await desk.stop()


async def test_what_lands_during_a_read_is_not_sent_again() -> None:
    """The read still shows it as unsent."""
    accepts = asyncio.Event()
    pager = Scripted(script=[accepts])
    desk = Desk(pager)
    await desk.put("trigger")

    async def long() -> None:
        accepts.set()
        for _ in range(30):
            await asyncio.sleep(0)

    desk.outbox.reading = long
    desk.dispatcher.wake()
    await desk.clock.pass_time()
    assert desk.outbox.unsent() == []
    assert pager.attempts == [0]
    await desk.stop()


async def test_the_next_episode_waits_for_the_last_on_a_level_triggered_channel() -> None:
    """Both are one alert there: what comes last, counts."""
    manager = Scripted(resend_seconds=30, script=[DOWN])
    desk = Desk(manager)
    await desk.put("trigger", "I1")
    await desk.put("trigger", "I2", seconds=2)
    assert [incident for incident, *_ in manager.accepted] == ["I1", "I2"]
    await desk.stop()


@pytest.mark.parametrize("cancelled", [True, False])
async def test_draining_tries_once_more_whatever_the_backoff(cancelled: bool) -> None:
    """A page in its backoff gets a last chance before we stop. Draining ends a `run` that nobody has cancelled."""
    pager = Scripted(script=[DOWN] * 3)
    desk = Desk(pager)
    await desk.put("trigger", seconds=4)
    if cancelled:
        desk.task.cancel()
    desk.dispatcher.wake()
    drained = asyncio.create_task(desk.dispatcher.drain(5))
    await desk.clock.pass_time()
    assert drained.result() == 0
    assert pager.attempts == [0, 1_000, 3_000, 4_000]
    assert desk.task.done()


async def test_draining_waits_for_what_is_being_sent_and_then_leaves_it() -> None:
    """It takes no longer than its deadline, and tells how much remains."""
    desk = Desk(Scripted(script=["hang"]))
    await desk.put("trigger")
    desk.task.cancel()
    drained = asyncio.create_task(desk.dispatcher.drain(5))
    await desk.clock.pass_time(4.9)
    assert not drained.done()
    await desk.clock.pass_time(0.1)
    assert drained.result() == 1
    assert desk.outbox.unsent() == [1]


async def test_draining_repeats_nothing() -> None:
    """An alert lives for minutes after its last repetition, a shutdown must not wait for one more."""
    manager = Scripted(resend_seconds=30)
    desk = Desk(manager)
    await desk.put("trigger", seconds=29)
    desk.task.cancel()
    desk.clock._ms += 60_000
    assert await desk.dispatcher.drain(5) == 0
    assert manager.attempts == [0]


STEPS: st.SearchStrategy[BaseException | str | None] = st.sampled_from(
    [None, None, DOWN, REFUSED, "hang", RuntimeError("bug")]
)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["next", "next", "next", "crash", "disk"]),
        st.sampled_from(["I1", "I2", "I3"]),
        st.sampled_from(["edge", "level"]),
        st.floats(0, 40),
    ),
    max_size=14,
)


@settings(max_examples=25, deadline=None)
@given(EVENTS, st.lists(STEPS, max_size=12), st.lists(STEPS, max_size=12))
async def test_in_any_storm_everything_arrives_in_order(
    events: list[tuple[str, str, str, float]],
    edge: list[BaseException | str | None],
    level: list[BaseException | str | None],
) -> None:
    """Whatever fails, hangs or crashes: no resolve before its trigger, no trigger after its resolve, nothing lost."""
    desk = Desk(Scripted("edge", script=list(edge)), Scripted("level", resend_seconds=30, script=list(level)))
    stage: dict[tuple[str, str], int] = {}
    for what, incident, channel, seconds in events:
        if what == "crash":
            await desk.stop()
            desk.start()
        elif what == "disk":
            desk.outbox.broken = 2
        elif stage.get((incident, channel), 0) < 2:
            kind = ("trigger", "resolve")[stage.setdefault((incident, channel), 0)]
            stage[incident, channel] += 1
            await desk.put(kind, incident, channel=channel)
        await desk.clock.pass_time(seconds)
    await desk.clock.pass_time(1_500)
    assert desk.outbox.unsent() == []
    for (incident, channel), count in stage.items():
        heard = [(kind, late) for who, kind, late in desk.channels[channel].accepted if who == incident]
        last = len(heard) - [kind for kind, _ in heard][::-1].index("trigger") if ("trigger", False) in heard else 0
        assert {kind for kind, _ in heard[:last]} <= {"trigger"}
        assert (heard[0] == ("trigger", False)) or heard[0][1], "a bare resolve came first"
        assert count < 2 or heard[-1][0] == "resolve"
    await desk.stop()
