-- The voice the AI speaks with on this business's calls; empty means the platform's own.
ALTER TABLE business ADD COLUMN voice_id varchar(64);
