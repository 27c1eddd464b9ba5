"""Where the rules end: what looks wrong and is right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from config import Mistakes, Settings, load
from config.addresses import is_loopback

_PROFILE = Path(__file__).parents[2] / "bad_config" / "profiles" / "small.yaml"
_PROD: dict[str, Any] = {
    "environment": "prod",
    "target": str(_PROFILE),
    "tenant": "synthetic",
    "surfaces": {"api": "https://api.example.org"},
    "identities": {"probe": {"username": "probe", "password": {"env": "PROBE_PASSWORD"}}},
    "channels": {"oncall": {"kind": "webhook", "url": "https://hooks.example.org"}},
}


def _load(folder: Path, **changes: Any) -> Settings:
    file = folder / "critpath.yaml"
    file.write_text(yaml.safe_dump(_PROD | changes), "utf-8")
    return load(file, environ={}).settings


def _said(folder: Path, **changes: Any) -> list[str]:
    with pytest.raises(Mistakes) as caught:
        _load(folder, **changes)
    return [f"{mistake.key}: {mistake.problem}" for mistake in caught.value.mistakes]


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "127.9.9.9", "[::1]:8000", "localhost", "api.localhost"])
def test_prod_may_be_http_on_this_machine(host: str, tmp_path: Path) -> None:
    """Nobody can listen there, and the demo runs there."""
    assert _load(tmp_path, surfaces={"api": f"http://{host}"}).environment == "prod"


@pytest.mark.parametrize("host", ["127.0.0.1.example.org", "localhost.example.org", "10.0.0.1", "[::2]", "mylocalhost"])
def test_prod_may_not_be_http_where_the_name_only_looks_like_this_machine(host: str, tmp_path: Path) -> None:
    """A suffix is not enough."""
    assert _said(tmp_path, surfaces={"api": f"http://{host}"}) == ["surfaces.api: is http, but prod demands https"]


def test_loopback_is_an_address_or_localhost() -> None:
    """The whole of 127.0.0.0/8 is."""
    assert is_loopback("127.255.0.1")
    assert not is_loopback("128.0.0.1")


@pytest.mark.parametrize("word", ["developer", "collabs", "devices", "unstaged"])
def test_only_a_whole_word_of_a_host_names_an_environment(word: str, tmp_path: Path) -> None:
    """`developer` is not `dev`."""
    _load(tmp_path, surfaces={"api": f"https://{word}.example.org"})


@pytest.mark.parametrize("word", ["labs", "dev", "staging", "LABS"])
def test_a_host_of_another_environment_is_known_by_a_word(word: str, tmp_path: Path) -> None:
    """Between dots or dashes, in any case."""
    for host in (f"{word}.example.org", f"api-{word}.example.org", f"a.{word}-1.example.org"):
        (said,) = _said(tmp_path, surfaces={"api": f"https://{host}"})
        assert f"has the word {word.lower()!r} in it, but this is prod" in said


def test_a_listed_host_may_be_called_anything(tmp_path: Path) -> None:
    """The operator knows best."""
    _load(tmp_path, surfaces={"api": "https://api.dev"}, hosts={"prod": ["api.dev"]})


def test_the_longest_entry_decides_whose_a_host_is(tmp_path: Path) -> None:
    """So that one host can be taken out of another's domain."""
    surfaces = {"api": "https://api.example.org"}
    _load(tmp_path, surfaces=surfaces, hosts={"labs": ["example.org"], "prod": ["api.example.org"]})
    (said,) = _said(tmp_path, surfaces=surfaces, hosts={"prod": ["example.org"], "labs": ["API.example.org"]})
    assert "belongs to labs" in said


def test_a_check_that_is_off_needs_nothing(tmp_path: Path) -> None:
    """Neither an identity nor a surface nor the right to write."""
    off = {"enabled": False, "writes": True, "surfaces": ["web"], "params": {"identity": "nobody", "operation": "none"}}
    extra = {"probe": "http", "path": "auth", "interval": "1m", "timeout": "1s"} | off
    assert not _load(tmp_path, checks={"extra": extra}).checks["extra"].enabled


def test_writing_in_prod_needs_a_target_that_proves_itself(tmp_path: Path) -> None:
    """With `writes: allowed` alone a check could write into the wrong environment."""
    profile = yaml.safe_load(_PROFILE.read_text("utf-8"))
    checks = {"find": {"writes": True}}
    _load(tmp_path, writes="allowed", checks=checks)
    del profile["evidence"]
    (tmp_path / "profile.yaml").write_text(yaml.safe_dump(profile), "utf-8")
    assert _said(tmp_path, target="profile.yaml", writes="allowed", checks=checks) == [
        "writes: is allowed, but the profile does not say how an answer proves that it comes from prod"
    ]


def test_outside_prod_writing_needs_no_leave_and_nobody_is_paged(tmp_path: Path) -> None:
    """Labs may be purged, and dev sleeps at night."""
    _load(tmp_path, environment="dev", channels={}, checks={"find": {"writes": True}})


def test_a_path_of_lower_severity_needs_no_pager(tmp_path: Path) -> None:
    """A log is enough for it."""
    paths = {"auth": {"severity": "SEV-2"}, "search": {"severity": "SEV-3"}}
    _load(tmp_path, channels={"log": {"kind": "log"}}, paths=paths)


def test_a_session_is_needed_only_where_an_identity_is_used(tmp_path: Path) -> None:
    """A target without accounts is a target, too."""
    profile = yaml.safe_load(_PROFILE.read_text("utf-8"))
    del profile["session"]
    (tmp_path / "profile.yaml").write_text(yaml.safe_dump(profile), "utf-8")
    (said,) = _said(tmp_path, target="profile.yaml")
    assert said == "session: is missing, but checks use identities"
    _load(tmp_path, target="profile.yaml", identities={}, paths={"auth": {"enabled": False}})


def test_one_mistake_does_not_breed_others(tmp_path: Path) -> None:
    """A path that is wrong by itself is still a path, and a check that is wrong may still watch one."""
    assert _said(tmp_path, paths={"auth": {"objective": 5}}) == [
        "paths.auth.objective: must be a percentage from 50 to below 100"
    ]
    assert _said(tmp_path, checks={"find": {"timeout": "x"}}) == ["checks.find.timeout: is not a duration"]
    assert _said(tmp_path, identities={"probe": {"username": "", "password": {"env": "P"}}}) == [
        "identities.probe.username: is empty"
    ]
    assert _said(tmp_path, environment="production", channels={}) == [
        "environment: is 'production', which is not a choice here"
    ]


def test_without_a_profile_the_rest_is_still_judged(tmp_path: Path) -> None:
    """What can be said without it is said, and nothing else."""
    twin = {"username": "probe", "password": {"env": "P"}}
    said = _said(tmp_path, target="none.yaml", identities={"a": twin, "b": twin}, checks={"find": {"interval": 1}})
    assert [line.partition(":")[0] for line in said] == ["identities.b.username", "target"]


def test_port_0_lets_the_system_choose(tmp_path: Path) -> None:
    """Tests listen there."""
    assert _load(tmp_path, web={"listen": "[::1]:0"}).web.listen == "[::1]:0"
