ALTER TABLE business_settings ADD COLUMN allow_24_7 boolean NOT NULL DEFAULT false;

-- How far ahead a customer may book, and how short before.
ALTER TABLE business_settings ADD COLUMN booking_window_days integer NOT NULL DEFAULT 30;

ALTER TABLE business_settings ADD COLUMN min_notice_min integer NOT NULL DEFAULT 0;
