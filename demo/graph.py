"""Entities and their relationships, per tenant (Contract B.4, B.5)."""

import json
import uuid
from sqlite3 import Row
from typing import Any

from demo.faults import Faults
from demo.store import Store, iso, now_ms

DAY_MS = 86_400_000
OTHER_TENANTS_ENTITY = "ent-acme-secret"
# Not adjacent to the main fixture, so nobody can take its neighbours for the right ones.
WRONG_SEEDS = ("ent-quarry", "ent-lantern")
ADJACENT = (
    "SELECT * FROM relationships WHERE tenant_id = ? AND (source = ? OR target = ?) ORDER BY created_at, id LIMIT ?"
)


class GraphDown(Exception):
    """The graph database is down, and the caller needed to write."""


class Graph:
    """Reads never fail: without a database they answer from mock records, as the source does."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store, self._faults = store, faults

    @property
    def down(self) -> bool:
        """Whether the database is gone."""
        return self._faults.on("graph-mock-fallback")

    def entity(self, tenant: str, entity_id: str) -> dict[str, Any] | None:
        """One entity, or None; a soft-deleted one is still returned (Contract B.4)."""
        if self.down:
            return next((mock for mock in self._mocks() if mock["id"] == entity_id), None)
        fixture = entity_id in self._store.fixtures
        if fixture and self._faults.on("entity-null"):
            return None
        if fixture and self._faults.on("entity-other-tenant"):
            row = self._store.one("SELECT * FROM entities WHERE id = ?", OTHER_TENANTS_ENTITY)
        else:
            row = self._store.one("SELECT * FROM entities WHERE tenant_id = ? AND id = ?", tenant, entity_id)
        if row is None:
            return None
        found = _entity(row)
        return _yesterday(found) if fixture and self._faults.on("entity-stale") else found

    def entities(self, tenant: str, kind: str | None, q: str | None, limit: int, offset: int) -> list[dict[str, Any]]:
        """Oldest first; `q` is a CONTAINS over the properties; deleted ones included (Contract B.4)."""
        if self.down:
            return self._mocks()[offset : offset + limit]
        rows = self._store.all(
            "SELECT * FROM entities e WHERE tenant_id = ? AND (? IS NULL OR type = ?)"
            " AND (? IS NULL OR EXISTS (SELECT 1 FROM json_each(e.props) WHERE instr(lower(value), lower(?))))"
            " ORDER BY created_at, id LIMIT ? OFFSET ?",
            tenant, kind, kind, q or None, q, limit, offset,
        )  # fmt: skip
        return [_entity(row) for row in rows]

    def relationships(
        self, tenant: str, source: str | None, target: str | None, kind: str | None
    ) -> list[dict[str, Any]]:
        """Relationships between, from or to entities."""
        if self.down:
            return []
        rows = self._store.all(
            "SELECT * FROM relationships WHERE tenant_id = ? AND (? IS NULL OR source = ?)"
            " AND (? IS NULL OR target = ?) AND (? IS NULL OR type = ?) ORDER BY created_at, id",
            tenant, source, source, target, target, kind, kind,
        )  # fmt: skip
        return [_relationship(row) for row in rows]

    def expand(self, tenant: str, entity_id: str, limit: int) -> dict[str, Any]:
        """The entity, its neighbours and the edges between (Contract B.5); a stub without a database."""
        if self.down:
            return {"nodes": [{"id": entity_id, "type": "Entity", "label": entity_id, "props": {}}], "edges": []}
        if self._faults.on("graph-expand-wrong"):
            entity_id = next(seed for seed in WRONG_SEEDS if seed != entity_id)
        if self._faults.on("graph-expand-stub"):
            limit = 0
        links = self._store.all(ADJACENT, tenant, entity_id, entity_id, limit)
        # A dict, not a set: the seed comes first, and each neighbour once.
        ids = dict.fromkeys([entity_id, *(end for link in links for end in (link["source"], link["target"]))])
        rows = [self._store.one("SELECT * FROM entities WHERE tenant_id = ? AND id = ?", tenant, each) for each in ids]
        edges = [{name: link[name] for name in ("id", "source", "target", "type")} for link in links]
        return {"nodes": [_node(row) for row in rows if row], "edges": edges}

    def create(self, tenant: str, kind: str, props: dict[str, Any]) -> dict[str, Any]:
        """A new entity with an id of the server's; raises GraphDown."""
        if self.down:
            raise GraphDown
        return self.store(tenant, kind, props)

    def store(self, tenant: str, kind: str, props: dict[str, Any]) -> dict[str, Any]:
        """Write an entity whether or not it can be read just now: what the ingestion worker does."""
        now = now_ms()
        values = (str(uuid.uuid4()), tenant, kind, json.dumps(props, ensure_ascii=False), now, now)
        self._store.run("INSERT INTO entities VALUES (?, ?, ?, ?, ?, ?)", *values)
        row = self._store.one("SELECT * FROM entities WHERE id = ?", values[0])
        assert row is not None
        return _entity(row)

    def delete(self, tenant: str, entity_id: str) -> bool:
        """Soft: sets `deletedAt` in the properties (Contract B.4). Raises GraphDown."""
        if self.down:
            raise GraphDown
        row = self._store.one("SELECT * FROM entities WHERE tenant_id = ? AND id = ?", tenant, entity_id)
        if row is None:
            return False
        if not self._faults.on("delete-noop"):
            now = now_ms()
            props = json.loads(row["props"]) | {"deletedAt": iso(now)}
            self._store.run(
                "UPDATE entities SET props = ?, updated_at = ? WHERE id = ?",
                json.dumps(props, ensure_ascii=False), now, entity_id,
            )  # fmt: skip
        return True

    def link(self, tenant: str, given: dict[str, Any]) -> dict[str, Any]:
        """A new relationship; raises GraphDown."""
        if self.down:
            raise GraphDown
        link_id = str(uuid.uuid4())
        self._store.run(
            "INSERT INTO relationships VALUES (?, ?, ?, ?, ?, ?, ?)",
            link_id, tenant, given["from"], given["to"], given["type"], json.dumps(given.get("props") or {}), now_ms(),
        )  # fmt: skip
        row = self._store.one("SELECT * FROM relationships WHERE id = ?", link_id)
        assert row is not None
        return _relationship(row)

    def unlink(self, tenant: str, link_id: str) -> bool:
        """Remove a relationship; raises GraphDown."""
        if self.down:
            raise GraphDown
        return self._store.run("DELETE FROM relationships WHERE tenant_id = ? AND id = ?", tenant, link_id) > 0

    def canaries(self, prefix: str) -> list[dict[str, Any]]:
        """Entities of every tenant whose properties contain *prefix*: what a monitor left behind."""
        rows = self._store.all("SELECT * FROM entities WHERE instr(props, ?) ORDER BY created_at, id", prefix)
        return [
            {"tenantId": row["tenant_id"], "deletedAt": json.loads(row["props"]).get("deletedAt"), **_entity(row)}
            for row in rows
        ]

    def _mocks(self) -> list[dict[str, Any]]:
        born = iso(1_700_000_000_000)
        return [
            {**mock, "createdAt": born, "updatedAt": born, "canonicalId": None} for mock in self._store.seed["mocks"]
        ]


def _entity(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "type": row["type"],
        "props": json.loads(row["props"]),
        "createdAt": iso(row["created_at"]),
        "updatedAt": iso(row["updated_at"]),
        "canonicalId": row["id"],
    }


def _relationship(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "from": row["source"],
        "to": row["target"],
        "type": row["type"],
        "props": json.loads(row["props"]),
        "createdAt": iso(row["created_at"]),
    }


def _node(row: Row) -> dict[str, Any]:
    props = json.loads(row["props"])
    return {"id": row["id"], "type": row["type"], "label": props.get("name", row["id"]), "props": props}


def _yesterday(entity: dict[str, Any]) -> dict[str, Any]:
    props = dict(entity["props"])
    if "version" in props:
        props["version"] -= 1
    else:
        props["name"] = f"{props.get('name', '')} (draft)"
    return {**entity, "props": props, "updatedAt": iso(now_ms() - 2 * DAY_MS)}
