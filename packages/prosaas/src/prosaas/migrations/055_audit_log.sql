-- Who did what. Rows outlive the user they speak of.
-- step: audit_log_table
CREATE TABLE audit_log (
    id          serial PRIMARY KEY,
    business_id integer REFERENCES business (id) ON DELETE CASCADE,
    user_id     integer REFERENCES users (id) ON DELETE SET NULL,
    action      varchar(64) NOT NULL,
    entity      varchar(64),
    entity_id   integer,
    details     jsonb,
    ip_address  varchar(45),
    created_at  timestamp DEFAULT now()
);

CREATE INDEX idx_audit_log_business_created ON audit_log (business_id, created_at);
