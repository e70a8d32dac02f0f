ALTER TABLE business_settings ADD COLUMN ai_prompt text;

ALTER TABLE business_settings ADD COLUMN greeting_message text;

-- Off means: calls and messages are recorded, a person answers.
ALTER TABLE business_settings ADD COLUMN ai_enabled boolean NOT NULL DEFAULT true;
