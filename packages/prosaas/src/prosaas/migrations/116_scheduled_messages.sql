-- A lead that enters a status is sent a message after a delay, inside the window of the business's local time
-- ('HH:MM'; both empty means at any time).
-- step: scheduled_message_rules_table
CREATE TABLE scheduled_message_rules (
    id                 serial PRIMARY KEY,
    business_id        integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    name               varchar(255) NOT NULL,
    is_active          boolean NOT NULL DEFAULT true,
    template_name      varchar(255),
    message_text       text NOT NULL,
    delay_minutes      integer NOT NULL DEFAULT 0,
    send_window_start  varchar(5),
    send_window_end    varchar(5),
    created_by_user_id integer REFERENCES users (id) ON DELETE SET NULL,
    created_at         timestamp DEFAULT now(),
    updated_at         timestamp DEFAULT now()
);

CREATE INDEX idx_scheduled_rules_business_active ON scheduled_message_rules (business_id, is_active);

-- step: scheduled_rule_statuses_table
CREATE TABLE scheduled_rule_statuses (
    id        serial PRIMARY KEY,
    rule_id   integer NOT NULL REFERENCES scheduled_message_rules (id) ON DELETE CASCADE,
    status_id integer NOT NULL REFERENCES lead_statuses (id) ON DELETE CASCADE,
    CONSTRAINT uq_scheduled_rule_statuses UNIQUE (rule_id, status_id)
);

-- message_text is the text as it will be sent: a rule may be edited while its messages wait. A message is claimed by
-- setting locked_at; dedupe_key says rule, lead and occasion, so that nothing is ever queued twice.
-- step: scheduled_messages_queue_table
CREATE TABLE scheduled_messages_queue (
    id            serial PRIMARY KEY,
    business_id   integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    rule_id       integer NOT NULL REFERENCES scheduled_message_rules (id) ON DELETE CASCADE,
    lead_id       integer NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    message_text  text NOT NULL,
    remote_jid    varchar(255) NOT NULL,
    scheduled_for timestamp NOT NULL,
    status        varchar(20) NOT NULL DEFAULT 'pending',
    locked_at     timestamp,
    sent_at       timestamp,
    error_message text,
    dedupe_key    varchar(255) NOT NULL UNIQUE,
    created_at    timestamp DEFAULT now(),
    updated_at    timestamp DEFAULT now()
);

CREATE INDEX idx_scheduled_queue_scheduled_for ON scheduled_messages_queue (scheduled_for);

CREATE INDEX idx_scheduled_queue_status ON scheduled_messages_queue (status);

CREATE INDEX idx_scheduled_queue_business_status_scheduled
    ON scheduled_messages_queue (business_id, status, scheduled_for);

CREATE INDEX idx_scheduled_queue_rule_status ON scheduled_messages_queue (rule_id, status);

CREATE INDEX idx_scheduled_queue_lead ON scheduled_messages_queue (lead_id);

-- Beside the table's own UNIQUE: installations have both.
CREATE UNIQUE INDEX idx_scheduled_queue_dedupe ON scheduled_messages_queue (dedupe_key);
