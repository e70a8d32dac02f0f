-- step: lead_reminders_table
CREATE TABLE lead_reminders (
    id           serial PRIMARY KEY,
    business_id  integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    lead_id      integer REFERENCES leads (id) ON DELETE CASCADE,
    created_by   integer REFERENCES users (id) ON DELETE SET NULL,
    due_at       timestamp NOT NULL,
    note         text,
    channel      varchar(32) NOT NULL DEFAULT 'ui',
    delivered_at timestamp,
    completed_at timestamp,
    created_at   timestamp DEFAULT now()
);

-- The scheduler asks for what is due and not yet delivered, across all tenants: the index holds nothing else.
CREATE INDEX idx_lead_reminders_due ON lead_reminders (due_at) WHERE delivered_at IS NULL AND completed_at IS NULL;

CREATE INDEX idx_lead_reminders_business_lead ON lead_reminders (business_id, lead_id);
