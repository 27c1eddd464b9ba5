"""Which probes there are: ours, those of installed plug-ins, and an operator's own files."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from critpath import ConfigurationError, Probe

BUILTIN = {
    "auth.login": "probes.auth.login:probe",
    "auth.refresh": "probes.auth.refresh:probe",
    "auth.permissions": "probes.auth.permissions:probe",
    "auth.sign_in_page": "probes.auth.sign_in_page:probe",
    "investigation.search": "probes.investigation.search:probe",
    "investigation.entity": "probes.investigation.entity:probe",
    "investigation.expand": "probes.investigation.expand:probe",
    "ingestion.roundtrip": "probes.ingestion.roundtrip:probe",
    "audit.roundtrip": "probes.audit.roundtrip:probe",
    "deployables.http": "probes.deployables.http:probe",
}
"""Our probes: name → module and function, imported on first use."""

GROUP = "critpath.probes"
"""The entry point group of third-party probes."""


def names() -> list[str]:
    """Return every probe name that a configuration may use, besides files."""
    return sorted({*BUILTIN, *(point.name for point in entry_points(group=GROUP))})


def is_file(name: str) -> bool:
    """Whether a probe's name means a file of the operator's."""
    return name.partition(":")[0].endswith(".py")


def find(name: str, folder: Path) -> Probe:
    """
    Return the probe called *name*; a file is looked for from *folder*, as `FILE.py` or `FILE.py:function`.

    Raises:
        ConfigurationError: there is none, or it is not an `async def`.
    """
    if is_file(name):
        return _from_file(name, folder)
    if name in BUILTIN:
        module, _, function = BUILTIN[name].partition(":")
        return _checked(getattr(importlib.import_module(module), function), name)
    for point in entry_points(group=GROUP):
        if point.name == name:
            return _checked(_loaded(point), name)
    raise ConfigurationError(f"there is no probe {name!r}; there are {', '.join(names())}, and files such as ./mine.py")


def _from_file(name: str, folder: Path) -> Probe:
    text, _, function = name.partition(":")
    path = (folder / text).resolve()
    # A private name: the file may be called like a package of ours, or like another probe's file.
    module_name = f"_critpath_probe_{abs(hash(path))}_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ConfigurationError(f"probe file {path} does not exist")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as exc:
        del sys.modules[module_name]
        raise ConfigurationError(f"probe file {path} cannot be loaded: {type(exc).__name__}: {exc}") from exc
    found = getattr(module, function or "probe", None)
    if found is None:
        raise ConfigurationError(f"probe file {path} has no function {function or 'probe'!r}")
    return _checked(found, name)


def _loaded(point: EntryPoint) -> Any:
    try:
        return point.load()
    except Exception as exc:
        raise ConfigurationError(f"probe {point.name!r} ({point.value}) cannot be loaded: {type(exc).__name__}: {exc}") from exc


def _checked(found: Any, name: str) -> Probe:
    if not inspect.iscoroutinefunction(found):
        raise ConfigurationError(f"probe {name!r} is not an `async def` that takes a Context")
    return found  # type: ignore[no-any-return]
