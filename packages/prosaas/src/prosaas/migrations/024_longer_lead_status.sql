-- Businesses name their own statuses, in Hebrew; lead_statuses.name has 64 characters, this had 32.
-- step: leads_status_length
ALTER TABLE leads ALTER COLUMN status TYPE varchar(64);
