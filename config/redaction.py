"""Taking secrets out of text, in every form in which they travel."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus

REDACTED = "[redacted]"

_SHORT = 4
_LONG_LINE = 12


class Redactor:
    """
    The secrets that were handed out, and their removal from any text.

    Known forms: as it is; percent-encoded; as a JSON or HTML string; base64 and its URL-safe variant, alone or inside
    a longer text such as `user:password`; and each long line of a secret of several lines, such as a key.
    """

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        """Know *secret* from now on. An empty one is ignored."""
        forms = set(_forms(secret)) - self._forms
        if forms:
            self._forms |= forms
            longest_first = sorted(self._forms, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join(map(_expression, longest_first)))

    def redact(self, text: str) -> str:
        """Return *text* with every known secret replaced by `[redacted]`."""
        return self._pattern.sub(REDACTED, text) if self._pattern else text

    def finds(self, text: str) -> bool:
        """Whether *text* holds a known secret in any form."""
        return bool(self._pattern and self._pattern.search(text))


def _expression(form: str) -> str:
    # One or two letters stand in every text: they are taken out only where they stand alone.
    # Percent-encoding is the same in capitals and in small letters.
    escaped = re.sub("%[0-9A-Fa-f]{2}", lambda match: f"(?i:{match[0]})", re.escape(form))
    return escaped if len(form) >= _SHORT else rf"(?<!\w){escaped}(?!\w)"


def _forms(secret: str) -> Iterator[str]:
    if not secret.strip():
        return
    for text in {secret, *(line for line in secret.splitlines() if len(line) >= _LONG_LINE)}:
        yield text
        yield from (quote(text, safe=""), quote(text), quote_plus(text))
        yield json.dumps(text)[1:-1]
        yield json.dumps(text, ensure_ascii=False)[1:-1]
        yield html.escape(text)
        yield from _base64(text.encode(), b64encode)
        yield from _base64(text.encode(), urlsafe_b64encode)


def _base64(raw: bytes, encode: Callable[[bytes], bytes]) -> Iterator[str]:
    yield encode(raw).decode().rstrip("=")
    # What comes before shifts the whole encoding, and the letters at both edges also hold bits of the neighbours.
    for before in range(3):
        first = (before * 8 + 5) // 6
        last = (before + len(raw)) * 8 // 6
        inner = encode(bytes(before) + raw).decode()[first:last]
        if len(inner) >= _SHORT:
            yield inner
