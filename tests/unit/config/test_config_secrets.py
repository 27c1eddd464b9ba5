"""Secrets are read when they are used, known from then on, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import (
    Configuration,
    Redactor,
    SecretMissing,
    SecretReference,
    exposed_files,
    load,
    missing_secrets,
    read_secret,
)
from critpath import CritpathError

_PROFILE = Path(__file__).parents[2] / "bad_config" / "profiles" / "small.yaml"
_TEXT = f"""\
environment: dev
target: {_PROFILE}
tenant: synthetic
surfaces: {{api: http://127.0.0.1:8000}}
identities:
  probe: {{username: probe, password: {{file: secrets/probe}}}}
web: {{token: {{env: WEB_TOKEN}}}}
channels:
  hook: {{kind: webhook, url: {{env: HOOK_URL}}, secret: {{env: HOOK_SECRET}}}}
"""


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    """Return one that names four secrets."""
    file = tmp_path / "critpath.yaml"
    file.write_text(_TEXT, "utf-8")
    (tmp_path / "secrets").mkdir()
    return load(file, environ={})


def test_a_variable_is_read_from_the_environment_given(tmp_path: Path) -> None:
    """The line break at its end is no part of it; blanks are."""
    secret = read_secret(SecretReference(env="TOKEN"), tmp_path, {"TOKEN": " s3cret-token \r\n"})
    assert secret.get_secret_value() == " s3cret-token "
    assert "s3cret" not in repr(secret)


def test_a_file_is_read_anew_at_each_use(tmp_path: Path) -> None:
    """Rotation needs no restart."""
    reference = SecretReference(file="token")
    for value in ("first-token", "second-token"):
        (tmp_path / "token").write_text(f"{value}\n", "utf-8")
        assert read_secret(reference, tmp_path).get_secret_value() == value


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        (SecretReference(env="NONE"), "environment variable NONE is not set"),
        (SecretReference(env="EMPTY"), "environment variable EMPTY is empty"),
        (SecretReference(file="none"), "secret file {}/none does not exist"),
        (SecretReference(file="empty"), "secret file {}/empty is empty"),
        (SecretReference(file="."), "secret file {} cannot be read (is a directory)"),
        (SecretReference(file="binary"), "secret file {}/binary is not text in UTF-8"),
    ],
)
def test_a_missing_secret_is_named_by_its_place(reference: SecretReference, said: str, tmp_path: Path) -> None:
    """The error is ours, and never holds what was found."""
    (tmp_path / "empty").write_text("\n", "utf-8")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(SecretMissing) as caught:
        read_secret(reference, tmp_path, {"EMPTY": " \n"})
    assert caught.value.problem == said.format(tmp_path)
    assert isinstance(caught.value, CritpathError)
    assert str(caught.value).startswith(f"{caught.value.problem}; ")


def test_what_is_read_is_known_to_the_redactor(tmp_path: Path) -> None:
    """No caller can forget to say so."""
    redactor = Redactor()
    read_secret(SecretReference(env="TOKEN"), tmp_path, {"TOKEN": "s3cret-token"}, redactor)
    assert redactor.redact("Bearer s3cret-token") == "Bearer [redacted]"


def test_missing_secrets_are_found_with_their_lines(configuration: Configuration) -> None:
    """Each is a mistake like any other, at the line that names it."""
    found = missing_secrets(configuration, {"HOOK_URL": "https://hooks.example.org/x"})
    file = configuration.file
    assert [str(mistake) for mistake in found] == [
        f"{file}:6: identities.probe.password: secret file {file.parent}/secrets/probe does not exist; "
        "make it, with only the secret in it",
        f"{file}:7: web.token: environment variable WEB_TOKEN is not set; set it where the daemon is started",
        f"{file}:9: channels.hook.secret: environment variable HOOK_SECRET is not set; "
        "set it where the daemon is started",
    ]


def test_nothing_is_missing_where_all_is_set(configuration: Configuration) -> None:
    """The check passes, too."""
    configuration.resolve("secrets/probe").write_text("s3cret-password", "utf-8")
    environ = {"WEB_TOKEN": "s3cret-token", "HOOK_URL": "https://hooks.example.org/x", "HOOK_SECRET": "s3cret-key"}
    assert missing_secrets(configuration, environ) == []


def test_a_file_that_everyone_may_read_is_reported(configuration: Configuration) -> None:
    """It works all the same: the daemon decides whether to warn."""
    file = configuration.resolve("secrets/probe")
    assert exposed_files(configuration) == []
    file.write_text("s3cret-password", "utf-8")
    file.chmod(0o644)
    assert exposed_files(configuration) == [file]
    file.chmod(0o640)
    assert exposed_files(configuration) == []


def test_the_text_of_a_configuration_holds_no_secret(configuration: Configuration) -> None:
    """Only places are kept in it."""
    configuration.resolve("secrets/probe").write_text("s3cret-password", "utf-8")
    missing_secrets(configuration, {})
    assert "s3cret" not in repr(configuration)
