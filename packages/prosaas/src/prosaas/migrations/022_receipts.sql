-- is_deleted: receipts are documents for the tax authority. They leave the list, not the database.
-- step: receipts_table
CREATE TABLE receipts (
    id               serial PRIMARY KEY,
    business_id      integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    source           varchar(32) NOT NULL DEFAULT 'gmail',
    gmail_message_id varchar(255),
    vendor_name      varchar(255),
    amount           numeric(12,2),
    currency         varchar(3) NOT NULL DEFAULT 'ILS',
    invoice_number   varchar(100),
    invoice_date     date,
    raw_extraction   jsonb,
    status           varchar(32) NOT NULL DEFAULT 'pending_review',
    is_deleted       boolean NOT NULL DEFAULT false,
    deleted_at       timestamp,
    created_at       timestamp DEFAULT now(),
    updated_at       timestamp DEFAULT now()
);

CREATE INDEX idx_receipts_business_status ON receipts (business_id, status);

CREATE INDEX idx_receipts_business_date ON receipts (business_id, invoice_date);

-- One e-mail may hold several receipts: no unique key, only a fast way back to the message.
CREATE INDEX idx_receipts_gmail_message_id ON receipts (gmail_message_id);
