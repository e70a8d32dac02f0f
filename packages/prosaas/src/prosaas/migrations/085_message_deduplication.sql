-- Gateways deliver a message again after a reconnect. NULLs differ, so our own unsent messages are not concerned.
CREATE UNIQUE INDEX uq_messages_provider_msg ON messages (thread_id, provider_msg_id);

CREATE UNIQUE INDEX uq_whatsapp_message_provider ON whatsapp_message (business_id, provider_message_id);
