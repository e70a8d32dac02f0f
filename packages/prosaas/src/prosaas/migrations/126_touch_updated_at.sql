-- Rows that are changed past the application (by the console, by a script) kept their old updated_at. A value that
-- is set on purpose is respected. The columns are naive UTC, whatever the session's time zone.
-- step: touch_updated_at_function
CREATE FUNCTION touch_updated_at() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at THEN
        NEW.updated_at := timezone('UTC', now());
    END IF;
    RETURN NEW;
END
$$;

-- step: leads_touch_trigger
CREATE TRIGGER leads_touch BEFORE UPDATE ON leads
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- step: business_calendars_touch_trigger
CREATE TRIGGER business_calendars_touch BEFORE UPDATE ON business_calendars
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- step: scheduled_message_rules_touch_trigger
CREATE TRIGGER scheduled_message_rules_touch BEFORE UPDATE ON scheduled_message_rules
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
