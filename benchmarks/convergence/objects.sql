-- What a person could drop: kind, name for people, statement, and the table it hangs on.
WITH spaces AS (
    SELECT oid, nspname
    FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'trueup')
), owned AS (
    SELECT classid, objid FROM pg_depend WHERE deptype IN ('e', 'i') AND objsubid = 0
), tables AS (
    SELECT c.oid, c.relkind, format('%I.%I', s.nspname, c.relname) AS name
    FROM pg_class c JOIN spaces s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND NOT EXISTS (SELECT FROM owned o WHERE o.classid = 'pg_class'::regclass AND o.objid = c.oid)
)
SELECT 'table' AS kind, name, format('DROP TABLE %s CASCADE', name) AS act FROM tables
UNION ALL
SELECT 'column', format('%s.%I', t.name, a.attname), format('ALTER TABLE %s DROP COLUMN %I CASCADE', t.name, a.attname)
FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'default', format('%s.%I', t.name, a.attname), format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', t.name, a.attname)
FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND a.atthasdef AND a.attgenerated = ''
UNION ALL
SELECT 'not null', format('%s.%I', t.name, a.attname), format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', t.name, a.attname)
FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND a.attnotnull AND a.attidentity = ''
UNION ALL
SELECT 'constraint', format('%s %I', t.name, k.conname), format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', t.name, k.conname)
FROM tables t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype IN ('c', 'f', 'p', 'u', 'x') AND k.conparentid = 0
UNION ALL
SELECT 'index', format('%I.%I', s.nspname, c.relname), format('DROP INDEX %I.%I CASCADE', s.nspname, c.relname)
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN spaces s ON s.oid = c.relnamespace
JOIN tables t ON t.oid = i.indrelid
WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.conrelid = i.indrelid)
UNION ALL
SELECT 'view', format('%I.%I', s.nspname, c.relname),
       format('DROP %s %I.%I CASCADE', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, s.nspname, c.relname)
FROM pg_class c JOIN spaces s ON s.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm')
    AND NOT EXISTS (SELECT FROM owned o WHERE o.classid = 'pg_class'::regclass AND o.objid = c.oid)
UNION ALL
SELECT 'function', p.oid::regprocedure::text, format('DROP ROUTINE %s CASCADE', p.oid::regprocedure)
FROM pg_proc p JOIN spaces s ON s.oid = p.pronamespace
WHERE NOT EXISTS (SELECT FROM owned o WHERE o.classid = 'pg_proc'::regclass AND o.objid = p.oid)
UNION ALL
SELECT 'trigger', format('%s %I', t.name, g.tgname), format('DROP TRIGGER %I ON %s CASCADE', g.tgname, t.name)
FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
UNION ALL
SELECT 'policy', format('%s %I', t.name, p.polname), format('DROP POLICY %I ON %s', p.polname, t.name)
FROM tables t JOIN pg_policy p ON p.polrelid = t.oid
UNION ALL
SELECT 'sequence', format('%I.%I', s.nspname, c.relname), format('DROP SEQUENCE %I.%I CASCADE', s.nspname, c.relname)
FROM pg_class c JOIN spaces s ON s.oid = c.relnamespace
WHERE c.relkind = 'S'
    AND NOT EXISTS (SELECT FROM owned o WHERE o.classid = 'pg_class'::regclass AND o.objid = c.oid)
ORDER BY 1, 2
