"""From a file to a configuration: read, lay over the profile and under the environment, judge as a whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import reduce
from importlib.resources import files
from pathlib import Path
from typing import Any

from config.build import Built, build
from config.document import Origin, Tree, read
from config.environment import fit, overrides
from config.layers import overlay, part
from config.mistakes import Loc, Mistake, Mistakes
from config.nearest import suggestion
from config.profile import Profile
from config.settings import Settings

_LAID_OVER = ("paths", "checks", "limits")
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

    *environ* is `os.environ` unless given. *known_probe* tells whether there is a probe of that name; *probes* are the
    names to suggest when there is not.

    Raises:
        Mistakes: all that is wrong, in the file, in its profile and in the environment variables that override it.
    """
    written = read(file)
    variables = list(overrides(os.environ if environ is None else environ))
    wanted = reduce(overlay, variables, Tree({"target": written.data.get("target")}, written.origins))
    profile, refused = _read_profile(wanted, file)
    merged = _merge(profile.tree if profile else None, written, variables)
    settings = build(Settings, merged, _SETTINGS)
    mistakes = [*refused, *merged.mistakes, *settings.mistakes, *(profile.mistakes if profile else ())]
    if mistakes or profile is None:
        raise Mistakes(mistakes)
    return Configuration(settings.model, profile.model, file, merged.origins)


def builtin_targets() -> list[str]:
    """Return the names of the profiles that come with critpath."""
    folder = files("config") / "targets"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def _read_profile(settings: Tree, file: Path) -> tuple[Built[Profile] | None, list[Mistake]]:
    target = settings.data.get("target")
    if not isinstance(target, str) or not target:
        return None, []
    try:
        tree = read(_profile_file(target, file))
    except LookupError:
        remedy = suggestion(target, builtin_targets(), "write a path to a profile, such as ./profile.yaml, or one of")
        return None, [settings.mistake(("target",), f"names the unknown target {target!r}", remedy)]
    except Mistakes as exc:
        return None, list(exc.mistakes)
    return build(Profile, tree, _PROFILE), tree.mistakes


def _profile_file(target: str, file: Path) -> Path:
    if "/" in target or target.endswith((".yaml", ".yml")):
        return file.parent / Path(target).expanduser()
    if target not in builtin_targets():
        raise LookupError(target)
    return Path(str(files("config") / "targets" / f"{target}.yaml"))


def _merge(profile: Tree | None, written: Tree, variables: list[Tree]) -> Tree:
    if profile is None:
        layers: list[Tree] = [_without(written, *_LAID_OVER), *(_without(tree, *_LAID_OVER) for tree in variables)]
        base = Tree({"paths": {}, "checks": {}}, {(): layers[0].origins[()]})
    else:
        layers = [written, *variables]
        base = part(profile, *_LAID_OVER)
    merged = overlay(base, layers[0])
    for tree in layers[1:]:
        file = merged.origins[()]
        merged = overlay(merged, fit(tree, merged.data))
        merged.origins[()] = file
    return merged


def _without(tree: Tree, *sections: str) -> Tree:
    data: dict[str, Any] = {key: value for key, value in tree.data.items() if key not in sections}
    return Tree(data, {loc: origin for loc, origin in tree.origins.items() if not loc or loc[0] in data}, tree.mistakes)
