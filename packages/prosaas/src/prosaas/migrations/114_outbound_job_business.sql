-- Every row says whose it is by itself, so that a query can be held to one tenant without a join.
-- step: outbound_call_jobs_business_id
ALTER TABLE outbound_call_jobs ADD COLUMN business_id integer REFERENCES business (id) ON DELETE CASCADE;

CREATE INDEX idx_outbound_call_jobs_business_status ON outbound_call_jobs (business_id, status);

-- step: outbound_call_jobs_business_from_run
-- done when: SELECT NOT EXISTS (SELECT 1 FROM outbound_call_jobs WHERE business_id IS NULL)
-- backfill: outbound_call_jobs by id batch 5000
UPDATE outbound_call_jobs
SET business_id = (SELECT r.business_id FROM outbound_call_runs r WHERE r.id = outbound_call_jobs.run_id)
WHERE business_id IS NULL;
