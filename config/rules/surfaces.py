"""Surfaces: which there are, which are needed, and that they belong to the environment that is watched."""

from __future__ import annotations

import re
from collections.abc import Iterator

from config.addresses import host_of, is_loopback
from config.mistakes import Mistake
from config.profile import CheckSettings, Environment, Profile
from config.rules.identities import named_in, used, users
from config.rules.view import View, unknown

_FOREIGN: dict[Environment, tuple[str, ...]] = {
    "prod": ("dev", "development", "lab", "labs", "stage", "staging"),
    "labs": ("prod", "production"),
    "dev": ("prod", "production"),
}


def surfaces_are_known(view: View) -> Iterator[Mistake]:
    """The target has every surface that the file names."""
    known = view.profile_names("surfaces")
    for name in view.settings.surfaces:
        if name not in known:
            remedy = unknown("surface", name, known, "surfaces")[1]
            yield view.wrong(("surfaces", name), "is not a surface of the target", remedy)


def surfaces_suffice(view: View) -> Iterator[Mistake]:
    """The file names every surface that an enabled check needs."""
    needed: dict[str, list[str]] = {}
    for name, check in view.running.items():
        for surface in sorted(surfaces_of(check, view.profile)):
            needed.setdefault(surface, []).append(name)
    given, known = view.names("surfaces"), view.profile_names("surfaces")
    for surface, checks in needed.items():
        if surface in known and surface not in given:
            problem = f"lacks {surface!r}, which {users(checks)}"
            remedy = f"add `{surface}: https://…`, or write `enabled: false` under what needs it"
            yield view.wrong(("surfaces",), problem, remedy)


def surfaces_of(check: CheckSettings, profile: Profile) -> set[str]:
    """Return the surfaces that a check is known to need: those it says, and those of what it uses."""
    operations = [name for _, name in named_in(check.params, "operation", "operations")]
    if profile.session is not None and next(used(check), None):
        operations.append(profile.session.login)
    found = [profile.operations[name] for name in operations if isinstance(name, str) and name in profile.operations]
    return {
        *check.surfaces,
        *([profile.web.surface] if check.browser else []),
        *(profile.graphql.surface if operation.graphql else operation.surface for operation in found),
    }


def prod_is_encrypted(view: View) -> Iterator[Mistake]:
    """In production every surface is https, except on this machine."""
    for name, url in view.settings.surfaces.items():
        if view.settings.environment == "prod" and url.startswith("http:") and not is_loopback(host_of(url)):
            yield view.wrong(("surfaces", name), "is http, but prod demands https", "write https://")


def fence(view: View) -> Iterator[Mistake]:
    """No surface is a host of another environment."""
    here = view.settings.environment
    for name, url in view.settings.surfaces.items():
        host = host_of(url)
        claims = [(len(_bare(entry)), env, entry) for env, entry in _entries(view) if _owns(entry, host)]
        if claims:
            _, owner, entry = max(claims)
            if owner != here:
                problem = f"is {host}, which belongs to {owner} (hosts.{owner} has {entry}), but this is {here}"
                yield view.wrong(("surfaces", name), problem, f"name the host of {here}")
        elif word := _foreign_word(host, here):
            problem = f"is {host}, which has the word {word!r} in it, but this is {here}"
            remedy = f"name the host of {here}, or list this one as `hosts: {{{here}: [{host}]}}`"
            yield view.wrong(("surfaces", name), problem, remedy)


def hosts_have_one_owner(view: View) -> Iterator[Mistake]:
    """No host is listed for two environments."""
    owners: dict[str, Environment] = {}
    for env, entries in view.settings.hosts.items():
        for index, entry in enumerate(entries):
            owner = owners.setdefault(_bare(entry), env)
            if owner != env:
                yield view.wrong(("hosts", env, index), f"is listed under {owner} too", "keep it under one environment")


def _entries(view: View) -> Iterator[tuple[Environment, str]]:
    for env, entries in view.settings.hosts.items():
        yield from ((env, entry) for entry in entries)


def _bare(entry: str) -> str:
    return entry.lower().removeprefix("*").strip(".")


def _owns(entry: str, host: str) -> bool:
    return host == _bare(entry) or host.endswith(f".{_bare(entry)}")


def _foreign_word(host: str, here: Environment) -> str:
    words = [] if is_loopback(host) else re.split(r"[.-]", host)
    return next((word for word in words if word in _FOREIGN[here]), "")
