-- Which tabs the page of a lead shows, and in which order; empty means the usual ones.
-- step: business_lead_tabs_config (was business_lead_tabs_config)
ALTER TABLE business ADD COLUMN lead_tabs_config jsonb;
