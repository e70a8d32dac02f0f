-- Names that are key words only for newer servers: those show them in quotes.
CREATE TABLE app.documents (
    id int PRIMARY KEY,
    json jsonb NOT NULL DEFAULT '{"json": 1}' CHECK (json <> '{"json": 2}'),
    json_value text UNIQUE,
    "system_user" text UNIQUE DEFAULT 'system_user' CHECK ("system_user" <> '')
);
CREATE INDEX documents_json ON app.documents ((json ->> 'json'), json_value);
CREATE VIEW app.shown_documents AS SELECT id, json, json_value, "system_user" FROM app.documents WHERE json ? 'json';
COMMENT ON COLUMN app.documents.json IS 'as "json"';
CREATE FUNCTION app.own_documents("json" jsonb) RETURNS jsonb LANGUAGE sql AS $$SELECT "json" -> 'own'$$;
