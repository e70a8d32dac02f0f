-- Two overlapping ticks dialled the same job. The SID of the call is stored once, in a column of its own: call_sid
-- is also written by callbacks.
-- step: jobs_twilio_call_sid (was 46a)
ALTER TABLE outbound_call_jobs ADD COLUMN twilio_call_sid varchar(64);

CREATE INDEX idx_outbound_call_jobs_twilio_sid ON outbound_call_jobs (twilio_call_sid);

-- Set before Twilio is asked: an old value without a SID is a dial that got stuck.
-- step: jobs_dial_started_at (was 46b)
ALTER TABLE outbound_call_jobs ADD COLUMN dial_started_at timestamp;

-- A job is claimed by writing a token where there is none, in one statement.
-- step: jobs_dial_lock_token (was 46c)
ALTER TABLE outbound_call_jobs ADD COLUMN dial_lock_token varchar(64);

CREATE INDEX idx_outbound_call_jobs_lock_token ON outbound_call_jobs (dial_lock_token);

-- The clean-up asks for jobs that are dialling and have no SID.
-- step: jobs_status_twilio_sid_index (was 46d)
CREATE INDEX idx_outbound_call_jobs_status_twilio_sid ON outbound_call_jobs (status, twilio_call_sid);
