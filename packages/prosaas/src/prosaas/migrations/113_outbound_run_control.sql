-- A run is resumed by another worker when its heartbeat is old, from where it stood.
-- step: outbound_call_runs_created_by
ALTER TABLE outbound_call_runs ADD COLUMN created_by_user_id integer REFERENCES users (id) ON DELETE SET NULL;

-- step: outbound_call_runs_control
ALTER TABLE outbound_call_runs
    ADD COLUMN cursor_position integer DEFAULT 0,
    ADD COLUMN cancel_requested boolean DEFAULT false,
    ADD COLUMN locked_by_worker varchar(128),
    ADD COLUMN lock_ts timestamp,
    ADD COLUMN last_heartbeat_at timestamp,
    ADD COLUMN started_at timestamp,
    ADD COLUMN ended_at timestamp;
