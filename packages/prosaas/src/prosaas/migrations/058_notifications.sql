-- step: notifications_table
CREATE TABLE notifications (
    id          serial PRIMARY KEY,
    business_id integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    user_id     integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    type        varchar(64) NOT NULL,
    title       varchar(255) NOT NULL,
    body        text,
    link        varchar(255),
    read_at     timestamp,
    created_at  timestamp DEFAULT now()
);

-- The bell counts what is unread, on every page.
CREATE INDEX idx_notifications_user_unread ON notifications (user_id, created_at) WHERE read_at IS NULL;
