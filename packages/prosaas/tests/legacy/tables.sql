-- The tables as the ORM's create_all emitted them, from models of different ages: columns in the order of the
-- models, no server defaults, foreign keys without ON DELETE, indexes called ix_…

CREATE TABLE business (
    id SERIAL NOT NULL,
    name VARCHAR(255) NOT NULL,
    business_type VARCHAR(64),
    phone_number VARCHAR(64),
    whatsapp_number VARCHAR(64),
    email VARCHAR(255),
    address VARCHAR(255),
    working_hours VARCHAR(50),
    voice_id VARCHAR(64),
    is_active BOOLEAN NOT NULL,
    calls_enabled BOOLEAN NOT NULL,
    crm_enabled BOOLEAN NOT NULL,
    whatsapp_provider VARCHAR(32),
    webhook_secret VARCHAR(128),
    enabled_pages JSONB NOT NULL,
    lead_tabs_config JSONB,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id)
);
CREATE INDEX ix_business_phone_number ON business (phone_number);
CREATE UNIQUE INDEX ix_business_webhook_secret ON business (webhook_secret);

CREATE TABLE users (
    id SERIAL NOT NULL,
    email VARCHAR(255) NOT NULL,
    password_hash VARCHAR(255),
    name VARCHAR(255),
    role VARCHAR(64) NOT NULL,
    business_id INTEGER,
    is_active BOOLEAN NOT NULL,
    push_enabled BOOLEAN NOT NULL,
    last_login TIMESTAMP WITHOUT TIME ZONE,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id)
);
CREATE UNIQUE INDEX ix_users_email ON users (email);
CREATE INDEX ix_users_business_id ON users (business_id);

CREATE TABLE business_settings (
    tenant_id INTEGER NOT NULL,
    timezone VARCHAR(64) NOT NULL,
    slot_size_min INTEGER NOT NULL,
    opening_hours_json JSONB,
    allow_24_7 BOOLEAN NOT NULL,
    booking_window_days INTEGER NOT NULL,
    min_notice_min INTEGER NOT NULL,
    ai_prompt TEXT,
    greeting_message TEXT,
    ai_enabled BOOLEAN NOT NULL,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (tenant_id),
    FOREIGN KEY(tenant_id) REFERENCES business (id)
);

CREATE TABLE lead_statuses (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    name VARCHAR(64) NOT NULL,
    label VARCHAR(128) NOT NULL,
    color VARCHAR(64),
    order_index INTEGER,
    is_active BOOLEAN NOT NULL,
    is_default BOOLEAN NOT NULL,
    is_system BOOLEAN NOT NULL,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    UNIQUE (business_id, name),
    FOREIGN KEY(business_id) REFERENCES business (id)
);
CREATE INDEX ix_lead_statuses_business_id ON lead_statuses (business_id);

CREATE TABLE outbound_lead_lists (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    name VARCHAR(255) NOT NULL,
    file_name VARCHAR(255),
    total_leads INTEGER,
    created_by_user_id INTEGER,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(created_by_user_id) REFERENCES users (id)
);
CREATE INDEX ix_outbound_lead_lists_business_id ON outbound_lead_lists (business_id);

CREATE TABLE leads (
    id SERIAL NOT NULL,
    tenant_id INTEGER NOT NULL,
    first_name VARCHAR(128),
    last_name VARCHAR(128),
    name VARCHAR(255),
    phone_e164 VARCHAR(64),
    phone_raw VARCHAR(64),
    phone_whatsapp VARCHAR(64),
    whatsapp_jid VARCHAR(128),
    whatsapp_jid_alt VARCHAR(128),
    email VARCHAR(320),
    source VARCHAR(32) NOT NULL,
    status VARCHAR(32) NOT NULL,
    order_index INTEGER,
    owner_user_id INTEGER,
    outbound_list_id INTEGER,
    tags JSONB,
    notes TEXT,
    last_call_direction VARCHAR(16),
    last_contact_at TIMESTAMP WITHOUT TIME ZONE,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(tenant_id) REFERENCES business (id),
    FOREIGN KEY(owner_user_id) REFERENCES users (id),
    FOREIGN KEY(outbound_list_id) REFERENCES outbound_lead_lists (id)
);
CREATE INDEX ix_leads_tenant_id ON leads (tenant_id);
CREATE INDEX ix_leads_phone_e164 ON leads (phone_e164);
CREATE INDEX ix_leads_outbound_list_id ON leads (outbound_list_id);

