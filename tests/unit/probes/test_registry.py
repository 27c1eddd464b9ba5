"""Where probes come from: ours, plug-ins, and an operator's own files."""

from __future__ import annotations

import inspect
import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from critpath import ConfigurationError
from probes import registry
from probes.registry import BUILTIN, GROUP, find, is_file, names

GOOD = "async def probe(ctx):\n    pass\nasync def other(ctx):\n    pass\nnumber = 7\ndef plain(ctx):\n    pass\n"


@pytest.mark.parametrize("name", sorted(BUILTIN))
def test_every_builtin_probe_can_be_loaded(name: str) -> None:
    """It takes one context and says in a line what it walks."""
    found = find(name, Path())
    assert list(inspect.signature(found).parameters) == ["ctx"]
    assert (inspect.getdoc(found) or "").strip()


def test_the_builtin_names_are_offered() -> None:
    """Sorted, for messages and completion."""
    assert set(BUILTIN) <= set(names())
    assert names() == sorted(names())


@pytest.mark.parametrize(
    ("name", "function"), [("mine.py", "probe"), ("./mine.py:other", "other"), ("sub/../mine.py", "probe")]
)
def test_a_file_is_loaded_from_the_folder_of_the_configuration(name: str, function: str, tmp_path: Path) -> None:
    """With the function named, or `probe`."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "mine.py").write_text(GOOD)
    assert is_file(name)
    assert find(name, tmp_path).__name__ == function  # type: ignore[attr-defined]


def test_a_file_may_be_called_like_a_package_of_ours(tmp_path: Path) -> None:
    """It shadows nothing."""
    (tmp_path / "probes.py").write_text(GOOD)
    find("probes.py", tmp_path)
    assert sys.modules["probes"].__file__ != str(tmp_path / "probes.py")


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (GOOD, "other.py", "other.py does not exist"),
        (GOOD, "mine.py:missing", "mine.py has no function 'missing'"),
        ("x = 1", "mine.py", "mine.py has no function 'probe'"),
        (GOOD, "mine.py:plain", "probe 'mine.py:plain' is not an `async def` that takes a Context"),
        (GOOD, "mine.py:number", "probe 'mine.py:number' is not an `async def` that takes a Context"),
        ("def probe(:", "mine.py", "mine.py cannot be loaded: SyntaxError"),
        ("import nowhere_at_all", "mine.py", "cannot be loaded: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("1 / 0", "mine.py", "cannot be loaded: ZeroDivisionError"),
        ("import sys; sys.exit(3)", "mine.py", "cannot be loaded: SystemExit: 3"),
    ],
)
def test_a_bad_file_says_what_is_wrong(text: str, name: str, said: str, tmp_path: Path) -> None:
    """As a mistake in the configuration, and a half-loaded module does not stay."""
    (tmp_path / "mine.py").write_text(text)
    before = set(sys.modules)
    with pytest.raises(ConfigurationError) as caught:
        find(name, tmp_path)
    assert said in str(caught.value)
    if "cannot be loaded" in said:
        assert not [module for module in set(sys.modules) - before if module.startswith("_critpath_probe")]


def test_a_folder_is_no_probe_file(tmp_path: Path) -> None:
    """Even if its name ends like one."""
    (tmp_path / "mine.py").mkdir()
    with pytest.raises(ConfigurationError, match="does not exist"):
        find("mine.py", tmp_path)


def test_an_unknown_name_says_which_there_are(tmp_path: Path) -> None:
    """Ours and files."""
    with pytest.raises(ConfigurationError, match=r"there is no probe 'auth.logon'; there are .*auth\.login.* and files"):
        find("auth.logon", tmp_path)


def test_a_plugin_is_found_by_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that loads is a probe; one that cannot be imported says so; one that is no probe, too."""
    values = {
        "plug.good": "plugged:probe",
        "plug.gone": "nowhere_at_all:probe",
        "plug.plain": "plugged:plain",
        "plug.less": "plugged:x",
    }
    points = EntryPoints(EntryPoint(name, value, GROUP) for name, value in values.items())
    (tmp_path / "plugged.py").write_text(GOOD)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "entry_points", points.select)
    assert {*values, *BUILTIN} == set(names())
    assert find("plug.good", tmp_path).__name__ == "probe"  # type: ignore[attr-defined]
    with pytest.raises(ConfigurationError, match=r"'plug.gone' \(nowhere_at_all:probe\) cannot be loaded: ModuleNotFoundError"):
        find("plug.gone", tmp_path)
    with pytest.raises(ConfigurationError, match="cannot be loaded: AttributeError"):
        find("plug.less", tmp_path)
    with pytest.raises(ConfigurationError, match="is not an `async def`"):
        find("plug.plain", tmp_path)
