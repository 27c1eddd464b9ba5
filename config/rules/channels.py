"""Channels: someone is woken, and only once."""

from __future__ import annotations

from collections.abc import Iterator

from config.mistakes import Key, Mistake, dotted
from config.rules.view import View
from config.settings import AlertmanagerChannel, WebhookChannel

_PAGING = ("SEV-0", "SEV-1")


def someone_is_paged(view: View) -> Iterator[Mistake]:
    """In production a path that pages has a channel that reaches a person."""
    if view.settings.environment != "prod" or any(c.kind != "log" for c in view.settings.channels.values()):
        return
    urgent = [name for name, path in view.settings.paths.items() if path.severity in _PAGING]
    if urgent:
        severity = view.settings.paths[urgent[0]].severity
        problem = f"has nothing that can page, but a broken {urgent[0]} is a {severity}"
        yield view.wrong(("channels",), problem, "add a channel of kind alertmanager or webhook")


def each_address_once(view: View) -> Iterator[Mistake]:
    """No address is told the same thing twice."""
    first: dict[str, tuple[Key, ...]] = {}
    for loc, address in _addresses(view):
        other = first.setdefault(address, loc)
        if other != loc:
            problem = f"is the same address as {dotted(other)}, so each page would come twice"
            yield view.wrong(loc, problem, "remove one of them")


def _addresses(view: View) -> Iterator[tuple[tuple[Key, ...], str]]:
    for name, channel in view.settings.channels.items():
        if isinstance(channel, AlertmanagerChannel):
            for index, url in enumerate(channel.urls):
                yield ("channels", name, "urls", index), url.rstrip("/")
        elif isinstance(channel, WebhookChannel):
            url_or_reference = channel.url
            text = url_or_reference if isinstance(url_or_reference, str) else repr(url_or_reference)
            yield ("channels", name, "url"), text.rstrip("/")
