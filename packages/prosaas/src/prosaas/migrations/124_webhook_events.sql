-- Callbacks arrive twice: the first one inserts its key, the second one finds it. event_key is the provider's own
-- id, or the call's SID with its status and sequence number.
-- step: webhook_events_table
CREATE TABLE webhook_events (
    id           bigserial PRIMARY KEY,
    provider     varchar(32) NOT NULL,
    event_key    varchar(255) NOT NULL,
    business_id  integer REFERENCES business (id) ON DELETE CASCADE,
    payload      jsonb NOT NULL DEFAULT '{}',
    received_at  timestamptz NOT NULL DEFAULT now(),
    processed_at timestamptz,
    CONSTRAINT uq_webhook_events_key UNIQUE (provider, event_key)
);

CREATE INDEX idx_webhook_events_unprocessed ON webhook_events (received_at) WHERE processed_at IS NULL;
