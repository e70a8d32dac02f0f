-- body is a copy of the template as it read on that day: a template may change after a contract was signed.
-- step: contracts_table
CREATE TABLE contracts (
    id                 serial PRIMARY KEY,
    business_id        integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    lead_id            integer REFERENCES leads (id) ON DELETE SET NULL,
    template_id        integer REFERENCES contract_templates (id) ON DELETE SET NULL,
    created_by_user_id integer REFERENCES users (id) ON DELETE SET NULL,
    title              varchar(255) NOT NULL,
    body               text NOT NULL,
    amount             numeric(12,2),
    currency           varchar(3) NOT NULL DEFAULT 'ILS',
    status             varchar(32) NOT NULL DEFAULT 'draft',
    sent_at            timestamp,
    created_at         timestamp DEFAULT now(),
    updated_at         timestamp DEFAULT now()
);

CREATE INDEX idx_contracts_business_status ON contracts (business_id, status);

CREATE INDEX idx_contracts_lead_id ON contracts (lead_id);
