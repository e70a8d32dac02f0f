-- The default calendar becomes a setting that a person can change, no longer a type that one row has.
-- step: business_settings_default_calendar_id
ALTER TABLE business_settings ADD COLUMN default_calendar_id integer
    REFERENCES business_calendars (id) ON DELETE SET NULL;

-- step: business_settings_default_calendar
-- done when: SELECT NOT EXISTS (
--     SELECT 1
--     FROM business_settings s
--     JOIN business_calendars c ON c.business_id = s.tenant_id
--     WHERE s.default_calendar_id IS NULL
--   )
UPDATE business_settings
SET default_calendar_id = (
    SELECT c.id
    FROM business_calendars c
    WHERE c.business_id = business_settings.tenant_id
    ORDER BY (c.type_key = 'default') IS TRUE DESC, c.is_active DESC, c.priority DESC, c.id
    LIMIT 1
)
WHERE default_calendar_id IS NULL;
