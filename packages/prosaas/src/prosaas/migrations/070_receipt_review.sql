ALTER TABLE receipts ADD COLUMN confidence integer;

-- step: receipts_confidence_range
ALTER TABLE receipts ADD CONSTRAINT chk_receipts_confidence CHECK (confidence BETWEEN 0 AND 100);

-- step: receipts_reviewed_by
ALTER TABLE receipts ADD COLUMN reviewed_by integer REFERENCES users (id) ON DELETE SET NULL;

ALTER TABLE receipts ADD COLUMN reviewed_at timestamp;

ALTER TABLE receipts ADD COLUMN attachment_path varchar(512);