CREATE TABLE call_log (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    lead_id INTEGER,
    call_sid VARCHAR(64),
    parent_call_sid VARCHAR(64),
    from_number VARCHAR(64),
    to_number VARCHAR(64),
    direction VARCHAR(16),
    call_status VARCHAR(32),
    duration INTEGER,
    recording_url VARCHAR(512),
    recording_sid VARCHAR(64),
    recording_mode VARCHAR(32),
    transcription TEXT,
    summary TEXT,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    UNIQUE (call_sid),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(lead_id) REFERENCES leads (id)
);
CREATE INDEX ix_call_log_business_id ON call_log (business_id);
CREATE INDEX ix_call_log_lead_id ON call_log (lead_id);
CREATE INDEX ix_call_log_recording_sid ON call_log (recording_sid);

CREATE TABLE threads (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    type VARCHAR(32) NOT NULL,
    provider VARCHAR(32) NOT NULL,
    peer_id VARCHAR(128) NOT NULL,
    title VARCHAR(255),
    last_message_at TIMESTAMP WITHOUT TIME ZONE,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT uq_threads_peer UNIQUE (business_id, type, peer_id),
    FOREIGN KEY(business_id) REFERENCES business (id)
);
CREATE INDEX ix_threads_business_id ON threads (business_id);

CREATE TABLE messages (
    id SERIAL NOT NULL,
    thread_id INTEGER NOT NULL,
    direction VARCHAR(8) NOT NULL,
    message_type VARCHAR(32) NOT NULL,
    content_text TEXT,
    content_json JSONB,
    provider_msg_id VARCHAR(128),
    status VARCHAR(32) NOT NULL,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(thread_id) REFERENCES threads (id)
);
CREATE INDEX ix_messages_thread_id ON messages (thread_id);

CREATE TABLE appointments (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    lead_id INTEGER,
    call_log_id INTEGER,
    title VARCHAR(255) NOT NULL,
    description TEXT,
    start_time TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    end_time TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    status VARCHAR(32) NOT NULL,
    appointment_type VARCHAR(64),
    location VARCHAR(255),
    source VARCHAR(32) NOT NULL,
    contact_name VARCHAR(255),
    contact_phone VARCHAR(64),
    contact_email VARCHAR(255),
    created_by INTEGER,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(lead_id) REFERENCES leads (id),
    FOREIGN KEY(call_log_id) REFERENCES call_log (id),
    FOREIGN KEY(created_by) REFERENCES users (id)
);
CREATE INDEX ix_appointments_business_id ON appointments (business_id);
CREATE INDEX ix_appointments_lead_id ON appointments (lead_id);

CREATE TABLE baileys_sessions (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    status VARCHAR(32) NOT NULL,
    phone VARCHAR(64),
    auth_state TEXT,
    last_connected_at TIMESTAMP WITHOUT TIME ZONE,
    last_error TEXT,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    UNIQUE (business_id),
    FOREIGN KEY(business_id) REFERENCES business (id)
);

CREATE TABLE whatsapp_conversation (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    lead_id INTEGER,
    customer_wa_id VARCHAR(128) NOT NULL,
    customer_name VARCHAR(255),
    is_open BOOLEAN NOT NULL,
    started_at TIMESTAMP WITHOUT TIME ZONE,
    last_message_at TIMESTAMP WITHOUT TIME ZONE,
    closed_at TIMESTAMP WITHOUT TIME ZONE,
    summary TEXT,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(lead_id) REFERENCES leads (id)
);
CREATE INDEX ix_whatsapp_conversation_business_id ON whatsapp_conversation (business_id);
CREATE INDEX ix_whatsapp_conversation_lead_id ON whatsapp_conversation (lead_id);

