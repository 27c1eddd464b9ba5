CREATE TABLE IF NOT EXISTS users (
  id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, username TEXT NOT NULL, first_name TEXT NOT NULL,
  last_name TEXT NOT NULL, role TEXT NOT NULL, tenant_id TEXT NOT NULL, password_hash TEXT NOT NULL,
  is_active INTEGER NOT NULL DEFAULT 1, last_login INTEGER
);
CREATE TABLE IF NOT EXISTS user_sessions (
  refresh_token TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users (id),
  expires_at INTEGER NOT NULL, is_revoked INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS user_sessions_user ON user_sessions (user_id);
CREATE TABLE IF NOT EXISTS token_blacklist (token_hash TEXT PRIMARY KEY, revoked_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS cases (
  id TEXT PRIMARY KEY, tenant_id TEXT NOT NULL, title TEXT NOT NULL, status TEXT NOT NULL,
  iocs TEXT NOT NULL, created_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS entities (
  id TEXT PRIMARY KEY, tenant_id TEXT NOT NULL, type TEXT NOT NULL, props TEXT NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS entities_tenant ON entities (tenant_id, created_at);
CREATE TABLE IF NOT EXISTS relationships (
  id TEXT PRIMARY KEY, tenant_id TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL,
  type TEXT NOT NULL, props TEXT NOT NULL, created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS relationships_tenant ON relationships (tenant_id, source, target);
CREATE TABLE IF NOT EXISTS ingest_jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, tenant_id TEXT NOT NULL, pipeline TEXT NOT NULL, state TEXT NOT NULL,
  progress INTEGER NOT NULL DEFAULT 0, failed_reason TEXT, accepted_at INTEGER NOT NULL, finished_at INTEGER
);
CREATE TABLE IF NOT EXISTS ingest_records (
  job_id INTEGER NOT NULL, position INTEGER NOT NULL, type TEXT NOT NULL, props TEXT NOT NULL,
  accepted_ms INTEGER NOT NULL, processed_ms INTEGER, stored_ms INTEGER, entity_id TEXT,
  PRIMARY KEY (job_id, position)
);
CREATE TABLE IF NOT EXISTS provenance_ledger_v2 (
  id TEXT PRIMARY KEY, tenant_id TEXT NOT NULL, sequence_number INTEGER NOT NULL, entry TEXT NOT NULL,
  UNIQUE (tenant_id, sequence_number)
);
CREATE TABLE IF NOT EXISTS audit_events (
  id TEXT PRIMARY KEY, tenant_id TEXT NOT NULL, timestamp INTEGER NOT NULL, event_type TEXT NOT NULL,
  level TEXT NOT NULL, user_id TEXT NOT NULL, resource_type TEXT NOT NULL, correlation_id TEXT, event TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS audit_events_tenant ON audit_events (tenant_id, timestamp);
CREATE INDEX IF NOT EXISTS audit_events_correlation ON audit_events (correlation_id);
CREATE TABLE IF NOT EXISTS maestro_runs (
  id TEXT PRIMARY KEY, tenant_id TEXT NOT NULL, user_id TEXT NOT NULL, request_text TEXT NOT NULL,
  created_at INTEGER NOT NULL, stuck INTEGER NOT NULL
);
