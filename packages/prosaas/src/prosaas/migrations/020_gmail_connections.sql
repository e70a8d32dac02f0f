-- One mailbox per business. The refresh token is encrypted by the application.
-- step: gmail_connections_table
CREATE TABLE gmail_connections (
    id                      serial PRIMARY KEY,
    business_id             integer NOT NULL UNIQUE REFERENCES business (id) ON DELETE CASCADE,
    email_address           varchar(255) NOT NULL,
    refresh_token_encrypted text NOT NULL,
    status                  varchar(32) NOT NULL DEFAULT 'connected',
    error_message           text,
    last_sync_at            timestamp,
    last_history_id         varchar(64),
    created_at              timestamp DEFAULT now(),
    updated_at              timestamp DEFAULT now()
);
