"""
The channels. Each is one file that speaks one protocol, and one line in `KINDS`.

A class is imported when a channel of its kind is built, so that a daemon loads only what it is configured to use.
"""

from __future__ import annotations

from importlib import import_module
from inspect import signature
from typing import Any, cast

from alerts.channels.base import Channel, DeliveryError
from critpath.errors import ConfigurationError

__all__ = ["KINDS", "Channel", "DeliveryError", "build"]

KINDS = {
    "alertmanager": "alerts.channels.alertmanager:Alertmanager",
    "log": "alerts.channels.log:Log",
    "webhook": "alerts.channels.webhook:Webhook",
}


def build(kind: str, name: str, **options: Any) -> Channel:
    """Return a channel of *kind* called *name*. Options are those of its class; unknown ones are an error."""
    if kind not in KINDS:
        raise ConfigurationError(f"channel {name}: no kind {kind!r}; there are {', '.join(sorted(KINDS))}")
    module, _, attribute = KINDS[kind].partition(":")
    make = getattr(import_module(module), attribute)
    try:
        signature(make).bind(name, **options)
    except TypeError as error:
        raise ConfigurationError(f"channel {name}, kind {kind}: {error}") from None
    return cast(Channel, make(name, **options))
