-- One WhatsApp session per business. The credentials of the session are encrypted by the application.
-- step: baileys_sessions_table
CREATE TABLE baileys_sessions (
    id                serial PRIMARY KEY,
    business_id       integer NOT NULL UNIQUE REFERENCES business (id) ON DELETE CASCADE,
    status            varchar(32) NOT NULL DEFAULT 'disconnected',
    phone             varchar(64),
    auth_state        text,
    last_connected_at timestamp,
    last_error        text,
    created_at        timestamp DEFAULT now(),
    updated_at        timestamp DEFAULT now()
);
