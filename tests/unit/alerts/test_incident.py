"""The life of an incident: one page per outage, one all-clear, neither without cause. Figures are seconds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.incident import (
    KEPT_FROM_START,
    MAX_EVENTS,
    Cause,
    Decision,
    Event,
    Incident,
    Policy,
    Status,
    note,
    observe,
    remove_check,
    suppressor,
)
from alerts.message import MessageKind
from alerts.timeline import State
from critpath import Outcome, Reason, Result, RunClass, Step, Verdict

TRIGGER, RESOLVE = MessageKind.TRIGGER, MessageKind.RESOLVE
REASONS = {
    Outcome.OK: Reason.NONE,
    Outcome.DEGRADED: Reason.SLOW,
    Outcome.FAILED: Reason.TIMEOUT,
    Outcome.ERROR: Reason.BROWSER,
    Outcome.ABORTED: Reason.STOPPING,
}


def verdict(
    outcome: Outcome, since: float, check: str = "login", run_class: RunClass = RunClass.SCHEDULED, path: str = "auth"
) -> Verdict:
    """Return what one attempt of 10 s came to."""
    since_ms, reason = round(since * 1000), REASONS[outcome]
    steps = (Step("sign in", 0.0, 1.0, True), Step("refresh", 1.0, 9.0, outcome is not Outcome.FAILED))
    run_id = f"run-{since:g}"
    message = "no end within 10 s" if outcome is Outcome.FAILED else ""
    attempt = Result(run_id, check, path, run_class, 1, since_ms, 10.0, outcome, reason, message, steps, "trace-1")
    return Verdict(check, path, run_class, run_id, (attempt,), outcome, reason, message, since_ms)


@dataclass
class Story:
    """The incidents of the path `auth`, and what was sent of them."""

    policy: Policy = field(default_factory=Policy)
    incident: Incident | None = None
    sent: list[tuple[MessageKind, str, float]] = field(default_factory=list)
    opened: int = 0

    def see(  # noqa: PLR0913 - like `observe`
        self,
        outcome: Outcome,
        since: float,
        now: float | None = None,
        *,
        check: str = "login",
        path: State | None = None,
        run_class: RunClass = RunClass.SCHEDULED,
        required: bool = True,
        suppressed_by: str | None = None,
    ) -> Decision:
        """Take a verdict; the path is by default what the verdict says."""
        now = since if now is None else now
        states = {Outcome.FAILED: State.BAD, Outcome.OK: State.GOOD, Outcome.DEGRADED: State.GOOD}
        decision = observe(
            self.incident,
            verdict(outcome, since, check, run_class),
            path or states.get(outcome, State.UNKNOWN),
            round(now * 1000),
            self.policy,
            new_id=f"incident-{self.opened + 1}",
            environment="prod",
            severity="SEV-1",
            required=required,
            last_good_ms=0,
            suppressed_by=suppressed_by,
        )
        self.take(decision, now)
        return decision

    def take(self, decision: Decision, now: float) -> None:
        """Go on from a decision."""
        if decision.incident is not None and (self.incident is None or decision.incident.id != self.incident.id):
            self.opened += 1
        self.incident = decision.incident
        self.sent += [(kind, decision.incident.id if decision.incident else "", now) for kind in decision.send]

    @property
    def now(self) -> Incident:
        """The incident as it is."""
        assert self.incident is not None
        return self.incident

    def lines(self) -> list[str]:
        """Return what happened, one word each."""
        return [event.what for event in self.now.timeline]


def broken() -> Story:
    """Return a path that fails from 60 on, confirmed at 85."""
    story = Story()
    story.see(Outcome.OK, 0)
    story.see(Outcome.FAILED, 60, 85)
    return story


def test_a_confirmed_failure_opens_at_once() -> None:
    """TC13: fails at 60, is confirmed at 85: opened at 85, started at 60, one trigger."""
    story = broken()
    assert story.sent == [(TRIGGER, "incident-1", 85)]
    assert story.now == Incident(
        id="incident-1",
        environment="prod",
        path="auth",
        severity="SEV-1",
        status=Status.OPEN,
        started_ms=60_000,
        opened_ms=85_000,
        cause=Cause("login", Reason.TIMEOUT, "no end within 10 s", "refresh", "run-60", "trace-1"),
        failing=frozenset({"login"}),
        last_good_ms=0,
        timeline=(Event(85_000, "opened", "login failed at step refresh (timeout): no end within 10 s (incident opened)"),),
    )


def test_it_resolves_after_three_successes_over_a_minute() -> None:
    """TC13: clean at 300, 315, 330, 345, 360: three by 330, but a minute only by 360."""
    story = broken()
    for since in range(90, 300, 15):
        story.see(Outcome.FAILED, since, since + 10)
    statuses = []
    for since in range(300, 361, 15):
        story.see(Outcome.OK, since)
        statuses.append(story.now.status)
    assert statuses == [*[Status.RECOVERING] * 4, Status.RESOLVED]
    assert story.sent == [(TRIGGER, "incident-1", 85), (RESOLVE, "incident-1", 360)]
    assert (story.now.recovered_ms, story.now.resolved_ms) == (300_000, 360_000)
    assert story.lines()[0] == "opened"
    assert story.lines()[-1] == "resolved"
    assert story.now.timeline[1].count == 14
    assert story.now.timeline[1].last_ms == 295_000


@pytest.mark.parametrize(
    ("every", "resolved"),
    [
        (10, 60),  # 7 successes: the minute decides
        (15, 60),
        (30, 60),
        (60, 120),  # the third success decides
        (300, 600),
    ],
)
def test_both_the_number_and_the_span_are_needed(every: int, resolved: int) -> None:
    """Resolved is whichever comes later, the third success or a minute from the first."""
    story = broken()
    for n in range(10):
        story.see(Outcome.OK, 1000 + n * every)
    assert story.sent[-1] == (RESOLVE, "incident-1", 1000 + resolved)


def test_degraded_is_clean() -> None:
    """What works slowly works."""
    story = broken()
    for since in (100, 130, 160):
        story.see(Outcome.DEGRADED, since)
    assert story.now.status is Status.RESOLVED


def test_a_failure_while_recovering_keeps_the_incident() -> None:
    """It is open again under the same id, nobody is called twice, and the count begins anew."""
    story = broken()
    story.see(Outcome.OK, 300)
    story.see(Outcome.OK, 340)
    story.see(Outcome.FAILED, 345)
    assert (story.now.id, story.now.status, story.now.recovered_ms) == ("incident-1", Status.OPEN, None)
    assert story.lines()[-1] == "relapsed"
    for since in (360, 390):
        story.see(Outcome.OK, since)
    assert story.now.status is Status.RECOVERING
    story.see(Outcome.OK, 420)
    assert story.now.recovered_ms == 360_000
    assert [kind for kind, _, _ in story.sent] == [TRIGGER, RESOLVE]


def test_more_failures_are_not_more_pages() -> None:
    """Another check of the path joins the incident; all of them must be clean for it to end."""
    story = broken()
    story.see(Outcome.FAILED, 90, check="refresh")
    assert story.now.failing == {"login", "refresh"}
    assert story.now.cause.check == "login"
    for since in (100, 130, 160, 190):
        story.see(Outcome.OK, since, path=State.BAD)
    assert (story.now.status, story.now.clean_since_ms) == (Status.OPEN, None)
    for since in (200, 230):
        story.see(Outcome.OK, since, check="refresh")
    # login is clean since 100, but all of it only since 200: a minute from there, and the third of refresh
    assert (story.now.status, story.now.clean_since_ms) == (Status.RECOVERING, 200_000)
    story.see(Outcome.OK, 259, check="refresh")
    assert story.now.status is Status.RECOVERING
    story.see(Outcome.OK, 260)
    assert story.sent == [(TRIGGER, "incident-1", 85), (RESOLVE, "incident-1", 260)]


def test_every_failing_check_needs_its_own_successes() -> None:
    """Many of one make up for none of another, and the story tells how many there are of how many."""
    story = broken()
    story.see(Outcome.FAILED, 90, check="refresh")
    for since in (100, 110, 120, 130, 240):
        story.see(Outcome.OK, since)
    assert story.now.timeline[-1].text == "login works: 3 of 3 in a row"
    for since in (200, 260):
        story.see(Outcome.OK, since, check="refresh")
    assert (story.now.status, story.now.timeline[-1].text) == (Status.RECOVERING, "refresh works: 2 of 3 in a row")
    story.see(Outcome.OK, 270, check="refresh")
    assert story.now.status is Status.RESOLVED


def test_it_is_not_over_while_the_path_is_not_good() -> None:
    """A check that never failed may be unknown; the incident ends when that one is good, whoever says so."""
    story = broken()
    for since in (100, 130, 160):
        story.see(Outcome.OK, since, path=State.UNKNOWN)
    assert story.now.status is Status.OPEN
    story.see(Outcome.OK, 170, check="roles", path=State.GOOD)
    assert story.sent[-1] == (RESOLVE, "incident-1", 170)


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.ABORTED])
def test_our_own_fault_counts_for_nothing(outcome: Outcome) -> None:
    """An error neither opens nor closes, and does not undo the successes before it."""
    story = Story()
    assert story.see(outcome, 50).incident is None
    story = broken()
    story.see(Outcome.OK, 100)
    story.see(Outcome.OK, 130)
    for since in (145, 160, 300):
        story.see(outcome, since)
    assert (story.now.status, story.now.clean) == (Status.RECOVERING, {"login": 2})
    assert story.lines()[-1] == "frozen"
    story.see(Outcome.OK, 315)
    assert story.now.status is Status.RESOLVED


def test_silence_resolves_nothing() -> None:
    """TC15: an open incident outlives a crash as JSON; the failure after it is no second page."""
    story = broken()
    story.see(Outcome.FAILED, 180, 190)
    story.incident = Incident.from_dict(json.loads(json.dumps(story.now.to_dict())))
    story.incident = note(story.now, 400_000, "daemon gap", "nothing was seen from 190 to 400")
    story.see(Outcome.FAILED, 400, 425)
    assert story.sent == [(TRIGGER, "incident-1", 85)]
    assert (story.now.id, story.now.started_ms, story.now.status) == ("incident-1", 60_000, Status.OPEN)
    assert story.lines() == ["opened", "failed", "daemon gap", "failed"]


def test_on_demand_runs_do_not_count() -> None:
    """TC15: twenty of them that fail open nothing, and as many that succeed close nothing."""
    story = Story()
    for n in range(20):
        story.see(Outcome.FAILED, n, run_class=RunClass.ONDEMAND)
    assert story.incident is None
    story = broken()
    before = story.now
    for since in (100, 130, 160, 190):
        story.see(Outcome.OK, since, run_class=RunClass.ONDEMAND)
    assert before is story.now


def test_a_confirming_run_counts() -> None:
    """It is what a failing on-demand run leads to."""
    story = Story()
    story.see(Outcome.FAILED, 60, run_class=RunClass.CONFIRM)
    assert story.sent == [(TRIGGER, "incident-1", 60)]


def test_a_check_that_is_not_required_opens_nothing() -> None:
    """Its failures are its own."""
    story = Story()
    assert story.see(Outcome.FAILED, 60, required=False).reason == "login is not required of the path"
    assert story.incident is None


def test_nothing_opens_in_maintenance() -> None:
    """What fails then is expected to; what still fails after it opens."""
    story = Story()
    story.see(Outcome.FAILED, 60, path=State.MAINTENANCE)
    assert story.incident is None
    story.see(Outcome.FAILED, 120)
    assert story.sent == [(TRIGGER, "incident-1", 120)]


def test_entering_maintenance_resolves_nothing() -> None:
    """TC10: broken from 0, maintenance [300, 2100): it counts neither for nor against recovery."""
    story = Story()
    story.see(Outcome.FAILED, 0, 25)
    for since in range(300, 2100, 60):
        story.see(Outcome.FAILED if since < 900 else Outcome.OK, since, path=State.MAINTENANCE)
    assert (story.now.status, story.now.clean) == (Status.OPEN, {})
    for since in (2100, 2130, 2160):
        story.see(Outcome.OK, since)
    assert story.sent == [(TRIGGER, "incident-1", 25), (RESOLVE, "incident-1", 2160)]


def test_a_failure_in_maintenance_ends_a_row_of_successes() -> None:
    """Recovery is not claimed from successes with a failure between them."""
    story = broken()
    story.see(Outcome.OK, 100)
    story.see(Outcome.OK, 130)
    story.see(Outcome.FAILED, 160, path=State.MAINTENANCE)
    story.see(Outcome.FAILED, 170, path=State.MAINTENANCE, check="refresh")
    story.see(Outcome.OK, 190)
    assert (story.now.status, story.now.clean, story.now.failing) == (
        Status.RECOVERING,
        {"login": 1},
        frozenset({"login"}),
    )
    assert [kind for kind, _, _ in story.sent] == [TRIGGER]


@pytest.mark.parametrize(("again", "previous"), [(420, "incident-1"), (2160, "incident-1"), (2160.001, None)])
def test_a_failure_soon_after_is_a_sequel(again: float, previous: str | None) -> None:
    """Resolved at 360: a new incident by 360 + 1800 names the one before; it has its own id and its own page."""
    story = broken()
    for since in (300, 330, 360):
        story.see(Outcome.OK, since)
    story.see(Outcome.OK, 375)
    story.see(Outcome.FAILED, again)
    assert (story.now.id, story.now.previous) == ("incident-2", previous)
    assert [kind for kind, _, _ in story.sent] == [TRIGGER, RESOLVE, TRIGGER]


@pytest.mark.parametrize(("span_seconds", "incidents"), [(60, 2), (181, 1)])
def test_three_checks_in_turn(span_seconds: int, incidents: int) -> None:
    """TC11: A [0,300), B [120,420), C [600,660): the 180 s between are a recovery or not, as the policy says."""
    story = Story(Policy(resolve_span_ms=span_seconds * 1000))
    bad = {"a": (0, 300), "b": (120, 420), "c": (600, 660)}
    for at in range(0, 1200, 15):
        works = {check: not since <= at < until for check, (since, until) in bad.items()}
        path = State.GOOD if all(works.values()) else State.BAD
        for check, fine in works.items():
            story.see(Outcome.OK if fine else Outcome.FAILED, at, check=check, path=path)
    assert incidents == story.opened
    assert [kind for kind, _, _ in story.sent] == [TRIGGER, RESOLVE] * incidents
    assert story.now.status is Status.RESOLVED
    if incidents == 2:
        assert (story.now.previous, story.now.started_ms, story.now.failing) == ("incident-1", 600_000, frozenset("c"))


REQUIRES = {"ingestion": ["investigation"], "investigation": ["auth", "dns"], "auth": ["dns"], "dns": ["auth"]}


@pytest.mark.parametrize(
    ("path", "loud", "nearest"),
    [
        ("investigation", {"auth"}, "auth"),
        ("ingestion", {"auth"}, "auth"),  # by way of investigation
        ("ingestion", {"auth", "investigation"}, "investigation"),
        ("auth", {"investigation"}, None),  # that requires this one, not the other way round
        ("auth", {"auth"}, None),
        ("investigation", {"dns", "auth"}, "auth"),
        ("audit", {"auth"}, None),
        ("ingestion", set(), None),
    ],
)
def test_the_nearest_broken_path_that_is_required(path: str, loud: set[str], nearest: str | None) -> None:
    """Requirements are followed through, and circles end."""
    assert nearest == suppressor(path, loud, REQUIRES)


def test_a_path_that_breaks_for_its_parent_is_quiet() -> None:
    """It has an incident without a message, neither at its start nor at its end."""
    story = Story()
    story.see(Outcome.FAILED, 60, suppressed_by="dns")
    story.see(Outcome.FAILED, 75, suppressed_by="edge")
    assert (story.now.suppressed_by, story.now.is_open, story.now.is_loud) == ("edge", True, False)
    for since in (300, 330, 360):
        story.see(Outcome.OK, since)
    assert (story.now.status, story.sent) == (Status.RESOLVED, [])
    assert story.lines()[:3] == ["opened", "suppressed", "failed"]


def test_a_path_that_still_fails_after_its_parent_speaks_for_itself() -> None:
    """At its next failing verdict, and from then on it is an incident like any other."""
    story = Story()
    story.see(Outcome.FAILED, 60, suppressed_by="dns")
    story.see(Outcome.OK, 100)
    story.see(Outcome.FAILED, 110, path=State.MAINTENANCE)
    assert story.sent == []
    story.see(Outcome.FAILED, 120)
    assert (story.now.id, story.now.is_loud, story.now.started_ms) == ("incident-1", True, 60_000)
    story.see(Outcome.FAILED, 130, suppressed_by="dns")
    for since in (300, 330, 360):
        story.see(Outcome.OK, since)
    assert story.sent == [(TRIGGER, "incident-1", 120), (RESOLVE, "incident-1", 360)]


def test_an_incident_ends_when_its_check_is_removed() -> None:
    """Nobody could ever see it work again."""
    story = broken()
    assert remove_check(story.now, "roles", State.UNKNOWN, 90_000, story.policy).incident is story.now
    story.take(remove_check(story.now, "login", State.UNKNOWN, 100_000, story.policy), 100)
    assert story.sent == [(TRIGGER, "incident-1", 85), (RESOLVE, "incident-1", 100)]
    assert (story.now.recovered_ms, story.now.resolved_ms, story.now.failing) == (100_000, 100_000, frozenset())
    again = remove_check(story.now, "login", State.UNKNOWN, 110_000, story.policy)
    assert (again.incident, again.send) == (story.now, ())


def test_the_checks_that_are_left_decide() -> None:
    """One of two failing checks is removed, and the other is clean already."""
    story = broken()
    story.see(Outcome.FAILED, 90, check="refresh")
    for since in (100, 130, 160):
        story.see(Outcome.OK, since, path=State.BAD)
    decision = remove_check(story.now, "refresh", State.BAD, 170_000, story.policy)
    assert decision.send == ()
    story.take(remove_check(story.now, "refresh", State.GOOD, 170_000, story.policy), 170)
    assert (story.sent[-1], story.now.recovered_ms) == ((RESOLVE, "incident-1", 170), 100_000)


def test_the_id_is_made_only_when_an_incident_opens() -> None:
    """A maker of ids is called once per incident."""
    made: list[str] = []

    def make() -> str:
        made.append("made")
        return "made"

    incident: Incident | None = None
    for at in (60, 75):
        seen = verdict(Outcome.FAILED, at)
        decision = observe(incident, seen, State.BAD, at * 1000, Policy(), new_id=make, environment="prod", severity="SEV-1")
        incident = decision.incident
    assert made == ["made"]


def test_an_incident_is_read_from_other_versions() -> None:
    """Fields that are not known are left out, those that are not there have their default."""
    written = broken().now.to_dict()
    written["cause"]["new"] = written["new"] = written["timeline"][0]["new"] = 1
    del written["clean_from"], written["previous"], written["timeline"][0]["count"]
    assert broken().now == Incident.from_dict(written)


def test_a_long_story_loses_its_middle() -> None:
    """The timeline has an end to its length, its start and its latest lines are kept, and it says what is not."""
    incident = broken().now
    for n in range(1000):
        incident = note(incident, n, "line", str(n))
    lines = incident.timeline
    assert len(lines) == MAX_EVENTS
    assert (lines[0].what, lines[1].text, lines[-1].text) == ("opened", "0", "999")
    gap = lines[KEPT_FROM_START]
    assert (gap.what, gap.count) == ("omitted", 1001 - (MAX_EVENTS - 1))


OUTCOMES = (Outcome.OK, Outcome.OK, Outcome.OK, Outcome.FAILED, Outcome.DEGRADED, Outcome.ERROR, Outcome.ABORTED)
SEEN = st.lists(
    st.tuples(
        st.sampled_from(OUTCOMES),
        st.sampled_from(("login", "refresh")),
        st.integers(1, 40),
        st.sampled_from((None, None, State.MAINTENANCE, State.GOOD, State.UNKNOWN)),
        st.sampled_from((None, None, "dns")),
    ),
    max_size=40,
)
Seen = tuple[Outcome, str, int, State | None, str | None]


def told(seen: Iterable[Seen], *, crash: bool = False) -> Story:
    """Tell a story; with crashes, through JSON after every verdict."""
    story, now = Story(), 0
    for outcome, check, apart, path, suppressed_by in seen:
        now += apart
        story.see(outcome, now, check=check, path=path, suppressed_by=suppressed_by)
        if crash and story.incident is not None:
            story.incident = Incident.from_dict(json.loads(json.dumps(story.incident.to_dict())))
    return story


@settings(deadline=None, max_examples=50)
@given(SEEN)
def test_messages_come_in_pairs(seen: list[Seen]) -> None:
    """Per incident there is at most one trigger, then at most one all-clear, and never one without the other before."""
    by_incident: dict[str, list[MessageKind]] = {}
    for kind, incident, _ in told(seen).sent:
        by_incident.setdefault(incident, []).append(kind)
    assert all(kinds in ([TRIGGER], [TRIGGER, RESOLVE]) for kinds in by_incident.values())


@settings(deadline=None, max_examples=50)
@given(SEEN)
def test_incidents_survive_json(seen: list[Seen]) -> None:
    """Written and read after every verdict, everything goes the same way."""
    once, often = told(seen), told(seen, crash=True)
    assert (once.incident, once.sent) == (often.incident, often.sent)


@settings(deadline=None, max_examples=50)
@given(SEEN)
def test_a_confirmed_failure_is_never_silent(seen: list[Seen]) -> None:
    """After a failure outside maintenance and without a broken parent, an incident is open and somebody knows."""
    story = told(seen)
    story.see(Outcome.FAILED, 5000)
    assert story.now.is_loud
    assert (TRIGGER, story.now.id) in [(kind, incident) for kind, incident, _ in story.sent]


@settings(deadline=None, max_examples=50)
@given(SEEN)
def test_every_incident_can_end(seen: list[Seen]) -> None:
    """Three clean runs of all checks over a minute resolve whatever came before."""
    story = told(seen)
    for at in (5000, 5030, 5060):
        story.see(Outcome.OK, at, check="login", path=State.GOOD)
        story.see(Outcome.OK, at, check="refresh", path=State.GOOD)
    assert story.incident is None or story.incident.status is Status.RESOLVED


@settings(deadline=None, max_examples=50)
@given(SEEN)
def test_our_own_faults_change_no_page(seen: list[Seen]) -> None:
    """Without the errors the same messages would have been sent at the same moments."""
    timed, now = [], 0
    for outcome, check, apart, path, suppressed_by in seen:
        now += apart
        timed.append((now, outcome, check, path, suppressed_by))
    stories = (Story(), Story())
    for story, keep in zip(stories, (True, False), strict=True):
        for at, outcome, check, path, suppressed_by in timed:
            if keep or outcome not in (Outcome.ERROR, Outcome.ABORTED):
                story.see(outcome, at, check=check, path=path, suppressed_by=suppressed_by)
    assert stories[0].sent == stories[1].sent
    ends = [story.incident and replace(story.incident, timeline=()) for story in stories]
    assert ends[0] == ends[1]
