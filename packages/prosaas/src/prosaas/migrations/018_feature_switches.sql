-- What a business has bought. Constant defaults: existing rows are not rewritten.
ALTER TABLE business ADD COLUMN calls_enabled boolean NOT NULL DEFAULT true;

ALTER TABLE business ADD COLUMN crm_enabled boolean NOT NULL DEFAULT true;
