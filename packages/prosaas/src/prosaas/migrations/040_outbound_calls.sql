-- A run calls the leads of a list, at most `concurrency` of them at once. The counters are the run's own, so that
-- its progress is read without counting jobs.
-- step: outbound_call_runs_table (was 40a)
CREATE TABLE outbound_call_runs (
    id                serial PRIMARY KEY,
    business_id       integer NOT NULL REFERENCES business (id),
    outbound_list_id  integer REFERENCES outbound_lead_lists (id),
    concurrency       integer DEFAULT 3,
    total_leads       integer DEFAULT 0,
    queued_count      integer DEFAULT 0,
    in_progress_count integer DEFAULT 0,
    completed_count   integer DEFAULT 0,
    failed_count      integer DEFAULT 0,
    status            varchar(32) DEFAULT 'running',
    last_error        text,
    created_at        timestamp DEFAULT now(),
    updated_at        timestamp DEFAULT now(),
    completed_at      timestamp
);

CREATE INDEX idx_outbound_call_runs_business_id ON outbound_call_runs (business_id);

CREATE INDEX idx_outbound_call_runs_status ON outbound_call_runs (status);

CREATE INDEX idx_outbound_call_runs_created_at ON outbound_call_runs (created_at);

-- step: outbound_call_jobs_table (was 40b)
CREATE TABLE outbound_call_jobs (
    id            serial PRIMARY KEY,
    run_id        integer NOT NULL REFERENCES outbound_call_runs (id),
    lead_id       integer NOT NULL REFERENCES leads (id),
    call_log_id   integer REFERENCES call_log (id),
    status        varchar(32) DEFAULT 'queued',
    error_message text,
    call_sid      varchar(64),
    created_at    timestamp DEFAULT now(),
    started_at    timestamp,
    completed_at  timestamp
);

CREATE INDEX idx_outbound_call_jobs_run_id ON outbound_call_jobs (run_id);

CREATE INDEX idx_outbound_call_jobs_lead_id ON outbound_call_jobs (lead_id);

CREATE INDEX idx_outbound_call_jobs_status ON outbound_call_jobs (status);

CREATE INDEX idx_outbound_call_jobs_call_sid ON outbound_call_jobs (call_sid);
