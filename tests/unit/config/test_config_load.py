"""Loading: the file, its profile under it, and what cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

import config.settings as models
from config import CheckSettings, Mistake, Mistakes, PathSettings, Settings, builtin_targets, load
from config.profile import Limits

_ROOT = Path(__file__).parents[3]
_PROFILE = _ROOT / "tests" / "bad_config" / "profiles" / "small.yaml"
_START = f"""\
environment: dev
target: {_PROFILE}
tenant: synthetic
surfaces: {{api: http://127.0.0.1:8000}}
identities: {{probe: {{username: probe, password: {{env: PROBE_PASSWORD}}}}}}
"""


def _write(folder: Path, text: str) -> Path:
    file = folder / "critpath.yaml"
    file.write_text(text, "utf-8")
    return file


def _refused(file: Path) -> list[Mistake]:
    with pytest.raises(Mistakes) as caught:
        load(file, environ={})
    return list(caught.value.mistakes)


def test_a_minimal_file_takes_the_rest_from_its_profile(tmp_path: Path) -> None:
    """Paths, checks and limits of the profile hold where the file says nothing."""
    configuration = load(_write(tmp_path, _START), environ={})
    settings = configuration.settings
    assert settings.tenant == "synthetic"
    assert list(settings.checks) == ["login", "find"]
    assert settings.checks["login"].interval == 60.0
    assert settings.limits.requests is not None
    assert settings.limits.requests.per == 900.0
    assert configuration.profile.title == "A small target"


def test_the_file_is_laid_over_the_profile_key_by_key(tmp_path: Path) -> None:
    """A key of the file replaces that key alone, however deep it is; an empty value takes the profile's away."""
    text = """
checks:
  login: {interval: 5m, params: {note: here}}
  own: {probe: ./own.py, path: auth, interval: 1h, timeout: 20s}
paths: {auth: {objective: 99.95}}
limits: {requests: {count: 50}, logins: null}
"""
    (tmp_path / "own.py").touch()
    settings = load(_write(tmp_path, _START + text), environ={}).settings
    login = settings.checks["login"]
    assert (login.interval, login.timeout) == (300.0, 10.0)
    assert login.params == {"identity": "probe", "note": "here"}
    assert list(settings.checks) == ["login", "find", "own"]
    assert str(settings.paths["auth"].objective) == "0.9995"
    assert settings.paths["auth"].title == "Auth"
    assert settings.limits.requests is not None
    assert (settings.limits.requests.count, settings.limits.requests.reserve) == (50, 10)
    assert settings.limits.logins is None


def test_an_empty_value_takes_away_what_the_profile_says(tmp_path: Path) -> None:
    """`requests: null` means that there is no limit."""
    assert load(_write(tmp_path, _START + "limits: {requests: null}"), environ={}).settings.limits.requests is None


def test_a_path_that_is_switched_off_is_gone_with_its_checks(tmp_path: Path) -> None:
    """Nobody after `load` needs to know that a path can be switched off."""
    settings = load(_write(tmp_path, _START + "paths: {auth: {enabled: false}}"), environ={}).settings
    assert list(settings.paths) == ["search"]
    assert settings.paths["search"].requires == ()
    assert list(settings.checks) == ["find"]


def test_an_empty_section_is_no_section(tmp_path: Path) -> None:
    """A section whose lines are all commented out says nothing, and is no mistake."""
    assert load(_write(tmp_path, _START + "channels:\nchecks:\nweb:\n"), environ={}).settings.channels == {}


def test_words_that_old_yaml_takes_for_something_else_are_text(tmp_path: Path) -> None:
    """`off`, `no`, a date and a number that begins with 0 stay what was written; `yes` still switches on."""
    text = "browser: {sandbox: off}\nvantage: 007\nfixture: {no: 2024-01-31}\nweb: {public: yes}\n"
    settings = load(_write(tmp_path, _START + text), environ={}).settings
    assert settings.browser.sandbox == "off"
    assert settings.vantage == "007"
    assert settings.fixture == {"no": "2024-01-31"}
    assert settings.web.public is True


def test_an_anchor_is_one_value_in_two_places(tmp_path: Path) -> None:
    """Aliases and `<<` work, and what is written beside `<<` wins."""
    text = "fixture:\n  base: &base {a: 1, b: 2}\n  other: {<<: *base, b: 3}\n"
    fixture = load(_write(tmp_path, _START + text), environ={}).settings.fixture
    assert fixture["other"] == {"a": 1, "b": 3}


def test_an_alias_that_holds_itself_is_refused(tmp_path: Path) -> None:
    """It would have no end."""
    (mistake,) = _refused(_write(tmp_path, _START + "fixture: &f {again: *f}\n"))
    assert mistake.problem == "column 10: has an alias that holds itself"


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """Editors on Windows put one there."""
    file = tmp_path / "critpath.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + _START.encode())
    assert load(file, environ={}).settings.environment == "dev"


def test_a_control_character_is_refused(tmp_path: Path) -> None:
    """The character is named by its number: it could not be seen."""
    (mistake,) = _refused(_write(tmp_path, _START + "vantage: a\x07b\n"))
    assert mistake.problem == "holds a character (U+0007) that YAML forbids"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.yaml", "does not exist; name another file, or make this one with `critpath init`"),
        ("", "is a folder; name a file in it, such as critpath.yaml"),
        ("file/below.yaml", "cannot be read (not a directory); name another file"),
    ],
)
def test_what_cannot_be_read_is_named_with_a_way_out(name: str, said: str, tmp_path: Path) -> None:
    """The operator learns what to name instead."""
    (tmp_path / "file").touch()
    (mistake,) = _refused(tmp_path / name)
    assert str(mistake) == f"{tmp_path / name}: {said}"


