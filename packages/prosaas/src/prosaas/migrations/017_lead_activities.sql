-- The time line of a lead. What happened is in payload; its shape depends on type.
-- step: lead_activities_table
CREATE TABLE lead_activities (
    id          serial PRIMARY KEY,
    business_id integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    lead_id     integer NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    type        varchar(64) NOT NULL,
    payload     jsonb,
    at          timestamp DEFAULT now(),
    created_by  integer REFERENCES users (id) ON DELETE SET NULL
);

CREATE INDEX idx_lead_activities_lead_at ON lead_activities (lead_id, at);

CREATE INDEX idx_lead_activities_business_at ON lead_activities (business_id, at);
