ALTER TABLE users ADD COLUMN push_enabled boolean NOT NULL DEFAULT true;

-- One row per browser: the endpoint is the browser's own address at its push service.
-- step: push_subscriptions_table
CREATE TABLE push_subscriptions (
    id           serial PRIMARY KEY,
    business_id  integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    user_id      integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    channel      varchar(16) NOT NULL DEFAULT 'webpush',
    endpoint     text NOT NULL UNIQUE,
    p256dh       text,
    auth         text,
    device_info  varchar(255),
    is_active    boolean NOT NULL DEFAULT true,
    created_at   timestamp DEFAULT now(),
    last_used_at timestamp
);

CREATE INDEX idx_push_subscriptions_user_active ON push_subscriptions (user_id, is_active);
