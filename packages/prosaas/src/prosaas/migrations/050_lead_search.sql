-- Search by part of a name or number. Trigrams, because Hebrew has no stemmer in PostgreSQL.
CREATE EXTENSION pg_trgm;

CREATE INDEX idx_leads_name_trgm ON leads USING gin (name gin_trgm_ops);

CREATE INDEX idx_leads_phone_trgm ON leads USING gin (phone_e164 gin_trgm_ops);
