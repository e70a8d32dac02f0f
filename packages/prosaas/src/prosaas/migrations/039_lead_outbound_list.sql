-- step: leads_outbound_list_id
ALTER TABLE leads ADD COLUMN outbound_list_id integer REFERENCES outbound_lead_lists (id) ON DELETE SET NULL;

CREATE INDEX idx_leads_outbound_list_id ON leads (outbound_list_id);
