"""Secrets of one configuration, read at the moment of use."""

from __future__ import annotations

from config import Configuration, SecretReference, read_secret


class Secrets:
    """Reads references, relative to the file that names them. What is read is known to the redactor from then on."""

    def __init__(self, configuration: Configuration) -> None:
        self._folder = configuration.file.resolve().parent

    def read(self, reference: SecretReference) -> str:
        """
        Return the secret.

        Raises:
            SecretMissing: the variable or file is not there, or empty.
        """
        return read_secret(reference, self._folder).get_secret_value()
