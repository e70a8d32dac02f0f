-- Two people got one slot, because the check and the insert were apart. From here on the database refuses: an
-- appointment occupies a stored range, its own time and the buffers of its calendar around it, and in one calendar
-- no two ranges of living appointments overlap.
CREATE EXTENSION btree_gist;

-- Stored, not computed in the index: the buffers are another table's, and adding minutes there is not IMMUTABLE.
-- Buffers that are changed later count for later bookings only.
ALTER TABLE appointments ADD COLUMN busy tsrange;

-- Before anything writes the range: every row is outside the index now, so that building it is one quick look at
-- the table, and appointments which overlap already do not stand in the way.
-- step: appointments_no_overlap
-- as written
ALTER TABLE appointments ADD CONSTRAINT appointments_no_overlap
    EXCLUDE USING gist (calendar_id WITH =, busy WITH &&)
    WHERE (busy IS NOT NULL AND calendar_id IS NOT NULL AND status NOT IN ('cancelled', 'no_show'));

-- An empty range overlaps nothing and would slip through.
-- step: appointments_busy_not_empty
ALTER TABLE appointments ADD CONSTRAINT chk_appointments_busy CHECK (NOT isempty(busy));

-- The one definition of what an appointment occupies. Listing free slots asks it too: what is offered is bookable.
-- step: appointment_busy_function
CREATE FUNCTION appointment_busy(calendar integer, starts timestamp, ends timestamp) RETURNS tsrange
LANGUAGE sql STABLE
AS $$
    SELECT tsrange(
        starts - make_interval(mins => coalesce(max(c.buffer_before_minutes), 0)),
        ends + make_interval(mins => coalesce(max(c.buffer_after_minutes), 0)))
    FROM business_calendars c
    WHERE c.id = calendar
$$;

-- An update that moves nothing leaves the range alone, so that notes can still be written on old appointments which
-- overlap.
-- step: appointments_set_busy_function
CREATE FUNCTION appointments_set_busy() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF TG_OP = 'UPDATE'
        AND NEW.start_time = OLD.start_time
        AND NEW.end_time = OLD.end_time
        AND NEW.calendar_id IS NOT DISTINCT FROM OLD.calendar_id
    THEN
        RETURN NEW;
    END IF;
    NEW.busy := appointment_busy(NEW.calendar_id, NEW.start_time, NEW.end_time);
    RETURN NEW;
END
$$;

-- step: appointments_set_busy_trigger
CREATE TRIGGER appointments_set_busy
    BEFORE INSERT OR UPDATE OF start_time, end_time, calendar_id ON appointments
    FOR EACH ROW EXECUTE FUNCTION appointments_set_busy();

CREATE INDEX idx_appointments_calendar_start ON appointments (calendar_id, start_time);

-- What is still to come is protected as well. Of old appointments that overlap the first one keeps the slot; the
-- others stay outside until somebody moves or cancels them. What ended before it began stays outside, too.
-- step: appointments_busy_backfill
-- backfill: appointments by id batch 5000
UPDATE appointments
SET busy = appointment_busy(calendar_id, start_time, end_time)
WHERE busy IS NULL
  AND calendar_id IS NOT NULL
  AND start_time < end_time
  AND end_time > timezone('UTC', now())
  AND NOT EXISTS (
      SELECT 1
      FROM appointments o
      WHERE o.calendar_id = appointments.calendar_id
        AND o.id <> appointments.id
        AND o.status NOT IN ('cancelled', 'no_show')
        AND o.start_time < o.end_time
        AND o.end_time > timezone('UTC', now())
        AND (o.id < appointments.id OR o.busy IS NOT NULL)
        AND coalesce(o.busy, appointment_busy(o.calendar_id, o.start_time, o.end_time))
            && appointment_busy(appointments.calendar_id, appointments.start_time, appointments.end_time)
  );
