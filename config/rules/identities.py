"""Identities: the accounts that checks use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from config.mistakes import Key, Mistake, listed
from config.profile import CheckSettings
from config.rules.view import View, unknown

ANONYMOUS = "anonymous"


def named_in(params: Mapping[str, Any], word: str, plural: str) -> Iterator[tuple[tuple[Key, ...], Any]]:
    """Return what a check's parameters name under *word*, *plural* and keys that end in `_word`, with its place."""
    for key, value in params.items():
        if key == word or key.endswith(f"_{word}"):
            yield ("params", key), value
        elif key == plural and isinstance(value, (list, tuple)):
            yield from ((("params", key, index), name) for index, name in enumerate(value))
        elif key == plural:
            yield ("params", key), value


def used(check: CheckSettings) -> Iterator[tuple[tuple[Key, ...], Any]]:
    """Return the identities that a check uses, with the place that says so."""
    yield from named_in(check.params, "identity", "identities")
    yield from ((("logins", name), name) for name in check.logins)


def identities_exist(view: View) -> Iterator[Mistake]:
    """An enabled check uses only identities of the configuration, or nobody's."""
    known = view.names("identities")
    wanted: dict[str, list[str]] = {}
    for name, check in view.running.items():
        for loc, identity in used(check):
            place = ("checks", name, *loc)
            if not isinstance(identity, str):
                yield view.wrong(place, "is not the name of an identity", "write a name from `identities`")
            elif identity in (*known, ANONYMOUS):
                continue
            elif view.of_profile(place):
                wanted.setdefault(identity, []).append(name)
            else:
                yield view.wrong(place, *unknown("identity", identity, known, "identities"))
    for identity, checks in wanted.items():
        problem = f"lacks {identity!r}, which {users(checks)}"
        example = f"`{identity}: {{username: …, password: {{env: NAME}}}}`"
        remedy = f"add {example}, or write `enabled: false` under what needs it"
        yield view.wrong(("identities",), problem, remedy)


def users(checks: list[str]) -> str:
    """Return who needs something, in words."""
    names = list(dict.fromkeys(checks))
    return f"check {names[0]} needs" if len(names) == 1 else f"checks {listed(names, 'and')} need"


def accounts_are_apart(view: View) -> Iterator[Mistake]:
    """No two identities share an account: the logout of one would end the session of the other."""
    first: dict[str, str] = {}
    for name, identity in view.settings.identities.items():
        loc = ("identities", name, "username")
        if name == ANONYMOUS:
            problem = "is the name that probes give to nobody"
            yield view.wrong(("identities", name), problem, "give the identity another name")
        if not identity.username.strip():
            yield view.wrong(loc, "is empty", "write the account's name")
            continue
        owner = first.setdefault(identity.username.strip().casefold(), name)
        if owner != name:
            problem = f"is the account of {owner!r} too, and a logout or refresh of one ends the session of the other"
            yield view.wrong(loc, problem, "give each identity an account of its own")


def sessions_can_be_made(view: View) -> Iterator[Mistake]:
    """Where a check uses an identity, the profile says how to log in."""
    if view.profile.session is None and any(next(used(check), None) for check in view.running.values()):
        problem = "is missing, but checks use identities"
        yield view.wrong_profile(("session",), problem, "add it with the operations that log in and refresh")
