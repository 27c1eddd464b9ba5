"""Every rule, with what it needs to see; and their application."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from config.mistakes import Mistake
from config.rules import channels, identities, paths, surfaces, target, timing
from config.rules.view import Rule, View

RULES = (
    Rule(timing.times_fit, ("checks",)),
    Rule(timing.probe_is_known, ("checks",)),
    Rule(timing.writing_is_allowed, ("checks",), ("environment", "writes", "profile.evidence")),
    Rule(paths.names_of_paths, ("checks", "paths")),
    Rule(paths.no_cycle, ("paths",)),
    Rule(paths.deployables_are_known, ("paths", "profile.deployables")),
    Rule(paths.something_is_watched, (), ("checks", "paths")),
    Rule(identities.identities_exist, ("checks", "identities")),
    Rule(identities.accounts_are_apart, ("identities",)),
    Rule(identities.sessions_can_be_made, ("checks",), ("profile.session",)),
    Rule(surfaces.surfaces_are_known, ("surfaces", "profile.surfaces")),
    Rule(
        surfaces.surfaces_suffice,
        ("checks", "surfaces", "profile.surfaces"),
        ("profile.session", "profile.web", "profile.graphql"),
    ),
    Rule(surfaces.prod_is_encrypted, ("surfaces",), ("environment",)),
    Rule(surfaces.fence, ("surfaces",), ("environment", "hosts")),
    Rule(surfaces.hosts_have_one_owner, ("hosts",)),
    Rule(channels.someone_is_paged, ("paths",), ("environment", "channels")),
    Rule(channels.each_address_once, ("channels",)),
    Rule(target.surfaces_of_operations, ("profile.operations", "profile.surfaces"), ("profile.web", "profile.graphql")),
    Rule(target.session_rules, ("profile.operations",), ("profile.session",)),
    Rule(target.operations_of_checks, ("checks", "profile.operations")),
    Rule(target.surfaces_of_checks, ("checks", "profile.surfaces")),
)


def judge(view: View, absent: AbstractSet[str], partial: AbstractSet[str]) -> Iterator[Mistake]:
    """Return what breaks a rule. Sections in *absent* or *partial* hold stand-ins; rules on them are passed over."""
    for rule in RULES:
        known = absent.isdisjoint({*rule.needs, *rule.whole}) and partial.isdisjoint(rule.whole)
        yield from rule.find(view) if known else ()
