-- step: contract_templates_table
CREATE TABLE contract_templates (
    id          serial PRIMARY KEY,
    business_id integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    name        varchar(255) NOT NULL,
    body        text NOT NULL,
    fields      jsonb NOT NULL DEFAULT '[]',
    is_active   boolean NOT NULL DEFAULT true,
    created_at  timestamp DEFAULT now(),
    updated_at  timestamp DEFAULT now()
);

CREATE INDEX idx_contract_templates_business_id ON contract_templates (business_id);
