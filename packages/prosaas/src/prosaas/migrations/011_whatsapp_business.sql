ALTER TABLE business ADD COLUMN whatsapp_number varchar(64);

-- 'baileys' is the gateway of our own, 'meta' the Cloud API.
ALTER TABLE business ADD COLUMN whatsapp_provider varchar(32) DEFAULT 'baileys';

CREATE INDEX idx_business_whatsapp_number ON business (whatsapp_number);
