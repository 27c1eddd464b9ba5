"""A check made ready: its settings, its probe, and an attempt of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ulid import ULID

from config import CheckSettings, Configuration
from critpath import Clock, Context, Probe, ProbeError, Reason, Result, RunClass, run_probe
from probes.registry import find
from probes.toolbox import Workshop


@dataclass(frozen=True, slots=True)
class Check:
    """A probe configured, and the probe."""

    name: str
    settings: CheckSettings
    probe: Probe


def load_checks(configuration: Configuration) -> dict[str, Check]:
    """
    Return the enabled checks by name.

    Raises:
        ConfigurationError: a probe cannot be loaded.
    """
    folder = configuration.file.resolve().parent
    return {
        name: Check(name, settings, find(settings.probe, folder))
        for name, settings in configuration.settings.checks.items()
        if settings.enabled
    }


def required_checks(checks: Mapping[str, Check], paths: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return for each path the checks that it stands or falls with."""
    return {path: [c.name for c in checks.values() if c.settings.path == path and c.settings.required] for path in paths}


class Fixture(dict[str, Any]):
    """The known records of the target. One that is asked for and not declared is a gap in the configuration."""

    def __missing__(self, key: str) -> Any:
        raise ProbeError(Reason.CONFIGURATION, f"the configuration declares no fixture.{key}")


class Attempts:
    """Makes attempts of checks: a context of its own for each, with the tools of the workshop."""

    def __init__(self, workshop: Workshop, clock: Clock) -> None:
        self._workshop = workshop
        self._clock = clock
        self._fixture = Fixture(workshop.configuration.settings.fixture)
        self._facts = facts_of(workshop.configuration)

    async def attempt(self, check: Check, run_id: str, run_class: RunClass, number: int) -> Result:
        """Make attempt *number* of a run and return what came of it."""
        asked = RunClass.CONFIRM if run_class is RunClass.SCHEDULED and number > 1 else run_class
        ctx = Context(
            check=check.name,
            path=check.settings.path,
            deadline=check.settings.timeout,
            run_id=run_id,
            run_class=asked,
            attempt=number,
            slow_after=check.settings.slow_after,
            params=check.settings.params,
            fixture=self._fixture,
            facts=self._facts,
            clock=self._clock,
            trace_id=uuid.uuid4().hex,
        )
        if check.settings.browser:
            await self._workshop.browsers.warm_up()
        self._workshop.equip(ctx)
        return await run_probe(check.probe, ctx)


def facts_of(configuration: Configuration) -> dict[str, Any]:
    """Return what a probe may know of the target besides its operations."""
    settings, profile = configuration.settings, configuration.profile
    evidence = profile.evidence
    known = {"header": evidence.header, "values": evidence.values.get(settings.environment, ())} if evidence else None
    return {
        **profile.facts,
        "tenant": settings.tenant,
        "environment": settings.environment,
        "environment_evidence": known,
        "mock_ids": profile.mocks.ids,
    }


def new_run_id() -> str:
    """Return a sortable id."""
    return str(ULID())
