-- Forms send one field for the name; it is kept as it was written, beside the two parts.
ALTER TABLE leads ADD COLUMN name varchar(255);

-- What was typed, before normalising: needed when the normaliser is mended.
ALTER TABLE leads ADD COLUMN phone_raw varchar(64);

ALTER TABLE leads ADD COLUMN tags jsonb;

-- step: leads_owner_user_id
ALTER TABLE leads ADD COLUMN owner_user_id integer REFERENCES users (id) ON DELETE SET NULL;

CREATE INDEX idx_leads_owner_user_id ON leads (owner_user_id);
