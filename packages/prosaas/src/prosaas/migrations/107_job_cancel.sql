-- Asked for, not done: the worker looks at it between two batches.
-- step: background_jobs_cancel_requested
ALTER TABLE background_jobs ADD COLUMN cancel_requested boolean DEFAULT false;
