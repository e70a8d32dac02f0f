ALTER TABLE call_log ADD COLUMN recording_sid varchar(64);

-- 'off', 'inbound', 'outbound' or 'all', as it was set when the call began.
ALTER TABLE call_log ADD COLUMN recording_mode varchar(32);

CREATE INDEX idx_call_log_recording_sid ON call_log (recording_sid);
