-- A job whose worker died kept its status 'running' for ever; one whose heartbeat is old is stale.
-- step: background_jobs_heartbeat_at
ALTER TABLE background_jobs ADD COLUMN heartbeat_at timestamp;

CREATE INDEX idx_background_jobs_heartbeat ON background_jobs (heartbeat_at) WHERE status = 'running';
