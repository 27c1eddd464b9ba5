"""The profile by itself: every name in it means something."""

from __future__ import annotations

from collections.abc import Iterator

from config.mistakes import Mistake
from config.rules.identities import named_in
from config.rules.view import View, unknown


def surfaces_of_operations(view: View) -> Iterator[Mistake]:
    """An operation speaks to a surface of the target."""
    known = view.profile_names("surfaces")
    for name, operation in view.profile.operations.items():
        if operation.graphql is None and operation.surface not in known:
            loc = ("operations", name, "surface")
            yield view.wrong_profile(loc, *unknown("surface", operation.surface, known, "surfaces"))
    graphql = view.profile.graphql.surface
    if graphql not in known and any(operation.graphql for operation in view.profile.operations.values()):
        yield view.wrong_profile(("graphql", "surface"), *unknown("surface", graphql, known, "surfaces"))
    web = view.profile.web.surface
    if web not in known and view.profile.web.routes:
        yield view.wrong_profile(("web", "surface"), *unknown("surface", web, known, "surfaces"))


def session_rules(view: View) -> Iterator[Mistake]:
    """The operations that make, renew and end a session exist, and give what a session needs."""
    session = view.profile.session
    if session is None:
        return
    known = view.profile_names("operations")
    for key, name in (("login", session.login), ("refresh", session.refresh), ("logout", session.logout)):
        if name is not None and name not in known:
            yield view.wrong_profile(("session", key), *unknown("operation", name, known, "operations"))
    reads = {"login": ["token"], "refresh": ["token"]}
    if session.refresh is not None:
        reads["login"].append("refresh_token")
    for key, name in (("login", session.login), ("refresh", session.refresh)):
        operation = view.profile.operations.get(name or "")
        for word in reads[key] if operation else ():
            if operation and word not in operation.read:
                problem = f"does not read {word!r}, which a session needs"
                yield view.wrong_profile(("operations", name or "", "read"), problem, f"add `{word}: JMESPATH`")


def operations_of_checks(view: View) -> Iterator[Mistake]:
    """An operation that a check is told to use exists."""
    known = view.profile_names("operations")
    for name, check in view.running.items():
        for loc, operation in named_in(check.params, "operation", "operations"):
            if operation not in known:
                yield view.wrong(("checks", name, *loc), *unknown("operation", str(operation), known, "operations"))


def surfaces_of_checks(view: View) -> Iterator[Mistake]:
    """A surface that a check says it needs is one of the target's."""
    known = view.profile_names("surfaces")
    for name, check in view.settings.checks.items():
        for index, surface in enumerate(check.surfaces):
            if surface not in known:
                loc = ("checks", name, "surfaces", index)
                yield view.wrong(loc, *unknown("surface", surface, known, "surfaces"))
