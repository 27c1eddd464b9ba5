"""Known secrets are taken out of any text, in every form in which they travel."""

from __future__ import annotations

import html
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config import REDACTED, Redactor

_FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda secret: quote(secret, safe=""),
    "percent, small letters": lambda secret: quote(secret, safe="").replace("%2F", "%2f").replace("%3D", "%3d"),
    "path": quote,
    "form": lambda secret: urlencode({"password": secret}),
    "plus": quote_plus,
    "json": lambda secret: json.dumps({"password": secret}),
    "json, as letters": lambda secret: json.dumps({"password": secret}, ensure_ascii=False),
    "html": lambda secret: f"<p>{html.escape(secret)}</p>",
    "base64": lambda secret: b64encode(secret.encode()).decode(),
    "base64, URL-safe": lambda secret: urlsafe_b64encode(secret.encode()).decode().rstrip("="),
}


@pytest.mark.parametrize("form", _FORMS)
@pytest.mark.parametrize("secret", ["correct-horse", 'q"u/o\\t&e<d>=', "pass word+1%", "Straße?ÿ~>>", "a\tb\x07cd"])
def test_no_form_of_a_secret_stays(form: str, secret: str) -> None:
    """The text before and after it does."""
    redactor = Redactor()
    redactor.add(secret)
    text = _FORMS[form](secret)
    cleaned = redactor.redact(f"before {text} after")
    assert redactor.finds(text)
    assert REDACTED in cleaned
    assert text.strip('<p>/={} "') not in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")


@settings(max_examples=50, deadline=None)
@given(user=st.text("abcdefg:@.", max_size=9), secret=st.text(min_size=8, max_size=40), tail=st.text("xyz", max_size=4))
def test_a_secret_inside_longer_base64_does_not_stay(user: str, secret: str, tail: str) -> None:
    """Basic authentication encodes `user:password` as one text, at any of three shifts."""
    redactor = Redactor()
    redactor.add(secret)
    encoded = b64encode(f"{user}{secret}{tail}".encode()).decode()
    assert not secret.strip() or REDACTED in redactor.redact(encoded)


def test_each_long_line_of_a_key_is_a_secret() -> None:
    """A log may show one line of it."""
    redactor = Redactor()
    redactor.add("-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG\n-----END KEY-----")
    assert redactor.redact("bad line: MIIEvQIBADANBgkq") == f"bad line: {REDACTED}"


def test_the_longest_secret_goes_first() -> None:
    """A secret that begins like another leaves no rest behind."""
    redactor = Redactor()
    redactor.add("correct")
    redactor.add("correct-horse")
    assert redactor.redact("correct-horse correct") == f"{REDACTED} {REDACTED}"


def test_a_very_short_secret_is_taken_out_where_it_stands_alone() -> None:
    """It would otherwise tear every word apart."""
    redactor = Redactor()
    redactor.add("abc")
    assert redactor.redact("password=abc, abcd") == f"password={REDACTED}, abcd"


def test_an_empty_secret_is_ignored() -> None:
    """Nothing stands everywhere."""
    redactor = Redactor()
    redactor.add("")
    redactor.add(" \n")
    assert redactor.redact("a b") == "a b"
    assert not redactor.finds("a b")
