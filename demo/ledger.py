"""The Provenance Ledger: one hash chain per tenant (Contract D1). Its faults bend the view, never the table."""

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from demo.chain import GENESIS, Entry, entry_hash, relink
from demo.faults import Faults
from demo.store import Store, iso, now_ms

VIEW_FAULTS = (
    "audit-no-correlation", "ledger-mutable", "ledger-broken-link", "ledger-gap", "ledger-fork", "ledger-rewritten",
    "ledger-truncated",
)  # fmt: skip
TRUNCATED = 3


class Ledger:
    """Appends entries and shows them."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store, self._faults = store, faults
        self._heads: dict[str, int] = {}
        self._missing: dict[str, int] = {}
        self._edited: dict[str, Mapping[str, Any] | None] = {}
        faults.watch(self._switched)

    def append(self, tenant: str, what: Mapping[str, Any]) -> Entry:
        """Chain one more entry: sequence from 1 in steps of 1, genesis 64 zeros."""
        last = self._last(tenant)
        timestamp = now_ms()
        entry: Entry = {
            "id": f"prov_{timestamp}_{uuid.uuid4().hex[:9]}",
            "tenantId": tenant,
            "sequenceNumber": str(int(last["sequenceNumber"]) + 1) if last else "1",
            "previousHash": last["currentHash"] if last else GENESIS,
            "timestamp": iso(timestamp),
            **what,
        }
        entry["currentHash"] = entry_hash(entry)
        self._store.run(
            "INSERT INTO provenance_ledger_v2 VALUES (?, ?, ?, ?)",
            entry["id"], tenant, int(entry["sequenceNumber"]), json.dumps(entry),
        )  # fmt: skip
        return entry

    def page(self, tenant: str, after: int, limit: int) -> dict[str, Any]:
        """Entries after a sequence number, ascending, and the head of the whole chain."""
        if any(self._faults.on(name) for name in VIEW_FAULTS):
            chain = self._view(tenant)
            entries = [entry for entry in chain if int(entry["sequenceNumber"]) > after][:limit]
            last = chain[-1] if chain else None
        else:
            entries = self._read(tenant, after, limit)
            last = self._last(tenant)
        head = {
            "sequenceNumber": last["sequenceNumber"] if last else "0",
            "currentHash": last["currentHash"] if last else GENESIS,
        }
        return {"entries": entries, "head": head}

    def edit(self, entry_id: str, changes: Mapping[str, Any] | None) -> bool:
        """Change an entry, or delete it (None), in the view alone; False if there is none. For `ledger-mutable`."""
        if not self._store.one("SELECT 1 FROM provenance_ledger_v2 WHERE id = ?", entry_id):
            return False
        self._edited[entry_id] = changes
        return True

    def _read(self, tenant: str, after: int = 0, limit: int = -1) -> list[Entry]:
        rows = self._store.all(
            "SELECT entry FROM provenance_ledger_v2 WHERE tenant_id = ? AND sequence_number > ?"
            " ORDER BY sequence_number LIMIT ?",
            tenant, after, limit,
        )  # fmt: skip
        return [json.loads(row["entry"]) for row in rows]

    def _last(self, tenant: str) -> Entry | None:
        row = self._store.one(
            "SELECT entry FROM provenance_ledger_v2 WHERE tenant_id = ? ORDER BY sequence_number DESC LIMIT 1", tenant
        )
        return json.loads(row["entry"]) if row else None

    def _view(self, tenant: str) -> list[Entry]:
        chain = self._read(tenant)
        bends: dict[str, Callable[[str, list[Entry]], list[Entry]]] = {
            "audit-no-correlation": _without_correlation,
            "ledger-mutable": self._with_edits,
            "ledger-broken-link": _with_broken_link,
            "ledger-gap": self._with_gap,
            "ledger-fork": _with_fork,
            "ledger-rewritten": _rewritten,
            "ledger-truncated": self._truncated,
        }
        for name in VIEW_FAULTS:
            if chain and self._faults.on(name):
                chain = bends[name](tenant, chain)
        return chain

    def _with_edits(self, tenant: str, chain: list[Entry]) -> list[Entry]:
        edited = [(entry, self._edited.get(entry["id"], {})) for entry in chain]
        return [{**entry, **changes} for entry, changes in edited if changes is not None]

    def _with_gap(self, tenant: str, chain: list[Entry]) -> list[Entry]:
        missing = self._missing.get(tenant, 1)
        return [entry for entry in chain if int(entry["sequenceNumber"]) != missing]

    def _truncated(self, tenant: str, chain: list[Entry]) -> list[Entry]:
        last = self._heads.get(tenant, 0) - TRUNCATED
        return [entry for entry in chain if int(entry["sequenceNumber"]) <= last]

    def _switched(self, name: str, on: bool) -> None:  # noqa: FBT001 - a listener's signature
        if name == "ledger-mutable":
            self._edited.clear()
        if not on or name not in {"ledger-gap", "ledger-truncated"}:
            return
        rows = self._store.all("SELECT tenant_id, max(sequence_number) FROM provenance_ledger_v2 GROUP BY tenant_id")
        if name == "ledger-truncated":
            self._heads = {tenant: head for tenant, head in rows}  # noqa: C416 - dict() does not take rows
            return
        # A reader who remembers the head sees only what is newer, so the gap must be newer: an entry of the
        # system's own that is hidden while the switch is on, and an ordinary part of the chain afterwards.
        self._missing = {tenant: int(self._housekeeping(tenant)["sequenceNumber"]) for tenant, _ in rows}

    def _housekeeping(self, tenant: str) -> Entry:
        return self.append(
            tenant,
            {
                "actionType": "SYSTEM_CHECKPOINT",
                "resourceType": "LEDGER",
                "resourceId": tenant,
                "actorId": "system",
                "actorType": "system",
                "payload": {},
                "metadata": {},
            },
        )


def _without_correlation(tenant: str, chain: list[Entry]) -> list[Entry]:
    return [
        {**entry, "metadata": {key: value for key, value in entry["metadata"].items() if key != "correlationId"}}
        for entry in chain
    ]


def _with_broken_link(tenant: str, chain: list[Entry]) -> list[Entry]:
    return [*chain[:-1], {**chain[-1], "previousHash": "bad0" * 16}]


def _with_fork(tenant: str, chain: list[Entry]) -> list[Entry]:
    newest = chain[-1]
    twin = {**newest, "id": newest["id"] + "b", "actorId": "unknown"}
    return [*chain[:-1], *relink([twin], newest["previousHash"]), newest]


def _rewritten(tenant: str, chain: list[Entry]) -> list[Entry]:
    changed = {**chain[0], "actorId": "somebody-else"}
    return relink([changed, *chain[1:]], chain[0]["previousHash"])
