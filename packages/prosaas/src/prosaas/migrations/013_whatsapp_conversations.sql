-- A conversation is one sitting with a customer: it is opened by a message and closed by silence, then summarised.
-- step: whatsapp_conversation_table
CREATE TABLE whatsapp_conversation (
    id              serial PRIMARY KEY,
    business_id     integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    lead_id         integer REFERENCES leads (id) ON DELETE SET NULL,
    customer_wa_id  varchar(128) NOT NULL,
    customer_name   varchar(255),
    is_open         boolean NOT NULL DEFAULT true,
    started_at      timestamp DEFAULT now(),
    last_message_at timestamp,
    closed_at       timestamp,
    summary         text
);

CREATE INDEX idx_whatsapp_conversation_business_customer ON whatsapp_conversation (business_id, customer_wa_id);

CREATE INDEX idx_whatsapp_conversation_lead_id ON whatsapp_conversation (lead_id);

-- step: whatsapp_message_table
CREATE TABLE whatsapp_message (
    id                  serial PRIMARY KEY,
    business_id         integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    conversation_id     integer REFERENCES whatsapp_conversation (id) ON DELETE CASCADE,
    lead_id             integer REFERENCES leads (id) ON DELETE SET NULL,
    direction           varchar(8) NOT NULL,
    from_number         varchar(64),
    to_number           varchar(64),
    message_type        varchar(32) NOT NULL DEFAULT 'text',
    body                text,
    media_url           text,
    status              varchar(32) NOT NULL DEFAULT 'pending',
    provider            varchar(32) NOT NULL DEFAULT 'baileys',
    provider_message_id varchar(128),
    created_at          timestamp DEFAULT now()
);

CREATE INDEX idx_whatsapp_message_conversation ON whatsapp_message (conversation_id, created_at);

CREATE INDEX idx_whatsapp_message_business_created ON whatsapp_message (business_id, created_at);
