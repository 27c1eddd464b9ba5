"""The twin's switches: every one of the catalogue is there, and every one is asked for somewhere."""

from pathlib import Path

import pytest

import demo
from demo.__main__ import main
from demo.faults import SWITCHES, Faults, UnknownParameter, UnknownSwitch

USAGE = 2
FAULTS = """
login-500 login-hang login-refused login-db-outage login-token-expired login-token-no-role refresh-500
refresh-token-rejected refresh-not-rotated refresh-reuse-accepted authz-open authz-escalation authz-locked
authz-forged-accepted authz-alg-none-accepted authz-expired-accepted logout-noop web-bundle-missing web-blank
web-form-broken graph-mock-fallback graph-expand-stub graph-expand-wrong entity-null entity-other-tenant entity-stale
search-empty search-partial search-errors-200 search-slow search-hang graphql-unmasked-500 web-explore-mock
wrong-environment ingest-refused ingest-500 ingest-lost ingest-stuck ingest-corrupt ingest-duplicate ingest-slow
ingest-canned delete-noop audit-lost audit-late audit-wrong-actor audit-wrong-tenant audit-no-correlation
ledger-broken-link ledger-gap ledger-fork ledger-rewritten ledger-truncated ledger-mutable maestro-html-404
maestro-stuck health-lies kill-switch tenant-kill-switch body-slow body-huge body-bomb json-broken redirect-loop
""".split()
DISTURBANCES = """
blip-1 latency-80 audit-flush-5s ingest-5s ingest-status-404 throttled restart-1s token-expires-mid-run
""".split()


def of_kind(kind: str) -> set[str]:
    return {switch.name for switch in SWITCHES if switch.kind == kind}


def test_every_fault_and_disturbance_of_the_catalogue_has_a_switch() -> None:
    assert set(FAULTS) <= of_kind("fault")
    assert set(DISTURBANCES) == of_kind("disturbance")


def test_no_switch_is_declared_twice() -> None:
    assert len({switch.name for switch in SWITCHES}) == len(SWITCHES)


def test_no_switch_is_a_stub() -> None:
    """Each name is asked for outside of the registry."""
    folder = Path(demo.__file__).parent
    code = "".join(file.read_text(encoding="utf-8") for file in folder.glob("*.py") if file.name != "faults.py")

    assert [switch.name for switch in SWITCHES if f'"{switch.name}"' not in code] == []


def test_a_switch_takes_its_declared_parameters_and_forgets_them_when_off() -> None:
    faults = Faults()
    faults.switch_on("search-slow", {"seconds": 5})
    assert (faults.on("search-slow"), faults.value("search-slow", "seconds")) == (True, 5)

    faults.switch_off("search-slow")

    assert (faults.on("search-slow"), faults.value("search-slow", "seconds")) == (False, 2.0)


@pytest.mark.parametrize("given", [{"minutes": 1}, {"seconds": "2"}, {"seconds": True}])
def test_a_parameter_that_does_not_fit_is_refused(given: dict[str, object]) -> None:
    faults = Faults()

    with pytest.raises(UnknownParameter):
        faults.switch_on("search-slow", given)

    assert not faults.on("search-slow")


def test_an_unknown_switch_is_refused_with_its_neighbours() -> None:
    with pytest.raises(UnknownSwitch, match="login-500"):
        Faults().switch_on("login-50")


def test_asking_for_a_switch_that_is_not_declared_is_a_bug() -> None:
    with pytest.raises(KeyError):
        Faults().on("no-such-fault")


def test_a_route_is_matched_by_its_beginning() -> None:
    faults = Faults()
    faults.switch_on("json-broken", {"route": "/auth"})

    assert faults.at("json-broken", "/auth/login")
    assert not faults.at("json-broken", "/graphql")


def test_watchers_hear_each_change_once() -> None:
    faults, heard = Faults(), list[tuple[str, bool]]()
    faults.watch(lambda name, on: heard.append((name, on)))

    faults.switch_on("login-500")
    faults.switch_off("login-500")
    faults.switch_off("login-500")
    faults.clear()

    assert heard == [("login-500", True), ("login-500", False)]


async def test_whoever_waits_for_a_switch_is_freed_when_it_goes_off() -> None:
    faults = Faults()
    await faults.until_off("login-hang")
    faults.switch_on("login-hang")

    await faults.until_off("login-hang", 0.0)

    assert faults.on("login-hang")


@pytest.mark.parametrize(
    "argument", ["--break=login-50@3", "--break=login-500", "--break=@3", "--mend=x", "--mend=y@1"]
)
def test_a_wrong_timetable_is_a_usage_error(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([argument])

    assert stopped.value.code == USAGE
    assert "error: argument" in capsys.readouterr().err
