-- The list of leads is filtered by status and sorted by date; both were sequential scans.
CREATE INDEX idx_leads_tenant_status ON leads (tenant_id, status);

CREATE INDEX idx_leads_tenant_created ON leads (tenant_id, created_at);
