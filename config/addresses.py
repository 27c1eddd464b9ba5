"""Addresses in a configuration: of surfaces, of channels, of the store, and our own."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Discriminator, Field, Tag

from config.values import SecretReference

_LAST_PORT = 65535
_STORES = ("sqlite", "postgresql")


def host_of(url: str) -> str:
    """Return the host of an address that is known to be right, in small letters."""
    return (urlsplit(url).hostname or "").rstrip(".")


def is_loopback(host: str) -> bool:
    """Whether *host* can only be this machine: 127.0.0.0/8, ::1 or localhost."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _split(url: str) -> SplitResult:
    """Return the parts of *url*. What is wrong with it is said without showing it: it may hold a password."""
    try:
        parts = urlsplit(url)
        if re.search(r"\s", url) or parts.port == 0:
            raise ValueError
    except ValueError:
        raise ValueError("is not a URL; write one such as https://api.example.org") from None
    return parts


def _web_address(url: str) -> str:
    parts = _split(url)
    if parts.scheme not in ("http", "https"):
        raise ValueError("does not begin with https:// or http://; write a URL such as https://api.example.org")
    if not parts.hostname:
        raise ValueError("has no host; write a URL such as https://api.example.org")
    if parts.username is not None or parts.password is not None:
        raise ValueError("has a user or a password inside; remove what stands between // and @")
    return url


def _base_address(url: str) -> str:
    parts = urlsplit(_web_address(url))
    if parts.query or parts.fragment:
        raise ValueError("has a ? or a #; write only the part that all routes share, such as https://api.example.org")
    return url


def _store_address(url: str) -> str:
    parts = _split(url)
    if parts.scheme not in _STORES:
        raise ValueError("is not a store that we know; write sqlite:///FILE or postgresql://USER@HOST/DATABASE")
    if parts.password is not None:
        raise ValueError("has a password inside; remove it there and write `password: {env: NAME}` beside url")
    if parts.scheme == "sqlite" and (parts.netloc or len(parts.path) < len("/f")):
        raise ValueError("names no file; write sqlite:///FILE, or sqlite:////FOLDER/FILE for an absolute path")
    if parts.scheme == "postgresql" and len(parts.path) < len("/d"):
        raise ValueError("names no database; write postgresql://USER@HOST/DATABASE")
    return url


def _listen_address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or (":" in host and not re.fullmatch(r"\[[0-9a-fA-F:.]+\]", host)):
        raise ValueError("is not an address with a port; write HOST:PORT, such as 127.0.0.1:9808 or [::1]:9808")
    if int(port) > _LAST_PORT:
        raise ValueError("has a port beyond 65535; write for example 127.0.0.1:9808")
    return text


def _kind(value: Any) -> str:
    return "reference" if isinstance(value, (dict, SecretReference)) else "text"


BaseUrl = Annotated[str, AfterValidator(_base_address)]
"""Where a surface of the target is: http or https, a host, nothing secret, no query."""

Url = Annotated[str, AfterValidator(_web_address)]
"""An http or https address with nothing secret in it."""

SecretUrl = Annotated[Annotated[Url, Tag("text")] | Annotated[SecretReference, Tag("reference")], Discriminator(_kind)]
"""An address, or where one is kept that is a secret as a whole."""

StoreUrl = Annotated[str, AfterValidator(_store_address)]
"""`sqlite:///FILE` or `postgresql://USER@HOST/DATABASE`, without the password."""

Listen = Annotated[str, AfterValidator(_listen_address), Field(examples=["127.0.0.1:9808"])]
"""`HOST:PORT`; port 0 lets the system choose."""
