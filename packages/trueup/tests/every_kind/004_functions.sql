CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.at = now();  -- a comment; with a semicolon
    RETURN NEW;
END $$;
CREATE FUNCTION app.twice(x integer, y integer DEFAULT 2) RETURNS integer LANGUAGE sql IMMUTABLE STRICT
    AS 'SELECT x * y';
CREATE FUNCTION app.atomic(x integer) RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT x + 1; END;
CREATE FUNCTION app.all_leads() RETURNS SETOF app.leads LANGUAGE sql STABLE SECURITY DEFINER SET search_path = app
    AS 'SELECT * FROM leads';
CREATE PROCEDURE app.clean(INOUT n integer) LANGUAGE plpgsql AS 'BEGIN DELETE FROM app.cache; END';
CREATE AGGREGATE app.total (integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
CREATE TRIGGER touched BEFORE UPDATE OF name, kind ON app.leads FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name)
    EXECUTE FUNCTION app.touch();
CREATE TRIGGER asleep AFTER INSERT ON app.calls FOR EACH STATEMENT EXECUTE FUNCTION app.touch('a', 'b');
ALTER TABLE app.calls DISABLE TRIGGER asleep;
CREATE POLICY own ON app.leads AS RESTRICTIVE FOR UPDATE TO PUBLIC USING (id > 0) WITH CHECK (kind <> 'cold');
ALTER TABLE app.leads ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.leads FORCE ROW LEVEL SECURITY;
CREATE RULE quiet AS ON DELETE TO app.cache DO INSTEAD NOTHING;
