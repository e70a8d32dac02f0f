-- Every e-mail that was looked at, whether a receipt came of it or not, so that no sync reads it twice.
-- step: gmail_receipts_table (was gmail_receipts_table)
CREATE TABLE gmail_receipts (
    id               serial PRIMARY KEY,
    business_id      integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    connection_id    integer REFERENCES gmail_connections (id) ON DELETE SET NULL,
    gmail_message_id varchar(255) NOT NULL,
    gmail_thread_id  varchar(255),
    subject          varchar(500),
    from_email       varchar(255),
    received_at      timestamp,
    has_attachment   boolean NOT NULL DEFAULT false,
    status           varchar(32) NOT NULL DEFAULT 'new',
    error_message    text,
    created_at       timestamp DEFAULT now(),
    CONSTRAINT uq_gmail_receipts_message UNIQUE (business_id, gmail_message_id)
);

CREATE INDEX idx_gmail_receipts_business_status ON gmail_receipts (business_id, status);
