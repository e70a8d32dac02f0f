-- Long work that a person asked for and watches: batches, progress, a cursor to go on from. Work that nobody
-- watches is in the queue of the worker, not here.
-- step: background_jobs_table
CREATE TABLE background_jobs (
    id                   serial PRIMARY KEY,
    business_id          integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    requested_by_user_id integer REFERENCES users (id) ON DELETE SET NULL,
    job_type             varchar(64) NOT NULL,
    status               varchar(32) DEFAULT 'queued',
    total                integer DEFAULT 0,
    processed            integer DEFAULT 0,
    succeeded            integer DEFAULT 0,
    failed_count         integer DEFAULT 0,
    last_error           text,
    cursor               text,
    created_at           timestamp DEFAULT now(),
    updated_at           timestamp DEFAULT now(),
    started_at           timestamp,
    finished_at          timestamp,
    CONSTRAINT chk_job_type CHECK (job_type IN ('delete_receipts_all'))
);

CREATE INDEX idx_background_jobs_business_type_status ON background_jobs (business_id, job_type, status);

CREATE INDEX idx_background_jobs_created_at ON background_jobs (created_at);
