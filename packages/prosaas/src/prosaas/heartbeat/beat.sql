INSERT INTO worker_heartbeats (worker_id, hostname, pid, queues)
VALUES (:worker_id, :hostname, :pid, CAST(:queues AS jsonb))
ON CONFLICT (worker_id) DO UPDATE SET last_beat_at = now()
