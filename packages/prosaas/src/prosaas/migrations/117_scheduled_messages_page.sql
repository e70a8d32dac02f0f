-- Who may send broadcasts may schedule messages. The casts make it right for lists kept as json, too.
-- step: enable_scheduled_messages_page
-- done when: SELECT NOT EXISTS (
--     SELECT 1
--     FROM business
--     WHERE enabled_pages::jsonb @> '["broadcasts"]' AND NOT enabled_pages::jsonb @> '["scheduled_messages"]'
--   )
UPDATE business
SET enabled_pages = enabled_pages::jsonb || '["scheduled_messages"]'::jsonb
WHERE enabled_pages::jsonb @> '["broadcasts"]'
  AND NOT enabled_pages::jsonb @> '["scheduled_messages"]';
