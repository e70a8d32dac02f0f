-- One row per business, apart from it: the business row is read by every request, and these are edited from a form.
-- step: business_settings_table
CREATE TABLE business_settings (
    tenant_id          integer PRIMARY KEY REFERENCES business (id) ON DELETE CASCADE,
    timezone           varchar(64) NOT NULL DEFAULT 'Asia/Jerusalem',
    slot_size_min      integer NOT NULL DEFAULT 60,
    opening_hours_json jsonb,
    created_at         timestamp DEFAULT now(),
    updated_at         timestamp DEFAULT now()
);
