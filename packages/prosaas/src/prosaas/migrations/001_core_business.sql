-- A business is a tenant: every other row belongs to one, directly or through its parent.
-- phone_number holds E.164 (+9725…): it is what an inbound call is matched against.
-- step: business_table (was core_tables_business, core_business_table)
CREATE TABLE business (
    id            serial PRIMARY KEY,
    name          varchar(255) NOT NULL,
    business_type varchar(64) DEFAULT 'general',
    phone_number  varchar(64),
    email         varchar(255),
    address       varchar(255),
    working_hours varchar(50) DEFAULT '08:00-18:00',
    is_active     boolean NOT NULL DEFAULT true,
    created_at    timestamp DEFAULT now(),
    updated_at    timestamp DEFAULT now()
);

-- Every inbound call looks its tenant up by the number that was dialled.
CREATE INDEX idx_business_phone_number ON business (phone_number);
