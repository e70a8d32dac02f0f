-- step: receipt_sync_runs_table
CREATE TABLE receipt_sync_runs (
    id                serial PRIMARY KEY,
    business_id       integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    mode              varchar(32) NOT NULL DEFAULT 'incremental',
    status            varchar(32) NOT NULL DEFAULT 'running',
    from_date         date,
    to_date           date,
    messages_scanned  integer DEFAULT 0,
    receipts_saved    integer DEFAULT 0,
    skipped_count     integer DEFAULT 0,
    errors_count      integer DEFAULT 0,
    cursor            text,
    cancel_requested  boolean DEFAULT false,
    error_message     text,
    started_at        timestamp DEFAULT now(),
    last_heartbeat_at timestamp,
    finished_at       timestamp
);

CREATE INDEX idx_receipt_sync_runs_business_started ON receipt_sync_runs (business_id, started_at);

-- Two syncs of one mailbox at once saved every receipt twice; the second one now fails to start.
CREATE UNIQUE INDEX uq_receipt_sync_runs_running ON receipt_sync_runs (business_id) WHERE status = 'running';
