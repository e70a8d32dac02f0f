-- A gateway that says "accepted" has sent nothing yet. Each stage has its own time.
-- step: whatsapp_message_stages
ALTER TABLE whatsapp_message
    ADD COLUMN accepted_at timestamptz,
    ADD COLUMN sent_at timestamptz,
    ADD COLUMN delivered_at timestamptz,
    ADD COLUMN read_at timestamptz,
    ADD COLUMN error_message text;

-- A recipient is claimed with a token before the gateway is asked; a claim that is old and has no message id is
-- looked into, never sent again blindly.
-- step: whatsapp_broadcast_recipients_claim
ALTER TABLE whatsapp_broadcast_recipients
    ADD COLUMN lock_token varchar(64),
    ADD COLUMN locked_at timestamptz,
    ADD COLUMN accepted_at timestamptz,
    ADD COLUMN read_at timestamptz;
