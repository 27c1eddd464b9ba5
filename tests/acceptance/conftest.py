"""Twin and daemon as processes of their own, seen from outside. Nothing of critpath is imported here."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.stage import Stage

PATHS = {"auth", "investigation", "ingestion", "audit"}
PATIENCE = 60.0

_SECONDS = {
    # check: interval, timeout, recheck; generous enough for a machine with other things to do
    **dict.fromkeys(("LOGIN", "REFRESH", "PERMISSIONS", "SEARCH", "ENTITY", "EXPAND"), (4, 4, 1)),
    **dict.fromkeys(("INGEST_ROUNDTRIP", "AUDIT_ROUNDTRIP"), (6, 6, 1)),
    "SIGN_IN": (8, 8, 2),
}
FAST = {
    "CRITPATH_CONFIRMATION__GAP": "500ms",
    "CRITPATH_RESOLUTION__SUCCESSES": "1",
    "CRITPATH_RESOLUTION__SPAN": "100ms",
    "CRITPATH_CHECKS__INGEST_ROUNDTRIP__PARAMS__DEADLINE": "3s",
    "CRITPATH_CHECKS__INGEST_ROUNDTRIP__PARAMS__POLL": "250ms",
    "CRITPATH_CHECKS__AUDIT_ROUNDTRIP__PARAMS__DEADLINE": "4s",
    "CRITPATH_CHECKS__AUDIT_ROUNDTRIP__PARAMS__POLL": "250ms",
    **{
        f"CRITPATH_CHECKS__{check}__{key}": f"{seconds}s"
        for check, each in _SECONDS.items()
        for key, seconds in zip(("INTERVAL", "TIMEOUT", "RECHECK"), each, strict=True)
    },
}
"""What makes a daemon impatient, so that a fault is told within seconds."""


class Seen:
    """What can be seen of a stage from outside."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def states(self) -> dict[str, bool]:
        """Return for each path that is known whether it is up."""
        found = re.finditer(r'^critpath_path_up\{path="(\w+)"\} (\S+)$', self.stage.daemon.metrics(), re.MULTILINE)
        return {each[1]: float(each[2]) == 1 for each in found}

    def metric(self, name: str) -> float:
        """Return one sample by its exact name and labels."""
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.stage.daemon.metrics(), re.MULTILINE)
        assert found, f"no sample {name}"
        return float(found[1])

    def all_good(self) -> bool:
        """Whether all four paths are up."""
        states = self.states()
        return set(states) == PATHS and all(states.values())

    def bad(self) -> set[str]:
        """Return the paths that are down."""
        return {path for path, up in self.states().items() if not up}

    def pages(self, kind: str) -> list[dict[str, Any]]:
        """Return the messages of a kind that the telephone received."""
        return [page["message"] for page in self.stage.twin.pages() if page["message"]["kind"] == kind]

    def until(self, seen: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
        """Return the first true value of *seen*; fail after a while, saying what did not happen."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if value := seen():
                return value
            time.sleep(0.2)
        log = self.stage.daemon.log.read_text("utf-8").splitlines()[-8:]
        raise AssertionError(f"{what}: not within {patience:g} s; bad: {self.bad()}; the log ends:\n" + "\n".join(log))

    def runs(self, check: str) -> float:
        """Return how many scheduled attempts of a check there were."""
        text = self.stage.daemon.metrics()
        found = re.findall(
            rf'^critpath_check_attempts_total\{{check="{check}",class="scheduled",.*\}} (\S+)$', text, re.MULTILINE
        )
        return sum(map(float, found))


def staged(folder: Path, **env: str) -> Iterator[Seen]:
    """Put a stage up whose daemon has these variables, wait until all is good, and take it down."""
    with Stage(folder, env=env) as stage:
        seen = Seen(stage)
        seen.until(seen.all_good, "all paths are good at the start")
        yield seen


@pytest.fixture(scope="session")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """An impatient daemon over the twin, shared by the tests that leave it as they found it."""
    yield from staged(tmp_path_factory.mktemp("fast"), **FAST)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Seen]:
    """A daemon of one's own, as the demo configures it."""
    yield from staged(tmp_path)
