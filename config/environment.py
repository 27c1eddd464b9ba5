"""Environment variables `CRITPATH_SECTION__KEY` that override the file, read by pydantic-settings one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import Any

from pydantic_settings import EnvSettingsSource, SettingsError

from config.document import Origin, Tree
from config.mistakes import Loc, Mistake
from config.nearest import suggestion
from config.settings import Settings

_PREFIX = "CRITPATH_"
_BETWEEN = "__"


def overrides(environ: Mapping[str, str], spared: AbstractSet[str] = frozenset()) -> Iterator[Tree]:
    """
    Return one tree for each variable that overrides something, in the order of their names.

    Variables that begin with `CRITPATH_` and name no key are someone else's, unless they have a `__`: then they were
    meant for us and are a mistake. Those in *spared* are secrets, and nothing else.
    """
    for variable in sorted(name for name in environ if name.upper().startswith(_PREFIX) and name not in spared):
        section = variable.lower()[len(_PREFIX) :].partition(_BETWEEN)[0]
        if section in Settings.model_fields:
            yield _read(variable, environ[variable])
        elif _BETWEEN in variable[len(_PREFIX) :]:
            yield _unknown(variable, section)


def secret_variables(data: Any) -> Iterator[str]:
    """Return the variables that *data* names as `{env: NAME}`."""
    for key, value in data.items() if isinstance(data, dict) else ():
        if key == "env" and isinstance(value, str):
            yield value
        yield from secret_variables(value)


def fit(tree: Tree, under: Mapping[str, Any]) -> Tree:
    """Return *tree* with keys spelled as in *under*: a variable cannot say `auth-login` or `Operator`."""
    names: dict[Loc, Loc] = {(): ()}
    origin = tree.origins[()]
    data = _respell(tree.data, under, (), names)
    return Tree(data, dict.fromkeys(names.values(), origin), tree.mistakes)


def _respell(data: Mapping[str, Any], under: Any, loc: Loc, names: dict[Loc, Loc]) -> dict[str, Any]:
    known = {_plain(key): key for key in under} if isinstance(under, Mapping) else {}
    result = {}
    for name, value in data.items():
        key = known.get(_plain(name), name)
        names[(*loc, name)] = (*loc, key)
        below = under.get(key) if isinstance(under, Mapping) else None
        result[key] = _respell(value, below, (*loc, key), names) if isinstance(value, Mapping) else _leaf(value)
    return result


def _leaf(value: Any) -> Any:
    # pydantic-settings decodes JSON for a whole section, but not for a list or a section inside a named entry.
    if isinstance(value, str) and value.startswith(("[", "{")):
        with suppress(ValueError):
            return json.loads(value)
    return value


def _plain(key: str) -> str:
    return key.casefold().replace("-", "_")


def _read(variable: str, value: str) -> Tree:
    source = EnvSettingsSource(Settings)
    source.env_vars = {variable.lower(): value}
    origins: dict[Loc, Origin] = {(): Origin(variable)}
    try:
        return fit(Tree(source(), origins), {})
    except SettingsError:
        problem = "is not a value that this key can take as a whole"
        remedy = f"write JSON, or one key of it as {variable}{_BETWEEN}KEY"
        return Tree({}, origins, [Mistake(variable, None, "", problem, remedy)])


def _unknown(variable: str, section: str) -> Tree:
    sections = sorted(Settings.model_fields)
    remedy = suggestion(section, sections, "the keys at the top are")
    origins: dict[Loc, Origin] = {(): Origin(variable)}
    return Tree({}, origins, [Mistake(variable, None, "", f"names the unknown key {section!r}", remedy)])
