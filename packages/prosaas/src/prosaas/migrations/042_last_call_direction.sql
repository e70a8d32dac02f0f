-- The list of leads has tabs by who called last; asking call_log for every row was too slow.
-- step: leads_last_call_direction (was leads_last_call_direction)
ALTER TABLE leads ADD COLUMN last_call_direction varchar(16);

CREATE INDEX idx_leads_tenant_last_call_direction ON leads (tenant_id, last_call_direction);
