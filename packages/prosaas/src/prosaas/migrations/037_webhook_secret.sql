-- Outside systems send leads to a business by this secret. Unique, for it also says whose they are.
ALTER TABLE business ADD COLUMN webhook_secret varchar(128);

CREATE UNIQUE INDEX uq_business_webhook_secret ON business (webhook_secret);
