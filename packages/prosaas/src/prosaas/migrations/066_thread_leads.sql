-- Threads were matched to leads by their number each time; now once, when the thread begins.
-- step: threads_lead_id
ALTER TABLE threads ADD COLUMN lead_id integer REFERENCES leads (id) ON DELETE SET NULL;

CREATE INDEX idx_threads_lead_id ON threads (lead_id);