CREATE TABLE whatsapp_message (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    conversation_id INTEGER,
    lead_id INTEGER,
    direction VARCHAR(8) NOT NULL,
    from_number VARCHAR(64),
    to_number VARCHAR(64),
    message_type VARCHAR(32) NOT NULL,
    body TEXT,
    media_url TEXT,
    status VARCHAR(32) NOT NULL,
    provider VARCHAR(32) NOT NULL,
    provider_message_id VARCHAR(128),
    created_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(conversation_id) REFERENCES whatsapp_conversation (id),
    FOREIGN KEY(lead_id) REFERENCES leads (id)
);
CREATE INDEX ix_whatsapp_message_business_id ON whatsapp_message (business_id);

CREATE TABLE lead_reminders (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    lead_id INTEGER,
    due_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    note TEXT,
    channel VARCHAR(32) NOT NULL,
    created_by INTEGER,
    delivered_at TIMESTAMP WITHOUT TIME ZONE,
    completed_at TIMESTAMP WITHOUT TIME ZONE,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(lead_id) REFERENCES leads (id),
    FOREIGN KEY(created_by) REFERENCES users (id)
);
CREATE INDEX ix_lead_reminders_due_at ON lead_reminders (due_at);

CREATE TABLE lead_activities (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    lead_id INTEGER NOT NULL,
    type VARCHAR(64) NOT NULL,
    payload JSONB,
    at TIMESTAMP WITHOUT TIME ZONE,
    created_by INTEGER,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(lead_id) REFERENCES leads (id),
    FOREIGN KEY(created_by) REFERENCES users (id)
);
CREATE INDEX ix_lead_activities_lead_id ON lead_activities (lead_id);

CREATE TABLE gmail_connections (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    email_address VARCHAR(255) NOT NULL,
    refresh_token_encrypted TEXT NOT NULL,
    status VARCHAR(32) NOT NULL,
    error_message TEXT,
    last_sync_at TIMESTAMP WITHOUT TIME ZONE,
    last_history_id VARCHAR(64),
    created_at TIMESTAMP WITHOUT TIME ZONE,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    UNIQUE (business_id),
    FOREIGN KEY(business_id) REFERENCES business (id)
);

CREATE TABLE gmail_receipts (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    connection_id INTEGER,
    gmail_message_id VARCHAR(255) NOT NULL,
    gmail_thread_id VARCHAR(255),
    subject VARCHAR(500),
    from_email VARCHAR(255),
    received_at TIMESTAMP WITHOUT TIME ZONE,
    has_attachment BOOLEAN NOT NULL,
    status VARCHAR(32) NOT NULL,
    error_message TEXT,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT uq_gmail_receipts_message UNIQUE (business_id, gmail_message_id),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(connection_id) REFERENCES gmail_connections (id)
);

CREATE TABLE receipts (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    source VARCHAR(32) NOT NULL,
    gmail_message_id VARCHAR(255),
    vendor_name VARCHAR(255),
    amount NUMERIC(12, 2),
    currency VARCHAR(3) NOT NULL,
    invoice_number VARCHAR(100),
    invoice_date DATE,
    confidence INTEGER,
    raw_extraction JSONB,
    status VARCHAR(32) NOT NULL,
    reviewed_by INTEGER,
    reviewed_at TIMESTAMP WITHOUT TIME ZONE,
    attachment_path VARCHAR(512),
    is_deleted BOOLEAN NOT NULL,
    deleted_at TIMESTAMP WITHOUT TIME ZONE,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(reviewed_by) REFERENCES users (id)
);
CREATE INDEX ix_receipts_business_id ON receipts (business_id);
CREATE INDEX ix_receipts_gmail_message_id ON receipts (gmail_message_id);

