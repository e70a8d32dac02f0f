-- An imported file of people to call.
-- step: outbound_lead_lists_table
CREATE TABLE outbound_lead_lists (
    id                 serial PRIMARY KEY,
    business_id        integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    created_by_user_id integer REFERENCES users (id) ON DELETE SET NULL,
    name               varchar(255) NOT NULL,
    file_name          varchar(255),
    total_leads        integer DEFAULT 0,
    created_at         timestamp DEFAULT now(),
    updated_at         timestamp DEFAULT now()
);

CREATE INDEX idx_outbound_lead_lists_business_id ON outbound_lead_lists (business_id);
