-- The sending of a broadcast, which may be paused and taken up by another worker.
-- step: broadcast_jobs_table
CREATE TABLE broadcast_jobs (
    id               serial PRIMARY KEY,
    business_id      integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    broadcast_id     integer NOT NULL REFERENCES whatsapp_broadcasts (id) ON DELETE CASCADE,
    status           varchar(32) NOT NULL DEFAULT 'queued',
    cursor_position  integer DEFAULT 0,
    cancel_requested boolean DEFAULT false,
    locked_by_worker varchar(128),
    lock_ts          timestamp,
    last_error       text,
    created_at       timestamp DEFAULT now(),
    started_at       timestamp,
    completed_at     timestamp
);

CREATE INDEX idx_broadcast_jobs_status_created ON broadcast_jobs (status, created_at);

CREATE INDEX idx_broadcast_jobs_broadcast_id ON broadcast_jobs (broadcast_id);
