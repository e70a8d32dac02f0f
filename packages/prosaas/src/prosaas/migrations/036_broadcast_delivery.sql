-- Sent is what the gateway did; delivered is what the phone said.
ALTER TABLE whatsapp_broadcast_recipients ADD COLUMN delivered_at timestamp;

-- Delivery reports name the message, not the recipient.
CREATE INDEX idx_whatsapp_broadcast_recipients_provider_message
    ON whatsapp_broadcast_recipients (provider_message_id);
