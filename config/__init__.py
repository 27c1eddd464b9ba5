"""The configuration of one daemon: what an operator writes, checked as a whole before anything starts."""

from config.load import Configuration, builtin_targets, load
from config.mistakes import Mistake, Mistakes
from config.profile import CheckSettings, PathSettings, Profile
from config.settings import Settings
from config.values import SecretReference

__all__ = [
    "CheckSettings",
    "Configuration",
    "Mistake",
    "Mistakes",
    "PathSettings",
    "Profile",
    "SecretReference",
    "Settings",
    "builtin_targets",
    "load",
]
