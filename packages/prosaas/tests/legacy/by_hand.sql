-- What people and half-finished migrations did to the database after create_all.

-- Somebody needed the 24-hour window of WhatsApp before there was a migration for it.
ALTER TABLE whatsapp_conversation ADD COLUMN last_customer_message_at TIMESTAMP WITH TIME ZONE;
UPDATE whatsapp_conversation SET last_customer_message_at = last_message_at AT TIME ZONE 'UTC' WHERE id % 3 <> 0;

-- A column of an advertising experiment; no migration ever knew it.
ALTER TABLE leads ADD COLUMN facebook_ad_id VARCHAR(64);
UPDATE leads SET facebook_ad_id = 'fb_' || id WHERE source = 'facebook';

-- Set in the console for one customer, and forgotten.
ALTER TABLE business ALTER COLUMN working_hours SET DEFAULT '09:00-17:00';

-- The index of the clean-up query, built CONCURRENTLY and cancelled half-way: it is there, and it is INVALID.
CREATE INDEX idx_outbound_call_jobs_status_twilio_sid ON outbound_call_jobs (status, twilio_call_sid);
UPDATE pg_catalog.pg_index SET indisvalid = false
WHERE indexrelid = 'idx_outbound_call_jobs_status_twilio_sid'::regclass;

-- An index that somebody tried out.
CREATE INDEX leads_notes_len_tmp ON leads (length(notes));

-- Tables and a view that no migration knows.
CREATE TABLE leads_backup_2023 (
    id INTEGER,
    name TEXT,
    phone TEXT,
    exported_at TIMESTAMP WITHOUT TIME ZONE
);
INSERT INTO leads_backup_2023
SELECT id, name, phone_e164, TIMESTAMP '2023-12-31 22:00:00' FROM leads WHERE id <= 250;

CREATE TABLE sms_log (
    id BIGSERIAL PRIMARY KEY,
    lead_id INTEGER REFERENCES leads (id) ON DELETE CASCADE,
    phone VARCHAR(20) NOT NULL,
    body TEXT NOT NULL,
    sent_at TIMESTAMP WITHOUT TIME ZONE DEFAULT now()
);
INSERT INTO sms_log (lead_id, phone, body, sent_at)
SELECT id, phone_e164, 'תזכורת: מחר בשעה 10:00. להסרה השיבו "הסר"', created_at + interval '3 days'
FROM leads
WHERE phone_e164 IS NOT NULL AND id % 4 = 0;

CREATE TABLE rq_jobs_archive (
    job_id TEXT PRIMARY KEY,
    queue TEXT NOT NULL,
    payload BYTEA,
    ended_at TIMESTAMP WITHOUT TIME ZONE
);
INSERT INTO rq_jobs_archive
SELECT md5(n::text), (ARRAY['default', 'recordings', 'receipts'])[1 + n % 3], decode(md5((n * 7)::text), 'hex'),
       TIMESTAMP '2025-03-01' + n * interval '17 minutes'
FROM generate_series(1, 150) AS n;

CREATE VIEW receipts_per_vendor AS
SELECT business_id, vendor_name, count(*) AS receipts, sum(amount) AS total
FROM receipts
WHERE NOT is_deleted
GROUP BY business_id, vendor_name;

-- The ledger of the old runner. It marked a step as done when it found the table, whatever the table looked like.
CREATE TABLE schema_migrations (
    migration_id VARCHAR(255) NOT NULL,
    applied_at TIMESTAMP WITHOUT TIME ZONE NOT NULL DEFAULT now(),
    success BOOLEAN NOT NULL DEFAULT true,
    reconciled BOOLEAN NOT NULL DEFAULT false,
    notes TEXT,
    PRIMARY KEY (migration_id)
);
INSERT INTO schema_migrations (migration_id, applied_at, success, reconciled, notes) VALUES
('core_tables_business', '2024-02-11 07:12:40', true, true, 'table exists'),
('core_business_table', '2024-02-11 07:12:40', true, true, 'table exists'),
('core_leads_table', '2024-02-11 07:12:41', true, true, 'table exists'),
('core_call_log_table', '2024-02-11 07:12:41', true, true, 'table exists'),
('messaging_threads_table', '2024-02-11 07:12:41', true, true, 'table exists'),
('messaging_messages_table', '2024-02-11 07:12:41', true, true, 'table exists'),
('whatsapp_fields_leads', '2024-02-11 07:12:42', true, true, NULL),
('recording_url_field', '2024-02-11 07:12:42', true, true, NULL),
('call_log_transcript', '2024-02-11 07:12:42', true, false, NULL),
('gmail_receipts_table', '2024-05-02 19:40:03', true, false, NULL),
('whatsapp_phone_field', '2024-05-02 19:40:03', true, false, NULL),
('40a', '2024-09-15 05:01:17', true, false, NULL),
('40b', '2024-09-15 05:01:17', true, false, NULL),
('leads_last_call_direction', '2024-09-15 05:01:18', true, false, NULL),
('46a', '2024-11-20 04:58:30', true, false, NULL),
('46b', '2024-11-20 04:58:30', true, false, NULL),
('46c', '2024-11-20 04:58:31', true, false, NULL),
('46d', '2024-11-20 05:02:11', true, false, 'index exists'),
('business_lead_tabs_config', '2025-04-07 03:30:00', true, false, 'המיגרציה הורצה ידנית'),
('115_business_calendars_table', '2025-08-19 02:14:55', true, true, 'table exists'),
('115_calendar_routing_rules_table', '2025-08-19 02:16:55', false, false,
 'canceling statement due to statement timeout');
