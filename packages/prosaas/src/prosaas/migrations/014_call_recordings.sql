-- Where Twilio keeps the recording; fetching it needs credentials, so it is never handed to a browser.
-- step: call_log_recording_url (was recording_url_field)
ALTER TABLE call_log ADD COLUMN recording_url varchar(512);
