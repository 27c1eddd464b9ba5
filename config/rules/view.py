"""What a rule sees: the settings, the profile, and where each was written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from config.document import Tree
from config.mistakes import Loc, Mistake
from config.nearest import suggestion
from config.profile import CheckSettings, Profile
from config.settings import Settings


@dataclass(frozen=True, slots=True)
class View:
    """A configuration that may lack the entries that are wrong by themselves; their names are still known."""

    settings: Settings
    profile: Profile
    tree: Tree
    profile_tree: Tree
    folder: Path
    known_probe: Callable[[str], bool]
    probes: Collection[str] = ()

    @property
    def running(self) -> Mapping[str, CheckSettings]:
        """The checks that are enabled."""
        return {name: check for name, check in self.settings.checks.items() if check.enabled}

    def names(self, section: str) -> list[str]:
        """Return every name written in a section of the settings, those of wrong entries too."""
        return _names(self.tree, section)

    def profile_names(self, section: str) -> list[str]:
        """Return every name written in a section of the profile."""
        return _names(self.profile_tree, section)

    def wrong(self, loc: Loc, problem: str, remedy: str, *others: Loc) -> Mistake:
        """
        Return a mistake at *loc*.

        What is wrong between several keys is shown at the first that the operator wrote: the profile's own are right
        without them.
        """
        mistake = self.tree.mistake(loc, problem, remedy)
        origin = next((self.tree.origin(place) for place in (loc, *others) if not self.of_profile(place)), None)
        return replace(mistake, file=origin.file, line=origin.line) if origin else mistake

    def of_profile(self, loc: Loc) -> bool:
        """Whether *loc* was written in the profile."""
        return self.tree.origin(loc).file == self.profile_tree.origin(()).file

    def wrong_profile(self, loc: Loc, problem: str, remedy: str) -> Mistake:
        """Return a mistake in the profile."""
        return self.profile_tree.mistake(loc, problem, remedy)


@dataclass(frozen=True, slots=True)
class Rule:
    """
    A check across sections. *needs* must be there at least in part, *whole* without a missing entry.

    Sections of the profile are written `profile.NAME`.
    """

    find: Callable[[View], Iterator[Mistake]]
    needs: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()


def unknown(what: str, name: str, known: Collection[str], place: str) -> tuple[str, str]:
    """Return problem and remedy for the name of something that is not there; *place* is where it could be added."""
    if not known:
        return f"names the unknown {what} {name!r}", f"add it under `{place}`, which is empty"
    return f"names the unknown {what} {name!r}", suggestion(name, known)


def _names(tree: Tree, section: str) -> list[str]:
    entries = tree.data.get(section)
    return list(entries) if isinstance(entries, Mapping) else []
