-- The page of calls filters by status and direction.
CREATE INDEX idx_call_log_business_status ON call_log (business_id, call_status);

-- Twilio reports a cost and a reason of its own for calls that never connected.
ALTER TABLE call_log ADD COLUMN error_code varchar(16);

ALTER TABLE call_log ADD COLUMN ended_at timestamp;
