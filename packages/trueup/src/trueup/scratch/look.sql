-- What a statement has changed in the catalog, asked behind it in its own transaction.
--
-- PostgreSQL counts the rows that a transaction writes, by table, its own catalogs included: they say which sections of
-- the snapshot have to be read again. Which objects: the relations that the transaction has locked strongly, the rows of
-- the catalogs that are its own, and where something was renamed, whatever depends on these.
-- The counts go on from one transaction of a message to the next, so a look keeps them for the one behind it.
CREATE FUNCTION pg_temp.trueup_owners(objects oid[]) RETURNS oid[] LANGUAGE plpgsql SET search_path = pg_catalog
    SET plan_cache_mode = force_generic_plan {planner} AS $owners$
BEGIN
    RETURN ARRAY(
        SELECT coalesce(i.indrelid, nullif(k.conrelid, 0), k.contypid, f.adrelid, y.polrelid, g.tgrelid, w.ev_class, s.stxrelid,
                        o.oid)
          FROM unnest(objects) AS o (oid)
          LEFT JOIN pg_index i ON i.indexrelid = o.oid
          LEFT JOIN pg_constraint k ON k.oid = o.oid
          LEFT JOIN pg_attrdef f ON f.oid = o.oid
          LEFT JOIN pg_policy y ON y.oid = o.oid
          LEFT JOIN pg_trigger g ON g.oid = o.oid
          LEFT JOIN pg_rewrite w ON w.oid = o.oid
          LEFT JOIN pg_statistic_ext s ON s.oid = o.oid);
END $owners$;

-- Planned anew each time, and with all that the planner has: it is for as many objects as there are.
CREATE FUNCTION pg_temp.trueup_everything() RETURNS TABLE (section text, object bigint, fact text, shown text)
LANGUAGE plpgsql {pinned} {usual} AS $everything$
BEGIN
    RETURN QUERY EXECUTE $query${everything}$query$;
END $everything$;

CREATE FUNCTION pg_temp.trueup_look(renames boolean, unlocked boolean, types boolean, everything boolean)
RETURNS TABLE (what text, object bigint, fact text, shown text)
LANGUAGE plpgsql {pinned} SET plan_cache_mode = force_generic_plan {planner} AS $look$
#variable_conflict use_column
DECLARE
    relations oid[];
    locks text[];
    before bigint[] := current_setting('trueup.counted', true);  -- by the last look in this message
    counted bigint[];
    kept text;
    wrote text[];
    removed text[];
    changed oid[];
    present oid[];  -- those that are no extension's, and still there
    kinds text[];   -- theirs, as relations; - for other objects
    wanted text[];  -- sections
    reading integer;  -- a bit for each of those that are about kinds of objects that are present
    privileged boolean;  -- there may be some on them: to find out that there is none takes the query long
    has_tables boolean;  -- among those locked
    has_indexes boolean;
    has_used_up boolean;  -- a constraint has taken an index that was there: what this hung on it does no longer
    has_fresh boolean;
BEGIN
    IF before = '{}' THEN
        PERFORM pg_stat_force_next_flush();  -- behind the message, so that the next one's counts start at zero
    END IF;
    -- First the locks, for deparsing takes some of its own, and once, for reading them takes longest.
    -- CREATE INDEX takes SHARE, and changes nothing of the table itself; an index is changed only where it is locked.
    SELECT array_agg(l.relation), array_agg(l.described), coalesce(array_agg(l.owner) FILTER (WHERE l.is_strong), '{}'),
           coalesce(bool_or(l.is_strong AND l.mode <> 'ShareLock' AND NOT l.is_index), false),
           coalesce(bool_or(l.is_strong AND l.is_index), false)
      INTO relations, locks, changed, has_tables, has_indexes
      FROM ({held}) AS l;
    what := 'lock';
    FOR n IN 1 .. coalesce(cardinality(relations), 0) LOOP
        object := relations[n]; fact := locks[n];
        RETURN NEXT;
    END LOOP;

    SELECT array_agg(c.name) FILTER (WHERE c.written > coalesce(before[c.place], 0)),
           array_agg(c.name) FILTER (WHERE c.deleted > coalesce(before[c.place + {number}], 0)),
           array_agg(c.written) || array_agg(c.deleted)
      INTO wrote, removed, counted
      FROM (SELECT w.place, w.name, pg_stat_get_xact_tuples_deleted(w.id), pg_stat_get_xact_tuples_inserted(w.id)
                   + pg_stat_get_xact_tuples_updated(w.id) + pg_stat_get_xact_tuples_deleted(w.id)
              FROM (VALUES {catalogs}) AS w (place, name, id)) AS c (place, name, deleted, written);
    kept := set_config('trueup.counted', counted::text, false);
    IF everything THEN
        RETURN QUERY SELECT 'everything', NULL::bigint, NULL, NULL UNION ALL SELECT * FROM pg_temp.trueup_everything();
        RETURN;
    ELSIF wrote IS NULL THEN
        RETURN;
    END IF;

    has_used_up := 'pg_constraint' = ANY (wrote) AND 'pg_depend' = ANY (removed);
    has_fresh := wrote && {others};
    {fresh}
    IF renames THEN
        changed := changed || pg_temp.trueup_owners(ARRAY(
            SELECT DISTINCT d.objid FROM pg_depend d
             WHERE d.refclassid IN ('pg_class'::regclass, 'pg_type'::regclass, 'pg_proc'::regclass) AND d.refobjid = ANY (changed)
               AND d.objid >= 16384));
    END IF;
    IF cardinality(changed) = 0 AND NOT coalesce(removed && {removable}, false) THEN  -- one cannot tell of what
        RETURN QUERY SELECT 'everything', NULL::bigint, NULL, NULL UNION ALL SELECT * FROM pg_temp.trueup_everything();
        RETURN;
    END IF;
    {existing}
    SELECT array_agg(o.oid), array_agg(coalesce(c.relkind::text, '-')),
           bool_or(coalesce(c.relkind = 'c' OR c.relacl IS NOT NULL, true)
                   OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL))
      INTO present, kinds, privileged
      FROM unnest(changed) AS o (oid) LEFT JOIN pg_class c ON c.oid = o.oid
     WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = o.oid AND d.deptype = 'e' AND d.classid = 'pg_class'::regclass)
       AND NOT coalesce(pg_is_other_temp_schema(c.relnamespace) OR c.relnamespace = pg_my_temp_schema(), false);
    IF 'c' = ANY (kinds) THEN  -- a composite type is told of by its oid as a type
        present := present || ARRAY(SELECT c.reltype FROM pg_class c WHERE c.oid = ANY (present) AND c.relkind = 'c');
        changed := changed || present;
    END IF;
    SELECT coalesce(array_agg(s.name), '{}'), coalesce(bit_or(s.bit) FILTER (WHERE s.about && kinds), 0) INTO wanted, reading
      FROM (VALUES {sections}) AS s (name, bit, catalogs, about)
     WHERE renames OR wrote && s.catalogs AND CASE
           WHEN unlocked THEN true
           WHEN s.name IN ('indexes', 'view_indexes') THEN has_indexes OR has_used_up OR 'pg_index' = ANY (wrote)
           WHEN s.name IN ('tables', 'columns', 'constraints') THEN has_tables OR NOT 'pg_index' = ANY (wrote)
           ELSE true END;
    what := 'changed'; fact := NULL;
    FOREACH object IN ARRAY changed LOOP RETURN NEXT; END LOOP;
    object := NULL;
    FOREACH what IN ARRAY wanted LOOP RETURN NEXT; END LOOP;
    {read}
END $look$;
