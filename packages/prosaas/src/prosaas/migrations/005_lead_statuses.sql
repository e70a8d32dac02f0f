-- A business names its own stages. leads.status holds the name, not the id, so that a status can be retired
-- without touching the leads that once had it.
-- step: lead_statuses_table
CREATE TABLE lead_statuses (
    id          serial PRIMARY KEY,
    business_id integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    name        varchar(64) NOT NULL,
    label       varchar(128) NOT NULL,
    color       varchar(64) DEFAULT 'bg-gray-100 text-gray-800',
    order_index integer DEFAULT 0,
    is_active   boolean NOT NULL DEFAULT true,
    is_default  boolean NOT NULL DEFAULT false,
    is_system   boolean NOT NULL DEFAULT false,
    created_at  timestamp DEFAULT now(),
    updated_at  timestamp DEFAULT now(),
    CONSTRAINT uq_lead_statuses_business_name UNIQUE (business_id, name)
);

CREATE INDEX idx_lead_statuses_business_id ON lead_statuses (business_id);
