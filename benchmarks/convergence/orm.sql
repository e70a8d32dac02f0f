-- What turns a database at the end of a chain into what an ORM makes: statements, in order.
WITH mine AS (
    SELECT c.oid
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'trueup')
        AND NOT EXISTS (
            SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
        )
)
SELECT format('ALTER TABLE ONLY %I.%I ALTER COLUMN %I DROP DEFAULT', n.nspname, c.relname, a.attname)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND pg_get_expr(d.adbin, d.adrelid) !~ '^nextval'
    AND c.oid IN (SELECT oid FROM mine)
UNION ALL
SELECT format('ALTER INDEX %I.%I RENAME TO %I', n.nspname, c.relname, left('ix_' || md5(c.relname) || '_' || c.relname, 60))
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT c.relispartition AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid)
    AND c.oid IN (SELECT oid FROM mine)
UNION ALL
SELECT format('ALTER TABLE %I.%I RENAME CONSTRAINT %I TO %I', n.nspname, c.relname, k.conname, left('fk_' || md5(k.conname) || '_' || k.conname, 60))
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND NOT c.relispartition
    AND c.oid IN (SELECT oid FROM mine)
UNION ALL
SELECT format('DROP TRIGGER %I ON %I.%I', g.tgname, n.nspname, c.relname)
FROM pg_trigger g
JOIN pg_class c ON c.oid = g.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT g.tgisinternal AND g.tgparentid = 0
    AND c.oid IN (SELECT oid FROM mine)
UNION ALL
SELECT format('DROP POLICY %I ON %I.%I', p.polname, n.nspname, c.relname)
FROM pg_policy p
JOIN pg_class c ON c.oid = p.polrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid IN (SELECT oid FROM mine)
UNION ALL
SELECT format('ALTER TABLE %I.%I DISABLE ROW LEVEL SECURITY', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relrowsecurity
    AND c.oid IN (SELECT oid FROM mine)
UNION ALL
SELECT format('DROP %s IF EXISTS %I.%I CASCADE', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm')
    AND c.oid IN (SELECT oid FROM mine)
UNION ALL
SELECT format('TRUNCATE %I.%I CASCADE', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND c.oid IN (SELECT oid FROM mine)
