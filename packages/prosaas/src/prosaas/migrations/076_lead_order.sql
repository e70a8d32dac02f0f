-- Where a lead stands in its column of the board.
ALTER TABLE leads ADD COLUMN order_index integer DEFAULT 0;

ALTER TABLE leads ADD COLUMN last_contact_at timestamp;
