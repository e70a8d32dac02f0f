-- step: call_log_transcription (was call_log_transcript)
ALTER TABLE call_log ADD COLUMN transcription text;

ALTER TABLE call_log ADD COLUMN summary text;
