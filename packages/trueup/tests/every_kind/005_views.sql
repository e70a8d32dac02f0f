CREATE VIEW app.hot AS SELECT leads.id, upper(leads.name) AS loud, l2.n
    FROM app.leads, LATERAL (SELECT count(*) AS n FROM app.calls WHERE calls.lead_id = leads.id) l2
    WHERE leads.kind IN ('hot', 'cold') AND NOT (leads.mood = 'sad');
CREATE VIEW app.plain WITH (security_barrier = true) AS
    SELECT id, name, CASE WHEN price > 1 THEN 'dear' ELSE 'cheap' END AS sort FROM app.leads WHERE born > '2000-01-01'
    ORDER BY name;
CREATE VIEW app.both AS SELECT id FROM app.leads UNION ALL SELECT id FROM app.calls;
CREATE VIEW app.grouped AS SELECT kind, count(*) AS n, max(at) AS latest FROM app.leads l GROUP BY kind
    HAVING count(*) > 1;
CREATE VIEW app.nested AS WITH recent AS (SELECT id, at FROM app.leads WHERE at > now() - interval '1 day')
    SELECT r.id, row_number() OVER (ORDER BY r.at) AS place FROM recent r
    WHERE EXISTS (SELECT 1 FROM app.calls c WHERE c.lead_id = r.id);
CREATE VIEW app.joined AS SELECT l.id, c.id AS call FROM app.leads l LEFT JOIN app.calls c ON c.lead_id = l.id;
CREATE MATERIALIZED VIEW app.summary AS SELECT kind, sum(price) AS price FROM app.leads GROUP BY kind;
CREATE UNIQUE INDEX summary_kind ON app.summary (kind);
