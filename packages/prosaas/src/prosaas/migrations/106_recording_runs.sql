-- 'download': fetch, then transcribe; 'download_only': no transcription is wanted.
-- step: recording_runs_table
CREATE TABLE recording_runs (
    id               serial PRIMARY KEY,
    business_id      integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    call_sid         varchar(64) NOT NULL,
    recording_sid    varchar(64),
    recording_url    varchar(512),
    status           varchar(32) NOT NULL DEFAULT 'queued',
    job_type         varchar(32) NOT NULL DEFAULT 'download',
    cancel_requested boolean DEFAULT false,
    error_message    text,
    retry_count      integer DEFAULT 0,
    created_at       timestamp DEFAULT now(),
    started_at       timestamp,
    completed_at     timestamp
);

-- The consumer takes the oldest queued one, and counts the running ones of a business.
CREATE INDEX idx_recording_runs_status_created ON recording_runs (status, created_at);

CREATE INDEX idx_recording_runs_business_status ON recording_runs (business_id, status);

CREATE INDEX idx_recording_runs_call_sid ON recording_runs (call_sid);
