"""Bodies as the audit may keep them (Contract D2)."""

import re
from typing import Any

_SECRET = re.compile(r"password|token|secret|key|authorization", re.IGNORECASE)


def redacted(value: Any) -> Any:
    """The value with everything under a secret-looking name replaced."""
    if isinstance(value, dict):
        return {name: "[REDACTED]" if _SECRET.search(name) else redacted(item) for name, item in value.items()}
    if isinstance(value, list):
        return [redacted(item) for item in value]
    return value
