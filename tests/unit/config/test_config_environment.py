"""Environment variables override the file, and are named when they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import Configuration, Mistakes, load

_PROFILE = Path(__file__).parents[2] / "bad_config" / "profiles" / "small.yaml"
_TEXT = f"""\
environment: dev
target: {_PROFILE}
tenant: synthetic
surfaces: {{api: http://127.0.0.1:8000}}
identities: {{probe: {{username: probe, password: {{env: PROBE_PASSWORD}}}}}}
checks: {{find-again: {{probe: http, path: search, interval: 1m, timeout: 10s}}}}
"""


def _load(folder: Path, **environ: str) -> Configuration:
    file = folder / "critpath.yaml"
    file.write_text(_TEXT, "utf-8")
    return load(file, environ=environ)


def _refused(folder: Path, **environ: str) -> str:
    with pytest.raises(Mistakes) as caught:
        _load(folder, **environ)
    return str(caught.value)


def test_a_variable_wins_over_file_and_profile(tmp_path: Path) -> None:
    """`__` goes one level down, and the levels beside it stay."""
    settings = _load(
        tmp_path,
        CRITPATH_TENANT="other",
        CRITPATH_CHECKS__LOGIN__INTERVAL="5m",
        CRITPATH_LIMITS__REQUESTS__COUNT="50",
        CRITPATH_WEB__PUBLIC="true",
        CRITPATH_IDENTITIES__PROBE__USERNAME="12345",
    ).settings
    assert settings.tenant == "other"
    assert (settings.checks["login"].interval, settings.checks["login"].timeout) == (300.0, 10.0)
    assert settings.limits.requests is not None
    assert (settings.limits.requests.count, settings.limits.requests.reserve) == (50, 10)
    assert settings.web.public is True
    assert settings.identities["probe"].username == "12345"


def test_a_variable_can_name_what_has_a_dash_or_capitals(tmp_path: Path) -> None:
    """Shells allow neither in the name of a variable."""
    checks = _load(tmp_path, CRITPATH_CHECKS__FIND_AGAIN__INTERVAL="7m").settings.checks
    assert list(checks) == ["login", "find", "find-again"]
    assert checks["find-again"].interval == 420.0


def test_a_list_or_a_section_is_written_as_json(tmp_path: Path) -> None:
    """At the top and further down alike."""
    settings = _load(
        tmp_path,
        CRITPATH_HOSTS__DEV='["localhost"]',
        CRITPATH_WEB='{"listen": "127.0.0.1:1"}',
        CRITPATH_CHANNELS__ONCALL='{"kind": "log"}',
    ).settings
    assert settings.hosts == {"dev": ("localhost",)}
    assert settings.web.listen == "127.0.0.1:1"
    assert settings.channels["oncall"].kind == "log"


def test_the_target_can_come_from_a_variable(tmp_path: Path) -> None:
    """It is known before the profile is read."""
    said = _refused(tmp_path, CRITPATH_TARGET="smal")
    assert said.startswith("CRITPATH_TARGET: target: names the unknown target 'smal'; ")


def test_a_wrong_variable_is_named_instead_of_the_file(tmp_path: Path) -> None:
    """The operator mends what is wrong, not the line that it overrides."""
    said = _refused(
        tmp_path,
        CRITPATH_CHECKS__LOGIN__INTERVAL="5",
        CRITPATH_WEB__LISTEN="localhost",
        CRITPATH_WEB__PROT="1",
        CRITPATH_ENVIRONMENT="production",
    )
    assert said.splitlines() == [
        "CRITPATH_CHECKS__LOGIN__INTERVAL: checks.login.interval: is not a duration; "
        "write a number with its unit, such as 500ms, 30s, 15m, 1h30m or 30d",
        "CRITPATH_ENVIRONMENT: environment: is 'production', which is not a choice here; write prod, labs or dev",
        "CRITPATH_WEB__LISTEN: web.listen: is not an address with a port; "
        "write HOST:PORT, such as 127.0.0.1:9808 or [::1]:9808",
        "CRITPATH_WEB__PROT: web.prot: is not a known key; the keys here are listen, public and token",
    ]


def test_a_rule_that_a_variable_breaks_names_the_variable(tmp_path: Path) -> None:
    """What is wrong between two keys is shown at the one that the operator set."""
    said = _refused(tmp_path, CRITPATH_CHECKS__LOGIN__INTERVAL="5s", CRITPATH_CHECKS__LOGIN__RECHECK="5s")
    assert said == (
        "CRITPATH_CHECKS__LOGIN__INTERVAL: checks.login.timeout: is 10s, longer than the interval of 5s; "
        "write at most 5s, or a longer interval"
    )


def test_a_variable_that_is_no_json_is_named_without_its_value(tmp_path: Path) -> None:
    """It may hold a secret."""
    said = _refused(tmp_path, CRITPATH_STORE="hunter2", CRITPATH_WEB__TOKEN="hunter2")
    assert said.splitlines() == [
        "CRITPATH_STORE: is not a value that this key can take as a whole; "
        "write JSON, or one key of it as CRITPATH_STORE__KEY",
        "CRITPATH_WEB__TOKEN: web.token: is a secret in plain text; write {env: NAME} or {file: PATH} instead",
    ]


def test_a_variable_that_was_meant_for_us_and_names_nothing_is_a_mistake(tmp_path: Path) -> None:
    """A `__` shows the intention."""
    assert _refused(tmp_path, CRITPATH_CHEKS__LOGIN__INTERVAL="5m") == (
        "CRITPATH_CHEKS__LOGIN__INTERVAL: names the unknown key 'cheks'; did you mean 'checks'?"
    )


def test_variables_of_others_are_left_alone(tmp_path: Path) -> None:
    """Clusters make such variables for a service called critpath, and secrets may be called anything."""
    settings = _load(
        tmp_path,
        CRITPATH_SERVICE_HOST="10.0.0.1",
        CRITPATH_PORT="tcp://10.0.0.1:9808",
        CRITPATH_WEB_TOKEN="x",
        PATH="/bin",
    ).settings
    assert settings.web.listen == "127.0.0.1:9808"


def test_a_variable_that_the_file_names_as_a_secret_is_no_override(tmp_path: Path) -> None:
    """A secret may be called anything, even like a key."""
    file = tmp_path / "critpath.yaml"
    file.write_text(_TEXT.replace("PROBE_PASSWORD", "CRITPATH_PROBE__PASSWORD"), "utf-8")
    assert load(file, environ={"CRITPATH_PROBE__PASSWORD": "x"}).settings.identities["probe"].username == "probe"


def test_the_environment_is_read_only_by_load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`environ` replaces the real one altogether; without it the real one counts."""
    monkeypatch.setenv("CRITPATH_TENANT", "real")
    assert _load(tmp_path).settings.tenant == "synthetic"
    assert load(tmp_path / "critpath.yaml").settings.tenant == "real"
