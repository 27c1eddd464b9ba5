"""From a file to a configuration: read, lay over the profile and under the environment, judge as a whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from importlib.resources import files
from pathlib import Path

from config.build import Built, build
from config.document import Origin, Tree, read
from config.environment import overrides, secret_variables
from config.layers import overlay
from config.merge import merge
from config.mistakes import Loc, Mistake, Mistakes
from config.nearest import suggestion
from config.profile import Profile
from config.rules import View, judge
from config.settings import Settings

_SETTINGS = {"environment": "dev", "target": "none", "tenant": "none", "surfaces": {}, "paths": {}, "checks": {}}
_PROFILE = {"name": "none", "title": "none", "surfaces": {}, "operations": {}, "paths": {}, "checks": {}}


@dataclass(frozen=True, slots=True)
class Configuration:
    """All that one daemon is told. *file* is where it came from; *origins* says of each key where it was written."""

    settings: Settings
    profile: Profile
    file: Path
    origins: Mapping[Loc, Origin] = field(default_factory=dict, repr=False)

    def resolve(self, relative: str) -> Path:
        """Return a path of the configuration: relative ones start from the folder of its file."""
        return self.file.parent / Path(relative).expanduser()


def load(
    file: Path,
    *,
    environ: Mapping[str, str] | None = None,
    known_probe: Callable[[str], bool] | None = None,
    probes: Collection[str] = (),
) -> Configuration:
    """
    Return the configuration that *file* holds.

    *environ* is `os.environ` unless given. *known_probe* tells whether there is a probe of that name, and everything is
    one unless it is given; *probes* are the names to suggest when there is none.

    Raises:
        Mistakes: all that is wrong, in the file, in its profile and in the environment variables that override it.
    """
    written = read(file)
    variables = list(overrides(os.environ if environ is None else environ, spared=set(secret_variables(written.data))))
    profile = _read_profile(reduce(overlay, variables, written), file)
    tree = merge(profile.tree if profile.tree.data else None, written, variables)
    settings = build(Settings, tree, _SETTINGS)
    settings.model = _watched(settings.model)
    view = View(settings.model, profile.model, tree, profile.tree, file.parent, known_probe or bool, probes)
    broken = judge(view, settings.absent | _of_profile(profile.absent), settings.partial | _of_profile(profile.partial))
    mistakes = [*tree.mistakes, *settings.mistakes, *profile.mistakes, *broken]
    if mistakes:
        raise Mistakes(_in_order(mistakes, str(file)))
    return Configuration(settings.model, profile.model, file, tree.origins)


def builtin_targets() -> list[str]:
    """Return the names of the profiles that come with critpath."""
    folder = files("config") / "targets"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def _read_profile(settings: Tree, file: Path) -> Built[Profile]:
    """Return the profile; where it cannot be read, one of which everything is absent."""
    target = settings.data.get("target")
    if not isinstance(target, str) or not target.strip():
        return _no_profile(())
    place = _profile_file(target, file)
    if place is None:
        remedy = suggestion(target, builtin_targets(), "write the path of a profile, such as ./profile.yaml, or")
        return _no_profile([settings.mistake(("target",), f"names the unknown target {target!r}", remedy)])
    if not place.exists():
        remedy = "write its path as seen from the folder of the configuration"
        return _no_profile([settings.mistake(("target",), f"names the file {target}, which does not exist", remedy)])
    try:
        tree = read(place)
    except Mistakes as exc:
        return _no_profile(exc.mistakes)
    built = build(Profile, tree, _PROFILE)
    built.mistakes += tree.mistakes
    return built


def _no_profile(mistakes: Iterable[Mistake]) -> Built[Profile]:
    model = Profile.model_validate(_PROFILE)
    return Built(model, Tree({}, {(): Origin("")}), list(mistakes), {*Profile.model_fields, "itself"})


def _profile_file(target: str, file: Path) -> Path | None:
    if "/" in target or target.endswith((".yaml", ".yml")):
        return file.parent / Path(target).expanduser()
    return Path(str(files("config") / "targets" / f"{target}.yaml")) if target in builtin_targets() else None


def _of_profile(sections: Iterable[str]) -> set[str]:
    found = {f"profile.{section}" for section in sections}
    return found | {"checks", "paths"} if "profile.itself" in found else found


def _watched(settings: Settings) -> Settings:
    """Return *settings* without the paths that are switched off, and without their checks."""
    idle = {name for name, path in settings.paths.items() if not path.enabled}
    if not idle:
        return settings
    kept = {name: path for name, path in settings.paths.items() if name not in idle}
    paths = {
        name: path.model_copy(update={"requires": tuple(parent for parent in path.requires if parent not in idle)})
        for name, path in kept.items()
    }
    checks = {name: check for name, check in settings.checks.items() if check.path not in idle}
    return settings.model_copy(update={"paths": paths, "checks": checks})


def _in_order(mistakes: Iterable[Mistake], file: str) -> list[Mistake]:
    """Sort by line: the operator's own file first, then the profile, then environment variables."""
    return sorted(mistakes, key=lambda m: (m.line is None and m.file != file, m.file != file, m.file, m.line or 0))
