-- The run's counters beside what its jobs say. Where the two differ, something settled a job twice or not at all.
-- step: outbound_run_progress_view
CREATE VIEW outbound_run_progress AS
SELECT r.id AS run_id,
       r.business_id,
       r.total_leads,
       r.queued_count,
       r.in_progress_count,
       r.completed_count,
       r.failed_count,
       count(j.id) AS jobs,
       count(j.id) FILTER (WHERE j.status = 'queued') AS jobs_queued,
       count(j.id) FILTER (WHERE j.status = 'completed') AS jobs_completed,
       count(j.id) FILTER (WHERE j.status = 'failed') AS jobs_failed
FROM outbound_call_runs r
LEFT JOIN outbound_call_jobs j ON j.run_id = r.id
GROUP BY r.id;
