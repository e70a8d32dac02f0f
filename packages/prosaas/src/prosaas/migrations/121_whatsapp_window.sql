-- Within 24 hours of the customer's last message anything may be written, afterwards only an approved template.
-- Our own messages do not open the window, so last_message_at cannot answer this.
-- step: whatsapp_conversation_last_customer_message_at
ALTER TABLE whatsapp_conversation ADD COLUMN last_customer_message_at timestamptz;
