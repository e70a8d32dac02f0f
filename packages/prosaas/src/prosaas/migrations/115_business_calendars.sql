-- Several calendars per business: one per room, person or branch. A higher priority is preferred.
-- Buffers are minutes kept free around each appointment.
-- step: business_calendars_table
CREATE TABLE business_calendars (
    id                       serial PRIMARY KEY,
    business_id              integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    name                     varchar(255) NOT NULL,
    type_key                 varchar(64),
    provider                 varchar(32) NOT NULL DEFAULT 'internal',
    calendar_external_id     varchar(255),
    is_active                boolean NOT NULL DEFAULT true,
    priority                 integer NOT NULL DEFAULT 0,
    default_duration_minutes integer DEFAULT 60,
    buffer_before_minutes    integer DEFAULT 0,
    buffer_after_minutes     integer DEFAULT 0,
    allowed_tags             jsonb NOT NULL DEFAULT '[]',
    created_at               timestamp DEFAULT now(),
    updated_at               timestamp DEFAULT now()
);

CREATE INDEX idx_business_calendars_business_active ON business_calendars (business_id, is_active);

CREATE INDEX idx_business_calendars_priority ON business_calendars (business_id, priority);

-- Which calendar a request belongs to: labels, words in the request, the channel it came by. Where the answer is
-- not clear and the rule says so, the AI asks question_text.
-- step: calendar_routing_rules_table
CREATE TABLE calendar_routing_rules (
    id                 serial PRIMARY KEY,
    business_id        integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    calendar_id        integer NOT NULL REFERENCES business_calendars (id) ON DELETE CASCADE,
    match_labels       jsonb NOT NULL DEFAULT '[]',
    match_keywords     jsonb NOT NULL DEFAULT '[]',
    channel_scope      varchar(32) NOT NULL DEFAULT 'all',
    when_ambiguous_ask boolean DEFAULT false,
    question_text      varchar(500),
    priority           integer NOT NULL DEFAULT 0,
    is_active          boolean NOT NULL DEFAULT true,
    created_at         timestamp DEFAULT now(),
    updated_at         timestamp DEFAULT now()
);

CREATE INDEX idx_calendar_routing_business_active ON calendar_routing_rules (business_id, is_active);

CREATE INDEX idx_calendar_routing_calendar ON calendar_routing_rules (calendar_id);

-- Appointments outlive their calendar.
-- step: appointments_calendar_id
ALTER TABLE appointments ADD COLUMN calendar_id integer REFERENCES business_calendars (id) ON DELETE SET NULL;

CREATE INDEX idx_appointments_calendar_id ON appointments (calendar_id);

-- Every business that has no calendar gets one, with the length of its slots.
-- step: default_calendars
-- done when: SELECT NOT EXISTS (
--     SELECT 1 FROM business b WHERE NOT EXISTS (SELECT 1 FROM business_calendars c WHERE c.business_id = b.id)
--   )
INSERT INTO business_calendars
    (business_id, name, type_key, provider, is_active, priority, default_duration_minutes, allowed_tags)
SELECT b.id, 'לוח ברירת מחדל', 'default', 'internal', true, 1, coalesce(s.slot_size_min, 60), '[]'
FROM business b
LEFT JOIN business_settings s ON s.tenant_id = b.id
WHERE NOT EXISTS (SELECT 1 FROM business_calendars c WHERE c.business_id = b.id);

-- The default calendar is the one of type 'default'; a business that made its own calendars before may have none,
-- and then it is the active one that it prefers.
-- step: link_appointments
-- done when: SELECT NOT EXISTS (
--     SELECT 1
--     FROM appointments a
--     JOIN business_calendars c ON c.business_id = a.business_id
--     WHERE a.calendar_id IS NULL
--   )
-- backfill: appointments by id batch 5000
UPDATE appointments
SET calendar_id = (
    SELECT c.id
    FROM business_calendars c
    WHERE c.business_id = appointments.business_id
    ORDER BY (c.type_key = 'default') IS TRUE DESC, c.is_active DESC, c.priority DESC, c.id
    LIMIT 1
)
WHERE calendar_id IS NULL;
