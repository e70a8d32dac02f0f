-- WhatsApp names people by JID, which since 2023 need not contain their number (…@lid): the second column keeps the
-- alternative name of the same person.
-- step: leads_whatsapp_fields (was whatsapp_fields_leads)
ALTER TABLE leads
    ADD COLUMN whatsapp_jid varchar(128),
    ADD COLUMN whatsapp_jid_alt varchar(128);

CREATE INDEX idx_leads_tenant_whatsapp_jid ON leads (tenant_id, whatsapp_jid);
