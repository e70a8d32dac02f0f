-- Where each backfill stands. The position moves in the transaction of the batch that it speaks of; `wish` is what
-- people ask for from elsewhere: run, pause or cancel.
CREATE SCHEMA IF NOT EXISTS trueup;

CREATE TABLE IF NOT EXISTS trueup.backfills (
    chain text NOT NULL,
    name text NOT NULL,
    table_name text NOT NULL,
    checksum text NOT NULL,
    position text[],
    seen bigint NOT NULL DEFAULT 0,
    written bigint NOT NULL DEFAULT 0,
    expected bigint NOT NULL,
    batches bigint NOT NULL DEFAULT 0,
    batch integer NOT NULL,
    wish text NOT NULL DEFAULT 'run',
    note text NOT NULL DEFAULT '',
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    PRIMARY KEY (chain, name)
);