def test_a_file_without_permission_is_named_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permission is simulated: the tests may run as a user who may read everything."""

    def refuse(_: Path) -> bytes:
        raise PermissionError

    monkeypatch.setattr(Path, "read_bytes", refuse)
    (mistake,) = _refused(tmp_path / "critpath.yaml")
    assert mistake.problem == "may not be read by this user"


def test_a_mistake_in_a_nested_list_has_the_line_of_its_entry(tmp_path: Path) -> None:
    """Positions follow lists as well as keys."""
    channel = "channels:\n  oncall:\n    kind: alertmanager\n"
    text = channel + "    urls:\n      - https://a.example.org\n      - b.example.org\n"
    (mistake,) = _refused(_write(tmp_path, _START + text))
    assert (mistake.line, mistake.key) == (11, "channels.oncall.urls[1]")


def test_relative_paths_start_from_the_folder_of_the_file(tmp_path: Path) -> None:
    """Absolute ones stay as they are."""
    configuration = load(_write(tmp_path, _START), environ={})
    assert configuration.resolve("secrets/probe") == tmp_path / "secrets" / "probe"
    assert configuration.resolve("/run/secrets/probe") == Path("/run/secrets/probe")


def test_a_profile_is_found_from_the_folder_of_the_file(tmp_path: Path) -> None:
    """It does not matter where the command was started."""
    (tmp_path / "profile.yaml").write_bytes(_PROFILE.read_bytes())
    file = _write(tmp_path, _START.replace(str(_PROFILE), "profile.yaml"))
    assert load(file, environ={}).profile.name == "small"


def test_every_probe_is_known_unless_somebody_knows_better(tmp_path: Path) -> None:
    """Which probes there are is not for this package to know."""
    file = _write(tmp_path, _START)
    load(file, environ={})
    with pytest.raises(Mistakes, match=r"write auth\.login or the path of a file such as \./mine\.py"):
        load(file, environ={}, known_probe="auth.login".__eq__, probes=["auth.login"])


@pytest.mark.parametrize("name", ["example.yaml", "demo.yaml"])
def test_a_file_that_we_ship_is_right(name: str) -> None:
    """What `critpath init` writes, and what the demo runs on, load without a mistake."""
    assert load(_ROOT / "config" / name, environ={}).settings.target in builtin_targets()


def test_the_example_shows_every_key() -> None:
    """An operator who reads the example has seen all there is."""
    text = (_ROOT / "config" / "example.yaml").read_text("utf-8")
    sections: list[type[BaseModel]] = [
        *(Settings, models.Identity, models.Confirmation, models.Resolution, models.Slo, models.Store, models.Web),
        *(models.Browser, models.Log, models.AlertmanagerChannel, models.WebhookChannel, CheckSettings, PathSettings),
        Limits,
    ]
    keys = {key for section in sections for key in section.model_fields}
    assert {key for key in keys if f"{key}: " not in text and f"{key}:\n" not in text} == set()
