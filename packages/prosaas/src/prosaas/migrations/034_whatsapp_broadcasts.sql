-- step: whatsapp_broadcasts_table
CREATE TABLE whatsapp_broadcasts (
    id                 serial PRIMARY KEY,
    business_id        integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    created_by_user_id integer REFERENCES users (id) ON DELETE SET NULL,
    name               varchar(255) NOT NULL,
    template_name      varchar(255),
    message_text       text,
    audience_filter    jsonb,
    status             varchar(32) NOT NULL DEFAULT 'draft',
    total_recipients   integer DEFAULT 0,
    sent_count         integer DEFAULT 0,
    failed_count       integer DEFAULT 0,
    created_at         timestamp DEFAULT now(),
    started_at         timestamp,
    completed_at       timestamp
);

CREATE INDEX idx_whatsapp_broadcasts_business_status ON whatsapp_broadcasts (business_id, status);

-- A campaign that was picked up again sent every message two or three times: a number stands once in a broadcast.
-- step: whatsapp_broadcast_recipients_table
CREATE TABLE whatsapp_broadcast_recipients (
    id                  serial PRIMARY KEY,
    broadcast_id        integer NOT NULL REFERENCES whatsapp_broadcasts (id) ON DELETE CASCADE,
    business_id         integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    lead_id             integer REFERENCES leads (id) ON DELETE SET NULL,
    phone               varchar(64) NOT NULL,
    status              varchar(32) NOT NULL DEFAULT 'queued',
    provider_message_id varchar(128),
    error_message       text,
    created_at          timestamp DEFAULT now(),
    sent_at             timestamp,
    CONSTRAINT uq_whatsapp_broadcast_recipients_phone UNIQUE (broadcast_id, phone)
);

CREATE INDEX idx_whatsapp_broadcast_recipients_status ON whatsapp_broadcast_recipients (broadcast_id, status);
