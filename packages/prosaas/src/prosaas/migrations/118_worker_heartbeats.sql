-- Which workers are alive. A worker writes its row every 30 seconds and removes it when it stops; one whose row is
-- older than 90 seconds counts as gone.
-- step: worker_heartbeats_table
CREATE TABLE worker_heartbeats (
    worker_id    varchar(255) PRIMARY KEY,
    hostname     varchar(255) NOT NULL,
    pid          integer NOT NULL,
    queues       jsonb NOT NULL DEFAULT '[]',
    started_at   timestamptz NOT NULL DEFAULT now(),
    last_beat_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX idx_worker_heartbeats_last_beat ON worker_heartbeats (last_beat_at);
