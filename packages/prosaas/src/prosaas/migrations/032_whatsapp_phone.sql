-- People write from another number than the one they call from.
-- step: leads_phone_whatsapp (was whatsapp_phone_field)
ALTER TABLE leads ADD COLUMN phone_whatsapp varchar(64);

CREATE INDEX idx_leads_tenant_phone_whatsapp ON leads (tenant_id, phone_whatsapp);