CREATE TABLE receipt_sync_runs (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    mode VARCHAR(32) NOT NULL,
    status VARCHAR(32) NOT NULL,
    from_date DATE,
    to_date DATE,
    messages_scanned INTEGER,
    receipts_saved INTEGER,
    skipped_count INTEGER,
    errors_count INTEGER,
    cursor TEXT,
    cancel_requested BOOLEAN,
    error_message TEXT,
    started_at TIMESTAMP WITHOUT TIME ZONE,
    last_heartbeat_at TIMESTAMP WITHOUT TIME ZONE,
    finished_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id)
);

CREATE TABLE contract_templates (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    name VARCHAR(255) NOT NULL,
    body TEXT NOT NULL,
    fields JSONB NOT NULL,
    is_active BOOLEAN NOT NULL,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id)
);
CREATE INDEX ix_contract_templates_business_id ON contract_templates (business_id);

CREATE TABLE contracts (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    lead_id INTEGER,
    template_id INTEGER,
    created_by_user_id INTEGER,
    title VARCHAR(255) NOT NULL,
    body TEXT NOT NULL,
    amount NUMERIC(12, 2),
    currency VARCHAR(3) NOT NULL,
    status VARCHAR(32) NOT NULL,
    sent_at TIMESTAMP WITHOUT TIME ZONE,
    sign_token_hash VARCHAR(64),
    sign_token_expires_at TIMESTAMP WITHOUT TIME ZONE,
    signed_at TIMESTAMP WITHOUT TIME ZONE,
    signer_name VARCHAR(255),
    signer_ip VARCHAR(45),
    created_at TIMESTAMP WITHOUT TIME ZONE,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(lead_id) REFERENCES leads (id),
    FOREIGN KEY(template_id) REFERENCES contract_templates (id),
    FOREIGN KEY(created_by_user_id) REFERENCES users (id)
);
CREATE INDEX ix_contracts_lead_id ON contracts (lead_id);

CREATE TABLE faqs (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    question VARCHAR(500) NOT NULL,
    answer TEXT NOT NULL,
    lang VARCHAR(8) NOT NULL,
    order_index INTEGER,
    is_active BOOLEAN NOT NULL,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id)
);

CREATE TABLE refresh_tokens (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    user_agent VARCHAR(255),
    expires_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITHOUT TIME ZONE,
    replaced_by INTEGER,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    UNIQUE (token_hash),
    FOREIGN KEY(user_id) REFERENCES users (id),
    FOREIGN KEY(replaced_by) REFERENCES refresh_tokens (id)
);
CREATE INDEX ix_refresh_tokens_user_id ON refresh_tokens (user_id);

