-- A call belongs to one job: the index of 046 finds it, this one holds it.
CREATE UNIQUE INDEX uq_outbound_call_jobs_twilio_call_sid ON outbound_call_jobs (twilio_call_sid);

-- Claiming takes the oldest queued job of a run.
CREATE INDEX idx_outbound_call_jobs_claim ON outbound_call_jobs (run_id, id)
    WHERE status = 'queued' AND dial_lock_token IS NULL;

-- The same for messages that are due.
CREATE INDEX idx_scheduled_queue_due ON scheduled_messages_queue (scheduled_for)
    WHERE status = 'pending' AND locked_at IS NULL;
