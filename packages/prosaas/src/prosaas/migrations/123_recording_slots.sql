-- At most three recordings of one business at once: a run takes one of three numbers, and the database gives each
-- of them once. A slot whose heartbeat is old is taken back.
-- step: recording_runs_slots
ALTER TABLE recording_runs
    ADD COLUMN slot smallint,
    ADD COLUMN locked_by_worker varchar(128),
    ADD COLUMN slot_heartbeat_at timestamptz,
    ADD COLUMN local_path varchar(512);

-- step: recording_runs_slot_range
ALTER TABLE recording_runs ADD CONSTRAINT chk_recording_runs_slot CHECK (slot BETWEEN 1 AND 3);

CREATE UNIQUE INDEX uq_recording_runs_slot ON recording_runs (business_id, slot) WHERE slot IS NOT NULL;
