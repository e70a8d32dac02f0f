-- A call that is transferred, or bridged to an agent, has a second leg which names the first.
ALTER TABLE call_log ADD COLUMN parent_call_sid varchar(64);

CREATE INDEX idx_call_log_parent_call_sid ON call_log (parent_call_sid);
