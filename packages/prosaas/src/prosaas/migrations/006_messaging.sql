-- One thread per peer and channel. peer_id is a phone number, a WhatsApp JID or an e-mail address.
-- step: threads_table (was messaging_threads_table)
CREATE TABLE threads (
    id              serial PRIMARY KEY,
    business_id     integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    type            varchar(32) NOT NULL DEFAULT 'whatsapp',
    provider        varchar(32) NOT NULL DEFAULT 'baileys',
    peer_id         varchar(128) NOT NULL,
    title           varchar(255),
    last_message_at timestamp,
    created_at      timestamp DEFAULT now(),
    updated_at      timestamp DEFAULT now(),
    CONSTRAINT uq_threads_peer UNIQUE (business_id, type, peer_id)
);

CREATE INDEX idx_threads_business_id ON threads (business_id);

-- step: messages_table (was messaging_messages_table)
CREATE TABLE messages (
    id              serial PRIMARY KEY,
    thread_id       integer NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    direction       varchar(8) NOT NULL,
    message_type    varchar(32) NOT NULL DEFAULT 'text',
    content_text    text,
    content_json    jsonb,
    provider_msg_id varchar(128),
    status          varchar(32) NOT NULL DEFAULT 'received',
    created_at      timestamp DEFAULT now()
);

-- A thread is read newest first.
CREATE INDEX idx_messages_thread_created ON messages (thread_id, created_at);
