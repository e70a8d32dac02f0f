SELECT extract(epoch FROM now() - max(last_beat_at))::float
FROM worker_heartbeats
