-- jsonb_path_ops: only "has this tag" (@>) is asked, and it is half the size.
CREATE INDEX idx_leads_tags ON leads USING gin (tags jsonb_path_ops);
