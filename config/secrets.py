"""Secrets are named in the configuration and read at the moment of use: a rotated file counts at once."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from config.document import Origin
from config.load import Configuration
from config.mistakes import Loc, Mistake, dotted
from config.redaction import Redactor
from config.values import SecretReference
from critpath import CritpathError

known_secrets = Redactor()
"""Every secret that this process has read. Whatever leaves the process goes through it."""


class SecretMissing(CritpathError):
    """A secret is not where the configuration says. Becomes `error(secret)`; names the place, never a value."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}; {remedy}")
        self.problem = problem
        self.remedy = remedy


def read_secret(
    reference: SecretReference,
    folder: Path,
    environ: Mapping[str, str] | None = None,
    redactor: Redactor = known_secrets,
) -> SecretStr:
    """
    Return a secret, read anew, without the line break at its end; *redactor* knows it from then on.

    Relative files start from *folder*, the one of the configuration file. *environ* is `os.environ` unless given.

    Raises:
        SecretMissing: there is no such variable or file, it cannot be read, or it is empty.
    """
    if reference.env is not None:
        value = _from_variable(reference.env, os.environ if environ is None else environ)
    else:
        value = _from_file(folder / Path(reference.file or "").expanduser())
    redactor.add(value)
    return SecretStr(value)


def secrets_of(configuration: Configuration) -> Iterator[tuple[Loc, SecretReference]]:
    """Return every secret that the configuration names, with its place."""
    return _references(configuration.settings, ())


def missing_secrets(configuration: Configuration, environ: Mapping[str, str] | None = None) -> list[Mistake]:
    """Return a mistake for each secret that cannot be read now. The configuration itself may be right all the same."""
    found = []
    for loc, reference in secrets_of(configuration):
        try:
            read_secret(reference, configuration.file.parent, environ)
        except SecretMissing as exc:
            origin = _origin(configuration, loc)
            found.append(Mistake(origin.file, origin.line, dotted(loc), exc.problem, exc.remedy))
    return found


def exposed_files(configuration: Configuration) -> list[Path]:
    """Return the secret files that every user of the machine may read. In production that deserves a warning."""
    named = {configuration.resolve(ref.file) for _, ref in secrets_of(configuration) if ref.file is not None}
    return sorted(file for file in named if file.is_file() and file.stat().st_mode & stat.S_IROTH)


def _from_variable(name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name, "").rstrip("\r\n")
    if value.strip():
        return value
    problem = f"environment variable {name} is {'empty' if name in environ else 'not set'}"
    raise SecretMissing(problem, "set it where the daemon is started")


def _from_file(file: Path) -> str:
    try:
        value = file.read_text("utf-8").rstrip("\r\n")
    except FileNotFoundError:
        raise SecretMissing(f"secret file {file} does not exist", "make it, with only the secret in it") from None
    except UnicodeDecodeError:
        raise SecretMissing(f"secret file {file} is not text in UTF-8", "write the secret as text") from None
    except (OSError, ValueError) as exc:
        said = (getattr(exc, "strerror", None) or "not the name of a file").lower()
        raise SecretMissing(f"secret file {file} cannot be read ({said})", "let the daemon's user read it") from None
    if not value.strip():
        raise SecretMissing(f"secret file {file} is empty", "write nothing but the secret into it")
    return value


def _references(value: Any, loc: Loc) -> Iterator[tuple[Loc, SecretReference]]:
    if isinstance(value, SecretReference):
        yield loc, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _references(getattr(value, name), (*loc, name))
    elif isinstance(value, Mapping):
        for name, entry in value.items():
            yield from _references(entry, (*loc, name))


def _origin(configuration: Configuration, loc: Loc) -> Origin:
    origins = configuration.origins
    known = (origins[loc[:size]] for size in range(len(loc), -1, -1) if loc[:size] in origins)
    return next(known, Origin(str(configuration.file)))
