CREATE SCHEMA app;
CREATE EXTENSION btree_gist;
CREATE TYPE app.mood AS ENUM ('sad', 'it''s fine', 'שמח');
ALTER TYPE app.mood ADD VALUE 'so so' AFTER 'sad';
CREATE TYPE app.pair AS (a integer, b character varying(5), "C d" app.mood);
CREATE TYPE app.span AS RANGE (SUBTYPE = timestamp with time zone);
CREATE DOMAIN app.phone AS text DEFAULT '' NOT NULL CONSTRAINT phone_digits CHECK (VALUE ~ '^[0-9+]*$');
CREATE SEQUENCE app.tickets AS integer START WITH 7 INCREMENT BY 3 MINVALUE 5 MAXVALUE 1000 CACHE 2 CYCLE;
