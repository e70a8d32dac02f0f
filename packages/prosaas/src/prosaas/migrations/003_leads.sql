-- The tenant's column is called tenant_id here and in business_settings, business_id everywhere else: installations
-- have it so.
-- step: leads_table (was core_leads_table)
CREATE TABLE leads (
    id         serial PRIMARY KEY,
    tenant_id  integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    first_name varchar(128),
    last_name  varchar(128),
    phone_e164 varchar(64),
    email      varchar(255),
    source     varchar(32) NOT NULL DEFAULT 'form',
    status     varchar(32) NOT NULL DEFAULT 'new',
    notes      text,
    created_at timestamp DEFAULT now(),
    updated_at timestamp DEFAULT now()
);

CREATE INDEX idx_leads_tenant_id ON leads (tenant_id);

-- Not unique: families share a phone, and imports bring the same person twice.
CREATE INDEX idx_leads_tenant_phone ON leads (tenant_id, phone_e164);
