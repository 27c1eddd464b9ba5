"""What can be set at the start; everything that changes later is a switch of `demo.faults`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Settings:
    """How the twin runs. Times in seconds; `data` is a folder that exists."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 14000
    mode: Literal["prod", "dev"] = "prod"
    limits: bool = False
    token_seconds: float = 3600.0
    ingest_seconds: float = 0.3
    audit_flush_seconds: float = 1.0
    quiet: bool = False

    @property
    def production(self) -> bool:
        """Whether the twin demands registered operations and masks its errors (Contract B.1)."""
        return self.mode == "prod"
