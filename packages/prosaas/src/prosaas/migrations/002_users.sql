-- business_id is empty for the people who run the platform: they belong to no tenant.
-- step: users_table
CREATE TABLE users (
    id            serial PRIMARY KEY,
    business_id   integer REFERENCES business (id) ON DELETE CASCADE,
    email         varchar(255) NOT NULL UNIQUE,
    password_hash varchar(255),
    name          varchar(255),
    role          varchar(64) NOT NULL DEFAULT 'agent',
    is_active     boolean NOT NULL DEFAULT true,
    last_login    timestamp,
    created_at    timestamp DEFAULT now()
);

CREATE INDEX idx_users_business_id ON users (business_id);
