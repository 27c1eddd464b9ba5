"""Every file in `tests/bad_config` is refused with exactly the words in its first comment lines."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path

import pytest

from config import Mistakes, load

_FOLDER = Path(__file__).parents[2] / "bad_config"
_PROBES = ["auth.login", "http"]


def _expected(file: Path) -> str:
    lines = file.read_text("utf-8", errors="replace").splitlines()
    return "\n".join(line[2:] for line in takewhile(lambda line: line.startswith("# "), lines))


def test_there_is_a_file_for_each_message() -> None:
    """The folder was found, and holds what it should."""
    assert len(list(_FOLDER.glob("*.yaml"))) >= 70


@pytest.mark.parametrize("name", sorted(file.name for file in _FOLDER.glob("*.yaml")))
def test_a_bad_file_is_refused_in_these_words(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All mistakes of the file are named, each with its line, its key and a remedy, and nothing else is said."""
    monkeypatch.chdir(_FOLDER)
    with pytest.raises(Mistakes) as caught:
        load(Path(name), environ={}, known_probe=_PROBES.__contains__, probes=_PROBES)
    assert _expected(_FOLDER / name) == str(caught.value)
    assert caught.value.exit_code == 2
    assert "correct" not in str(caught.value), "the password of the bad files is shown"
