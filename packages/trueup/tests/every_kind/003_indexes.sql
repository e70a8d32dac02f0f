CREATE INDEX leads_lower ON app.leads (lower(name)) INCLUDE (code) WHERE kind IN ('hot', 'cold');
CREATE UNIQUE INDEX leads_order ON app.leads (born DESC NULLS LAST, "Odd ""name""" ASC);
CREATE INDEX leads_tags ON app.leads USING gin (tags);
CREATE INDEX events_at ON app.events (at);
CREATE INDEX "odd.index" ON app."My.Table" ("a.b");
CREATE INDEX calls_lead ON app.calls (lead_id);
ALTER TABLE app.calls CLUSTER ON calls_lead;
CREATE STATISTICS app.leads_stats (ndistinct, dependencies) ON name, kind FROM app.leads;
ALTER TABLE app.events ADD CONSTRAINT events_key PRIMARY KEY (id, at);
