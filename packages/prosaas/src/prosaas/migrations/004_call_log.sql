-- call_sid is Twilio's name for the call. Callbacks arrive twice and out of order; the unique key is what makes the
-- second one an update.
-- step: call_log_table (was core_call_log_table)
CREATE TABLE call_log (
    id          serial PRIMARY KEY,
    business_id integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    lead_id     integer REFERENCES leads (id) ON DELETE SET NULL,
    call_sid    varchar(64) UNIQUE,
    from_number varchar(64),
    to_number   varchar(64),
    direction   varchar(16),
    call_status varchar(32) DEFAULT 'in-progress',
    duration    integer DEFAULT 0,
    created_at  timestamp DEFAULT now(),
    updated_at  timestamp DEFAULT now()
);

CREATE INDEX idx_call_log_business_created ON call_log (business_id, created_at);

CREATE INDEX idx_call_log_lead_id ON call_log (lead_id);