CREATE TABLE push_subscriptions (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    channel VARCHAR(16) NOT NULL,
    endpoint TEXT NOT NULL,
    p256dh TEXT,
    auth TEXT,
    device_info VARCHAR(255),
    is_active BOOLEAN NOT NULL,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    last_used_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    UNIQUE (endpoint),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE TABLE crm_tasks (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    lead_id INTEGER,
    assigned_to INTEGER,
    title VARCHAR(255) NOT NULL,
    description TEXT,
    priority VARCHAR(16) NOT NULL,
    status VARCHAR(32) NOT NULL,
    due_date TIMESTAMP WITHOUT TIME ZONE,
    completed_at TIMESTAMP WITHOUT TIME ZONE,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(lead_id) REFERENCES leads (id),
    FOREIGN KEY(assigned_to) REFERENCES users (id)
);
CREATE INDEX ix_crm_tasks_assigned_to ON crm_tasks (assigned_to);

CREATE TABLE whatsapp_broadcasts (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    created_by_user_id INTEGER,
    name VARCHAR(255) NOT NULL,
    template_name VARCHAR(255),
    message_text TEXT,
    audience_filter JSONB,
    status VARCHAR(32) NOT NULL,
    total_recipients INTEGER,
    sent_count INTEGER,
    failed_count INTEGER,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    started_at TIMESTAMP WITHOUT TIME ZONE,
    completed_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(created_by_user_id) REFERENCES users (id)
);

CREATE TABLE whatsapp_broadcast_recipients (
    id SERIAL NOT NULL,
    broadcast_id INTEGER NOT NULL,
    business_id INTEGER NOT NULL,
    lead_id INTEGER,
    phone VARCHAR(64) NOT NULL,
    status VARCHAR(32) NOT NULL,
    provider_message_id VARCHAR(128),
    error_message TEXT,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    sent_at TIMESTAMP WITHOUT TIME ZONE,
    delivered_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT uq_whatsapp_broadcast_recipients_phone UNIQUE (broadcast_id, phone),
    FOREIGN KEY(broadcast_id) REFERENCES whatsapp_broadcasts (id),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(lead_id) REFERENCES leads (id)
);

CREATE TABLE broadcast_jobs (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    broadcast_id INTEGER NOT NULL,
    status VARCHAR(32) NOT NULL,
    cursor_position INTEGER,
    cancel_requested BOOLEAN,
    locked_by_worker VARCHAR(128),
    lock_ts TIMESTAMP WITHOUT TIME ZONE,
    last_error TEXT,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    started_at TIMESTAMP WITHOUT TIME ZONE,
    completed_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(broadcast_id) REFERENCES whatsapp_broadcasts (id)
);
CREATE INDEX ix_broadcast_jobs_broadcast_id ON broadcast_jobs (broadcast_id);

CREATE TABLE outbound_call_runs (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    outbound_list_id INTEGER,
    created_by_user_id INTEGER,
    concurrency INTEGER,
    total_leads INTEGER,
    queued_count INTEGER,
    in_progress_count INTEGER,
    completed_count INTEGER,
    failed_count INTEGER,
    cursor_position INTEGER,
    status VARCHAR(32),
    cancel_requested BOOLEAN,
    last_error TEXT,
    locked_by_worker VARCHAR(128),
    lock_ts TIMESTAMP WITHOUT TIME ZONE,
    last_heartbeat_at TIMESTAMP WITHOUT TIME ZONE,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    started_at TIMESTAMP WITHOUT TIME ZONE,
    ended_at TIMESTAMP WITHOUT TIME ZONE,
    completed_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(outbound_list_id) REFERENCES outbound_lead_lists (id),
    FOREIGN KEY(created_by_user_id) REFERENCES users (id)
);
CREATE INDEX ix_outbound_call_runs_business_id ON outbound_call_runs (business_id);
CREATE INDEX ix_outbound_call_runs_status ON outbound_call_runs (status);

CREATE TABLE outbound_call_jobs (
    id SERIAL NOT NULL,
    run_id INTEGER NOT NULL,
    business_id INTEGER,
    lead_id INTEGER NOT NULL,
    call_log_id INTEGER,
    status VARCHAR(32),
    error_message TEXT,
    call_sid VARCHAR(64),
    twilio_call_sid VARCHAR(64),
    dial_started_at TIMESTAMP WITHOUT TIME ZONE,
    dial_lock_token VARCHAR(64),
    created_at TIMESTAMP WITHOUT TIME ZONE,
    started_at TIMESTAMP WITHOUT TIME ZONE,
    completed_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(run_id) REFERENCES outbound_call_runs (id),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(lead_id) REFERENCES leads (id),
    FOREIGN KEY(call_log_id) REFERENCES call_log (id)
);
CREATE INDEX ix_outbound_call_jobs_run_id ON outbound_call_jobs (run_id);
CREATE INDEX ix_outbound_call_jobs_lead_id ON outbound_call_jobs (lead_id);
CREATE INDEX ix_outbound_call_jobs_twilio_call_sid ON outbound_call_jobs (twilio_call_sid);

CREATE TABLE audit_log (
    id SERIAL NOT NULL,
    business_id INTEGER,
    user_id INTEGER,
    action VARCHAR(64) NOT NULL,
    entity VARCHAR(64),
    entity_id INTEGER,
    details JSONB,
    ip_address VARCHAR(45),
    created_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE TABLE notifications (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    type VARCHAR(64) NOT NULL,
    title VARCHAR(255) NOT NULL,
    body TEXT,
    link VARCHAR(255),
    read_at TIMESTAMP WITHOUT TIME ZONE,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE TABLE background_jobs (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    requested_by_user_id INTEGER,
    job_type VARCHAR(64) NOT NULL,
    status VARCHAR(32),
    total INTEGER,
    processed INTEGER,
    succeeded INTEGER,
    failed_count INTEGER,
    last_error TEXT,
    cursor TEXT,
    cancel_requested BOOLEAN,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    started_at TIMESTAMP WITHOUT TIME ZONE,
    finished_at TIMESTAMP WITHOUT TIME ZONE,
    heartbeat_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT chk_job_type CHECK (job_type IN ('delete_receipts_all')),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(requested_by_user_id) REFERENCES users (id)
);

CREATE TABLE recording_runs (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    call_sid VARCHAR(64) NOT NULL,
    recording_sid VARCHAR(64),
    recording_url VARCHAR(512),
    status VARCHAR(32) NOT NULL,
    job_type VARCHAR(32) NOT NULL,
    cancel_requested BOOLEAN,
    error_message TEXT,
    retry_count INTEGER,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    started_at TIMESTAMP WITHOUT TIME ZONE,
    completed_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id)
);
CREATE INDEX ix_recording_runs_call_sid ON recording_runs (call_sid);

-- From a model that did not have the buffers yet.
CREATE TABLE business_calendars (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    name VARCHAR(255) NOT NULL,
    type_key VARCHAR(64),
    provider VARCHAR(32) NOT NULL,
    calendar_external_id VARCHAR(255),
    is_active BOOLEAN NOT NULL,
    priority INTEGER NOT NULL,
    default_duration_minutes INTEGER,
    allowed_tags JSONB NOT NULL,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id)
);
CREATE INDEX idx_business_calendars_business_active ON business_calendars (business_id, is_active);

CREATE TABLE scheduled_message_rules (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    name VARCHAR(255) NOT NULL,
    is_active BOOLEAN NOT NULL,
    template_name VARCHAR(255),
    message_text TEXT NOT NULL,
    delay_minutes INTEGER NOT NULL,
    send_window_start VARCHAR(5),
    send_window_end VARCHAR(5),
    created_by_user_id INTEGER,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(created_by_user_id) REFERENCES users (id)
);
CREATE INDEX ix_scheduled_message_rules_business_id ON scheduled_message_rules (business_id);

CREATE TABLE scheduled_rule_statuses (
    id SERIAL NOT NULL,
    rule_id INTEGER NOT NULL,
    status_id INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_scheduled_rule_statuses UNIQUE (rule_id, status_id),
    FOREIGN KEY(rule_id) REFERENCES scheduled_message_rules (id),
    FOREIGN KEY(status_id) REFERENCES lead_statuses (id)
);

-- From the first model of the queue: nothing to claim a message with, and no index.
CREATE TABLE scheduled_messages_queue (
    id SERIAL NOT NULL,
    business_id INTEGER NOT NULL,
    rule_id INTEGER NOT NULL,
    lead_id INTEGER NOT NULL,
    message_text TEXT NOT NULL,
    remote_jid VARCHAR(255) NOT NULL,
    scheduled_for TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    status VARCHAR(20) NOT NULL,
    dedupe_key VARCHAR(255) NOT NULL,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(business_id) REFERENCES business (id),
    FOREIGN KEY(rule_id) REFERENCES scheduled_message_rules (id),
    FOREIGN KEY(lead_id) REFERENCES leads (id)
);
