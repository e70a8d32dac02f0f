-- A counter below zero was how double settling showed itself, days later. Now the second settling fails.
-- step: outbound_call_runs_counters
ALTER TABLE outbound_call_runs ADD CONSTRAINT chk_outbound_call_runs_counters
    CHECK (queued_count >= 0 AND in_progress_count >= 0 AND completed_count >= 0 AND failed_count >= 0);
