"""The configuration of one daemon: what an operator writes, checked as a whole before anything starts."""

from config.load import Configuration, builtin_targets, load
from config.mistakes import Mistake, Mistakes
from config.profile import CheckSettings, PathSettings, Profile
from config.redaction import REDACTED, Redactor
from config.secrets import SecretMissing, exposed_files, known_secrets, missing_secrets, read_secret
from config.settings import Settings
from config.values import SecretReference, parse_duration, show_duration

__all__ = [
    "REDACTED",
    "CheckSettings",
    "Configuration",
    "Mistake",
    "Mistakes",
    "PathSettings",
    "Profile",
    "Redactor",
    "SecretMissing",
    "SecretReference",
    "Settings",
    "builtin_targets",
    "exposed_files",
    "known_secrets",
    "load",
    "missing_secrets",
    "parse_duration",
    "read_secret",
    "show_duration",
]
