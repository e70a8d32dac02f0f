-- Calls per business, day and direction, by UTC days. The dashboards' only question; kept here so that they agree.
-- step: call_report_view
CREATE VIEW call_report AS
SELECT b.id AS business_id,
       b.name AS business_name,
       date_trunc('day', c.created_at) AS day,
       c.direction,
       count(*) AS calls,
       count(c.lead_id) AS calls_with_lead,
       count(c.recording_url) AS recorded,
       sum(c.duration) AS seconds
FROM business b
JOIN call_log c ON c.business_id = b.id
GROUP BY b.id, b.name, date_trunc('day', c.created_at), c.direction;
