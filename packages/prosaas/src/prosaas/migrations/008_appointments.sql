-- start_time and end_time are naive UTC; the business's time zone is in business_settings.
-- step: appointments_table
CREATE TABLE appointments (
    id               serial PRIMARY KEY,
    business_id      integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    lead_id          integer REFERENCES leads (id) ON DELETE SET NULL,
    call_log_id      integer REFERENCES call_log (id) ON DELETE SET NULL,
    title            varchar(255) NOT NULL,
    description      text,
    start_time       timestamp NOT NULL,
    end_time         timestamp NOT NULL,
    status           varchar(32) NOT NULL DEFAULT 'scheduled',
    appointment_type varchar(64),
    location         varchar(255),
    source           varchar(32) NOT NULL DEFAULT 'manual',
    contact_name     varchar(255),
    contact_phone    varchar(64),
    contact_email    varchar(255),
    created_by       integer REFERENCES users (id) ON DELETE SET NULL,
    created_at       timestamp DEFAULT now(),
    updated_at       timestamp DEFAULT now()
);

CREATE INDEX idx_appointments_business_start ON appointments (business_id, start_time);

CREATE INDEX idx_appointments_lead_id ON appointments (lead_id);

CREATE INDEX idx_appointments_call_log_id ON appointments (call_log_id);
