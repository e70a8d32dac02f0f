DELETE FROM worker_heartbeats
WHERE last_beat_at < now() - make_interval(days => :days)
