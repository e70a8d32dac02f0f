-- The ledger. Every statement may meet the same one of another first run: 23505, 42710 and 42P07 then mean "again".
CREATE SCHEMA IF NOT EXISTS trueup;

CREATE TABLE IF NOT EXISTS trueup.schema_migrations (
    chain text NOT NULL,
    migration_id text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    success boolean NOT NULL DEFAULT true,
    reconciled boolean NOT NULL DEFAULT false,
    notes text NOT NULL DEFAULT '',
    verdict text NOT NULL,
    checksum text NOT NULL,
    run_id text NOT NULL,
    applied_by text NOT NULL,
    duration_ms double precision NOT NULL DEFAULT 0,
    position bigserial,
    PRIMARY KEY (chain, migration_id)
);

CREATE TABLE IF NOT EXISTS trueup.completions (
    chain text NOT NULL,
    phase text NOT NULL,
    lock_digest text NOT NULL,
    catalog_digest text NOT NULL,
    facts_digest text NOT NULL,
    drift jsonb NOT NULL,
    marks bigint,
    run_id text NOT NULL,
    completed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (chain, phase)
);

CREATE TABLE IF NOT EXISTS trueup.run_lock (
    chain text PRIMARY KEY,
    token bigint NOT NULL,
    holder text NOT NULL,
    backend_pid integer NOT NULL,
    step text NOT NULL DEFAULT '',
    acquired_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    backend_start timestamptz,
    process text NOT NULL DEFAULT ''
);

-- A key, so that a takeover waits for FOR KEY SHARE; an index, not a constraint, for there are migrations that rename
-- every unique constraint they find in the catalog.
CREATE UNIQUE INDEX IF NOT EXISTS run_lock_token_key ON trueup.run_lock (token);

CREATE SEQUENCE IF NOT EXISTS trueup.run_lock_token;

ALTER TABLE trueup.run_lock ADD COLUMN IF NOT EXISTS backend_start timestamptz;
ALTER TABLE trueup.run_lock ADD COLUMN IF NOT EXISTS process text NOT NULL DEFAULT '';
ALTER TABLE trueup.completions ADD COLUMN IF NOT EXISTS marks bigint;

-- Steps that are sent in parts: begun, and not yet marked.
CREATE TABLE IF NOT EXISTS trueup.begun (
    chain text NOT NULL,
    migration_id text NOT NULL,
    checksum text NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (chain, migration_id)
);
