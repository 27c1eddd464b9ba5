"""Whatever is wrong, the answer is ours: no traceback, no word of a library, no secret."""

from __future__ import annotations

import re
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import Mistake, Mistakes, Settings, load
from config.document import read
from config.profile import Profile

_ROOT = Path(__file__).parents[3]
_SMALL = _ROOT / "tests" / "bad_config" / "profiles" / "small.yaml"
_RIGHT = {
    "environment": "prod",
    "target": str(_SMALL),
    "tenant": "t",
    "surfaces": {"api": "https://a.example"},
    "hosts": {"prod": ["a.example"]},
    "identities": {"probe": {"username": "p", "password": {"env": "P"}}},
    "limits": {"requests": {"count": 50}},
    "resolution": {"successes": 3, "span": "1m"},
    "slo": {"zone": "UTC"},
    "store": {"url": "sqlite:///a.db"},
    "web": {"listen": "127.0.0.1:1", "token": {"file": "f"}, "public": False},
    "log": {"level": "info"},
    "channels": {
        "a": {"kind": "alertmanager", "urls": ["https://b.example"]},
        "h": {"kind": "webhook", "url": {"env": "H"}},
    },
    "paths": {"auth": {"objective": 99.5, "requires": []}},
    "checks": {
        "login": {"interval": "5m", "required": True, "params": {"identities": ["probe"]}, "logins": {"probe": 1}},
    },
}
_FOREIGN = re.compile(
    r"pydantic|input|traceback|value_error|\bType\b|\bNone\b|https://errors|Settings\b|Reference|Model\b|dict|tuple|str\b"
)
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(ascii_lowercase, max_size=3),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(st.sampled_from("xyz"), below, max_size=2),
    max_leaves=4,
)


def _places(data: Any, loc: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [*([loc] if loc else []), *(place for key, value in below for place in _places(value, (*loc, key)))]


def _changed(data: Any, loc: tuple[Any, ...], value: Any) -> Any:
    data = deepcopy(data)
    around = data
    for key in loc[:-1]:
        around = around[key]
    around[loc[-1]] = value
    return data


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(_places(_RIGHT)), value=_ANYTHING)
def test_any_value_at_any_place_is_right_or_gets_an_answer_of_ours(place: Any, value: Any, tmp_path: Path) -> None:
    """Each mistake has a file, a problem and a remedy, in our own words."""
    file = tmp_path / "critpath.yaml"
    file.write_text(yaml.safe_dump(_changed(_RIGHT, place, value), sort_keys=False), "utf-8")
    try:
        load(file, environ={})
    except Mistakes as exc:
        for mistake in exc.mistakes:
            assert mistake.remedy
            assert not _FOREIGN.search(f"{mistake.problem}; {mistake.remedy}"), str(mistake)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text("ab: \n-[]{}&*!<|>'\"#%@,?~\t0.", max_size=24))
def test_any_text_is_read_or_gets_an_answer_of_ours(text: str, tmp_path: Path) -> None:
    """No text ends in a traceback."""
    file = tmp_path / "critpath.yaml"
    file.write_text(text, "utf-8")
    with suppress(Mistakes):
        read(file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: " + "[" * 500, "is nested too deeply"),
        ("a: !!int x", "column 4: has a tag or a number that means nothing here"),
        ("a: !!set {b}", "column 4: has a tag or a number that means nothing here"),
        ("a: !!python/name:os.system x", "column 4: has a tag or a number that means nothing here"),
        ("a: " + "9" * 5000, "column 4: has a tag or a number that means nothing here"),
        ("<<: 5", "column 5: is not YAML"),
    ],
)
def test_odd_yaml_gets_an_answer(text: str, said: str, tmp_path: Path) -> None:
    """Tags make no objects."""
    file = tmp_path / "critpath.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(Mistakes) as caught:
        read(file)
    assert caught.value.mistakes[0].problem == said


def test_a_mistake_is_one_line_of_file_line_key_problem_and_remedy() -> None:
    """What is not known is left out."""
    assert str(Mistake("a.yaml", 3, "web.listen", "is wrong", "write b")) == "a.yaml:3: web.listen: is wrong; write b"
    assert str(Mistake("a.yaml", None, "", "is empty", "write b")) == "a.yaml: is empty; write b"


def test_mistakes_say_each_thing_once_and_in_the_order_of_the_file(tmp_path: Path) -> None:
    """The file of the operator comes first, then the profile, then the environment."""
    profile = tmp_path / "a-profile.yaml"
    profile.write_text(_SMALL.read_text("utf-8").replace("interval: 1m", "interval: 1"), "utf-8")
    file = tmp_path / "critpath.yaml"
    text = "vantage: 1\ntarget: a-profile.yaml\nenvironment: x\ntenant: t\nsurfaces: {api: http://localhost}\n"
    file.write_text(text, "utf-8")
    with pytest.raises(Mistakes) as caught:
        load(file, environ={"CRITPATH_LOG__LEVEL": "loud"})
    assert [(Path(m.file).name, m.line, m.key) for m in caught.value.mistakes] == [
        ("critpath.yaml", 1, "vantage"),
        ("critpath.yaml", 3, "environment"),
        ("a-profile.yaml", 17, "checks.login.interval"),
        ("a-profile.yaml", 18, "checks.find.interval"),
        ("CRITPATH_LOG__LEVEL", None, "log.level"),
    ]


def test_every_section_of_named_entries_loses_only_the_wrong_entry() -> None:
    """The list of such sections in `config.build` names only sections that there are."""
    from config.build import _NAMED  # noqa: PLC0415

    assert set(Settings.model_fields) | set(Profile.model_fields) >= _NAMED
