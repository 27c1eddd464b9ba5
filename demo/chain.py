"""The hash rule of the Provenance Ledger (Contract D1). Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

GENESIS = "0" * 64
HASHED = (
    "id", "tenantId", "sequenceNumber", "previousHash", "timestamp", "actionType", "resourceType", "resourceId",
    "actorId", "actorType", "payload", "metadata",
)  # fmt: skip

Entry = dict[str, Any]


def stringify(value: Any, names: Sequence[str]) -> str:
    """JavaScript's `JSON.stringify(value, names)`: a replacer *list* filters the keys of nested objects, too."""
    return json.dumps(_filter(value, names), separators=(",", ":"), ensure_ascii=False)


def digest(value: Mapping[str, Any]) -> str:
    """
    SHA-256 hex over *value* with its own sorted key names as the replacer list.

    So whatever lies in `payload` and `metadata` is outside of the hash, unless it bears a top-level name.
    """
    return hashlib.sha256(stringify(value, sorted(value)).encode()).hexdigest()


def entry_hash(entry: Mapping[str, Any]) -> str:
    """The `currentHash` that an entry must have; its `sequenceNumber` is hashed as a string."""
    return digest({name: entry[name] for name in HASHED} | {"sequenceNumber": str(entry["sequenceNumber"])})


def relink(entries: Sequence[Entry], previous: str) -> list[Entry]:
    """The entries with every hash recomputed, the first one following *previous*."""
    linked = []
    for entry in entries:
        renewed = {**entry, "previousHash": previous}
        renewed["currentHash"] = previous = entry_hash(renewed)
        linked.append(renewed)
    return linked


def _filter(value: Any, names: Sequence[str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _filter(value[name], names) for name in names if name in value}
    if isinstance(value, list | tuple):
        return [_filter(item, names) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
