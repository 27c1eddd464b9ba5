"""The tables. The migrations make them; a test compares the two. All times are UTC epoch milliseconds."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER

results = Table(
    "results",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("run_id", String(32), nullable=False),
    Column("check_name", String(128), nullable=False),
    Column("path", String(128), nullable=False),
    Column("run_class", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("message", Text, nullable=False),
    Column("steps", Text, nullable=False),
    Column("trace_id", String(32), nullable=False),
    Column("correlation_id", String(36), nullable=False),
    Index("results_by_check", "check_name", "started_ms"),
    Index("results_by_run", "run_id"),
)

journal = Table(
    "journal",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("subject", String(160), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("cause", Text, nullable=False),
    Column("written_ms", BigInteger, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Index("journal_by_subject", "subject", "seq"),
)

check_states = Table(
    "check_states",
    metadata,
    Column("check_name", String(128), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("cause", Text, nullable=False),
    Column("paths", Text, nullable=False),
    Column("last_good_ms", BigInteger),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("path", String(128), nullable=False),
    Column("status", String(16), nullable=False),
    Column("severity", String(8), nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("resolved_ms", BigInteger),
    Column("document", Text, nullable=False),
    Index("incidents_by_start", "started_ms"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("incident_id", String(26), nullable=False),
    Column("channel", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("message", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_ms", BigInteger, nullable=False),
    Column("sent_ms", BigInteger),
    Column("last_error", Text),
    Column("dead", Boolean, nullable=False, default=False),
    Index("outbox_by_incident", "incident_id", "channel", "id"),
    Index("outbox_unsent", "sent_ms", "id"),
)

spends = Table(
    "spends",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),
    Column("key", String(320), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index("spends_by_time", "at_ms"),
)

notes = Table(
    "notes",
    metadata,
    Column("check_name", String(128), primary_key=True),
    Column("document", Text, nullable=False),
)

canaries = Table(
    "canaries",
    metadata,
    Column("nonce", String(64), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("check_name", String(128), nullable=False),
    Column("run_id", String(32), nullable=False),
    Column("intended_ms", BigInteger, nullable=False),
    Column("remote_id", String(256)),
    Column("stored_ms", BigInteger),
    Column("gone_ms", BigInteger),
)
