-- Every fact of the schemas asked for: (object's oid, key, value). One statement, so one consistent picture.
-- The words in braces are filters: which schemas; which relations and objects, to narrow it on the scratch server. But
-- {words} are those that not all servers quote.
-- Values are what the server deparses, written so that they can be the tail of the DDL that makes them.
-- Each section is one SELECT and says which catalogs it depends on: where none of them was written, it stays the same.
-- Several facts of one row come by unnest: the executor would prepare the expressions of VALUES anew for every row.
WITH ns AS MATERIALIZED (
    SELECT n.oid, n.nspname, quote_ident(n.nspname) AS name
      FROM pg_namespace n
     WHERE {schemas}
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'trueup')
       AND n.nspname !~ '^pg_'
), rel AS MATERIALIZED (
    SELECT c.oid, c.relkind, ns.name || '.' || quote_ident(c.relname) AS name, c.relpersistence, c.relispartition, c.relreplident,
           c.relrowsecurity, c.relforcerowsecurity, c.reloptions, c.relpartbound, c.relowner, c.relacl
      FROM pg_class c JOIN ns ON ns.oid = c.relnamespace
     WHERE {relations} AND c.relkind NOT IN ('i', 'I')
       AND NOT EXISTS (SELECT FROM pg_depend o WHERE o.classid = 'pg_class'::regclass AND o.objid = c.oid AND o.deptype = 'e')
), tab AS MATERIALIZED (
    SELECT * FROM rel WHERE relkind IN ('r', 'p')
), col AS MATERIALIZED (
    SELECT t.oid AS reloid, t.name AS relname, t.relispartition AS partition, a.attnum, a.atttypid, a.atttypmod,
           a.attnotnull, a.attgenerated, a.attidentity, a.attcollation, a.attstattarget, a.attstorage, a.attcompression,
           a.attoptions, t.name || '.' || quote_ident(a.attname) AS name
      FROM tab t JOIN pg_attribute a ON a.attrelid = t.oid
     WHERE a.attnum > 0 AND NOT a.attisdropped
), unproven AS MATERIALIZED (  -- NOT NULL as NOT VALID, from PostgreSQL 18 on
    SELECT k.conrelid, k.conkey[1] AS attnum FROM tab t JOIN pg_constraint k ON k.conrelid = t.oid
     WHERE k.contype = 'n' AND NOT k.convalidated
)

-- section schemas: pg_namespace
SELECT ns.oid::bigint, 'schema ' || ns.name, '' FROM ns WHERE ns.nspname <> 'public' AND {objects:ns}

-- section extensions: pg_extension
SELECT e.oid::bigint, 'extension ' || quote_ident(e.extname), ''
  FROM pg_extension e WHERE e.extname <> 'plpgsql' AND {objects:e}

-- section tables: pg_class pg_partitioned_table pg_index
SELECT t.oid::bigint, x.kind || t.name, x.value
  FROM tab t
 CROSS JOIN LATERAL (
       SELECT unnest(ARRAY['table ',
                           CASE WHEN t.relrowsecurity THEN 'row security ' END,
                           CASE WHEN t.reloptions IS NOT NULL THEN 'storage ' END,
                           CASE WHEN t.relreplident <> 'd' THEN 'replica identity ' END]),
              unnest(ARRAY[CASE t.relkind WHEN 'p' THEN 'PARTITION BY ' || pg_get_partkeydef(t.oid) ELSE '' END
                           || CASE t.relpersistence WHEN 'u' THEN 'UNLOGGED' ELSE '' END,
                           CASE WHEN t.relforcerowsecurity THEN 'ENABLE, FORCE' ELSE 'ENABLE' END,
                           array_to_string(t.reloptions, ', '),
                           CASE t.relreplident
                                WHEN 'n' THEN 'NOTHING'
                                WHEN 'f' THEN 'FULL'
                                WHEN 'i' THEN 'USING INDEX ' || quote_ident((
                                    SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
                                     WHERE i.indrelid = t.oid AND i.indisreplident)) END])
       ) AS x (kind, value)
 WHERE x.kind IS NOT NULL
UNION ALL
SELECT t.oid::bigint, 'cluster on ' || t.name, quote_ident(c.relname)
  FROM tab t JOIN pg_index i ON i.indrelid = t.oid AND i.indisclustered JOIN pg_class c ON c.oid = i.indexrelid

-- section partitions: pg_inherits
SELECT t.oid::bigint, 'partition ' || t.name,
       CASE WHEN t.relispartition
            THEN 'PARTITION OF ' || pn.name || '.' || quote_ident(p.relname) || ' ' || pg_get_expr(t.relpartbound, t.oid)
            ELSE 'INHERITS ' || pn.name || '.' || quote_ident(p.relname) END
  FROM tab t
  JOIN pg_inherits i ON i.inhrelid = t.oid
  JOIN pg_class p ON p.oid = i.inhparent
  JOIN ns pn ON pn.oid = p.relnamespace

-- section columns: pg_attribute pg_attrdef pg_constraint
-- The type is the column; everything else is on its own, present only where it is there.
(SELECT a.reloid::bigint, 'column ' || a.name, format_type(a.atttypid, a.atttypmod) FROM col a ORDER BY a.relname, a.attnum)
UNION ALL
SELECT a.reloid::bigint, 'not null ' || a.name, ''
  FROM col a
 WHERE a.attnotnull AND NOT EXISTS (SELECT FROM unproven n WHERE n.conrelid = a.reloid AND n.attnum = a.attnum)
UNION ALL
SELECT a.reloid::bigint, CASE a.attgenerated WHEN '' THEN 'default ' ELSE 'generated ' END || a.name,
       CASE a.attgenerated WHEN '' THEN d.shown WHEN 's' THEN '(' || d.shown || ') STORED' ELSE '(' || d.shown || ') VIRTUAL' END
  FROM col a JOIN (SELECT adrelid, adnum, pg_get_expr(adbin, adrelid) AS shown FROM pg_attrdef) AS d
    ON d.adrelid = a.reloid AND d.adnum = a.attnum
UNION ALL
SELECT a.reloid::bigint, 'identity ' || a.name, CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END
  FROM col a WHERE a.attidentity <> '' AND NOT a.partition
UNION ALL
SELECT a.reloid::bigint, 'collation ' || a.name, quote_ident(n.nspname) || '.' || quote_ident(c.collname)
  FROM col a JOIN pg_type ty ON ty.oid = a.atttypid AND ty.typcollation <> a.attcollation
  JOIN pg_collation c ON c.oid = a.attcollation JOIN pg_namespace n ON n.oid = c.collnamespace
UNION ALL
SELECT a.reloid::bigint, 'options ' || a.name,
       concat_ws('; ', CASE WHEN a.attstattarget >= 0 THEN 'SET STATISTICS ' || a.attstattarget END,
                 CASE WHEN a.attstorage <> ty.typstorage THEN 'SET STORAGE '
                      || CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END
                 END,
                 CASE a.attcompression WHEN 'p' THEN 'SET COMPRESSION pglz' WHEN 'l' THEN 'SET COMPRESSION lz4' END,
                 'SET (' || array_to_string(a.attoptions, ', ') || ')')
  FROM col a JOIN pg_type ty ON ty.oid = a.atttypid
 WHERE a.attstattarget >= 0 OR a.attstorage <> ty.typstorage OR a.attcompression <> '' OR a.attoptions IS NOT NULL

-- section constraints: pg_constraint
SELECT t.oid::bigint, x.prefix || t.name || '.' || quote_ident(k.conname), x.value
  FROM tab t
  JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype IN ('c', 'f', 'p', 'u', 'x')
 CROSS JOIN LATERAL (
       SELECT unnest(ARRAY['constraint ', CASE WHEN k.convalidated THEN 'validated ' END]),
              unnest(ARRAY[CASE WHEN k.convalidated THEN pg_get_constraintdef(k.oid)
                              ELSE regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '') END, ''])) AS x (prefix, value)
 WHERE x.prefix IS NOT NULL AND k.conparentid = 0 AND (k.coninhcount = 0 OR k.conislocal)

-- section domain_constraints: pg_constraint
SELECT d.oid::bigint, 'domain constraint ' || ns.name || '.' || quote_ident(d.typname) || '.' || quote_ident(k.conname),
       pg_get_constraintdef(k.oid)
  FROM pg_type d JOIN ns ON ns.oid = d.typnamespace JOIN pg_constraint k ON k.contypid = d.oid
 WHERE d.typtype = 'd' AND k.contype = 'c' AND {objects:d}

-- section indexes: pg_index pg_class pg_constraint
-- Those that are no constraint's and no partition's.
SELECT i.indrelid::bigint, x.prefix || ns.name || '.' || quote_ident(c.relname), x.value
  FROM tab t
  JOIN pg_index i ON i.indrelid = t.oid
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN ns ON ns.oid = c.relnamespace
 CROSS JOIN LATERAL (
       SELECT unnest(ARRAY['index ', CASE WHEN i.indisvalid THEN 'valid ' END]),
              unnest(ARRAY[CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END
                           || substr(pg_get_indexdef(i.indexrelid),
                                     length('CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX '
                                            || quote_ident(c.relname) || ' ') + 1), ''])) AS x (prefix, value)
 WHERE x.prefix IS NOT NULL AND NOT c.relispartition
   AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
                                                   AND k.conrelid = i.indrelid)

-- section view_indexes: pg_index pg_class
-- Those of materialized views.
SELECT i.indrelid::bigint, 'index ' || ns.name || '.' || quote_ident(c.relname),
       CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END
       || substr(pg_get_indexdef(i.indexrelid), length('CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END
                 || 'INDEX ' || quote_ident(c.relname) || ' ') + 1)
  FROM rel m
  JOIN pg_index i ON i.indrelid = m.oid
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN ns ON ns.oid = c.relnamespace
 WHERE m.relkind = 'm'

-- section sequences: pg_sequence
-- Those of identity columns belong to the column.
SELECT s.oid::bigint, 'sequence ' || s.name,
       format('AS %s START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s%s', format_type(q.seqtypid, NULL),
              q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache, CASE WHEN q.seqcycle THEN ' CYCLE' ELSE '' END)
  FROM rel s JOIN pg_sequence q ON q.seqrelid = s.oid
 WHERE NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype = 'i')
UNION ALL
SELECT s.oid::bigint, 'sequence owner ' || s.name, ns.name || '.' || quote_ident(c.relname) || '.' || quote_ident(a.attname)
  FROM rel s
  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype = 'a'
                  AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
  JOIN pg_class c ON c.oid = d.refobjid
  JOIN ns ON ns.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
 WHERE s.relkind = 'S'
UNION ALL
SELECT s.oid::bigint, 'numbering ' || ns.name || '.' || quote_ident(c.relname) || '.' || quote_ident(a.attname),
       format('START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s%s',
              q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache, CASE WHEN q.seqcycle THEN ' CYCLE' ELSE '' END)
  FROM rel s JOIN pg_sequence q ON q.seqrelid = s.oid
  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype = 'i'
                  AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
  JOIN pg_class c ON c.oid = d.refobjid
  JOIN ns ON ns.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
 WHERE (q.seqstart, q.seqincrement, q.seqmin, q.seqcache, q.seqcycle) <> (1, 1, 1, 1, false)
    OR q.seqmax <> CASE q.seqtypid::regtype::text WHEN 'smallint' THEN 32767 WHEN 'integer' THEN 2147483647
                                                  ELSE 9223372036854775807 END

-- section types: pg_type pg_enum pg_attribute pg_range
SELECT t.oid::bigint, 'enum ' || ns.name || '.' || quote_ident(t.typname),
       coalesce((SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                   FROM pg_enum e WHERE e.enumtypid = t.oid), '')
  FROM pg_type t JOIN ns ON ns.oid = t.typnamespace
 WHERE t.typtype = 'e' AND {objects:t}
   AND NOT EXISTS (SELECT FROM pg_depend o WHERE o.classid = 'pg_type'::regclass AND o.objid = t.oid AND o.deptype = 'e')
UNION ALL
SELECT t.oid::bigint, 'domain ' || ns.name || '.' || quote_ident(t.typname),
       format_type(t.typbasetype, t.typtypmod) || coalesce(' DEFAULT ' || t.typdefault, '')
       || CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END
  FROM pg_type t JOIN ns ON ns.oid = t.typnamespace
 WHERE t.typtype = 'd' AND {objects:t}
   AND NOT EXISTS (SELECT FROM pg_depend o WHERE o.classid = 'pg_type'::regclass AND o.objid = t.oid AND o.deptype = 'e')
UNION ALL
SELECT t.oid::bigint, 'type ' || ns.name || '.' || quote_ident(t.typname),
       CASE t.typtype WHEN 'c'
            THEN '(' || coalesce((SELECT string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), ', '
                                                    ORDER BY a.attnum)
                                    FROM pg_attribute a
                                   WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped), '') || ')'
            ELSE (SELECT 'RANGE (SUBTYPE = ' || format_type(r.rngsubtype, NULL) || ')'
                    FROM pg_range r WHERE r.rngtypid = t.oid) END
  FROM pg_type t
  JOIN ns ON ns.oid = t.typnamespace
  LEFT JOIN pg_class c ON c.oid = t.typrelid
 WHERE (t.typtype = 'r' OR t.typtype = 'c' AND c.relkind = 'c') AND {objects:t}
   AND NOT EXISTS (SELECT FROM pg_depend o WHERE o.classid = 'pg_type'::regclass AND o.objid = t.oid AND o.deptype = 'e')

-- section views: pg_rewrite pg_class
SELECT v.oid::bigint, CASE v.relkind WHEN 'v' THEN 'view ' ELSE 'materialized view ' END || v.name,
       coalesce('WITH (' || array_to_string(v.reloptions, ', ') || ') ', '') || 'AS ' || pg_get_viewdef(v.oid)
  FROM rel v WHERE v.relkind IN ('v', 'm')

-- section functions: pg_proc pg_aggregate
-- A function is its text's hash; the step that defined it has the text. Names that only newer servers quote have no quotes.
SELECT p.oid::bigint, CASE p.prokind WHEN 'p' THEN 'procedure ' WHEN 'a' THEN 'aggregate ' ELSE 'function ' END
                      || ns.name || '.' || quote_ident(p.proname) || '(' || oidvectortypes(p.proargtypes) || ')',
       CASE p.prokind
            WHEN 'a' THEN (SELECT concat_ws(' ', 'SFUNC', g.aggtransfn, 'STYPE', format_type(g.aggtranstype, NULL), g.aggfinalfn,
                                            g.agginitval) FROM pg_aggregate g WHERE g.aggfnoid = p.oid)
            ELSE md5(CASE WHEN p.proargnames && string_to_array('{words}', '|') OR p.prosqlbody IS NOT NULL
                          THEN regexp_replace(replace(pg_get_functiondef(p.oid), chr(13), ''), '"({words})"', '\1', 'g')
                          ELSE replace(pg_get_functiondef(p.oid), chr(13), '') END) END
  FROM pg_proc p JOIN ns ON ns.oid = p.pronamespace
 WHERE {objects:p}
   AND NOT EXISTS (SELECT FROM pg_depend o WHERE o.classid = 'pg_proc'::regclass AND o.objid = p.oid AND o.deptype = 'e')
   AND NOT EXISTS (SELECT 1 FROM pg_depend d  -- a range type brings its constructors
                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i')

-- section triggers: pg_trigger
SELECT r.oid::bigint, x.prefix || r.name || '.' || quote_ident(g.tgname), x.value
  FROM rel r
  JOIN pg_trigger g ON g.tgrelid = r.oid AND NOT g.tgisinternal AND g.tgparentid = 0
 CROSS JOIN LATERAL (
       VALUES ('trigger ', pg_get_triggerdef(g.oid)),
              (CASE WHEN g.tgenabled <> 'O' THEN 'trigger state ' END,
               CASE g.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END)
       ) AS x (prefix, value)
 WHERE x.prefix IS NOT NULL

-- section policies: pg_policy
SELECT t.oid::bigint, 'policy ' || t.name || '.' || quote_ident(y.polname),
       concat_ws(' ', 'AS', CASE WHEN y.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                 'FOR', CASE y.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
                                      ELSE 'ALL' END,
                 'TO', (SELECT string_agg(CASE WHEN m.o = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(m.o)) END, ', '
                                          ORDER BY CASE WHEN m.o = 0 THEN '' ELSE pg_get_userbyid(m.o)::text END)
                          FROM unnest(y.polroles) AS m (o)),
                 'USING (' || pg_get_expr(y.polqual, y.polrelid) || ')',
                 'WITH CHECK (' || pg_get_expr(y.polwithcheck, y.polrelid) || ')')
  FROM tab t JOIN pg_policy y ON y.polrelid = t.oid

-- section rules: pg_rewrite
SELECT r.oid::bigint, 'rule ' || r.name || '.' || quote_ident(w.rulename), pg_get_ruledef(w.oid)
  FROM rel r JOIN pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'

-- section statistics: pg_statistic_ext
SELECT t.oid::bigint, 'statistics ' || ns.name || '.' || quote_ident(s.stxname), pg_get_statisticsobjdef(s.oid)
  FROM tab t JOIN pg_statistic_ext s ON s.stxrelid = t.oid JOIN ns ON ns.oid = s.stxnamespace

-- section comments: pg_description
SELECT r.oid::bigint,
       'comment on ' || CASE WHEN d.objsubid > 0 THEN 'column '
                             ELSE CASE r.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' WHEN 'S' THEN 'sequence '
                                                 WHEN 'c' THEN 'type ' ELSE 'table ' END END
       || r.name || coalesce('.' || quote_ident(a.attname), ''), quote_literal(d.description)
  FROM rel r
  JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = r.oid
  LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.objsubid AND d.objsubid > 0
 WHERE r.relkind IN ('r', 'p', 'v', 'm', 'S', 'c')
UNION ALL
SELECT t.oid::bigint, 'comment on constraint ' || t.name || '.' || quote_ident(k.conname), quote_literal(d.description)
  FROM tab t JOIN pg_constraint k ON k.conrelid = t.oid
  JOIN pg_description d ON d.classoid = 'pg_constraint'::regclass AND d.objoid = k.oid
UNION ALL
SELECT t.oid::bigint, 'comment on index ' || ns.name || '.' || quote_ident(c.relname), quote_literal(d.description)
  FROM tab t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class c ON c.oid = i.indexrelid JOIN ns ON ns.oid = c.relnamespace
  JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
UNION ALL
SELECT p.oid::bigint, 'comment on ' || CASE p.prokind WHEN 'p' THEN 'procedure ' WHEN 'a' THEN 'aggregate ' ELSE 'function ' END
       || ns.name || '.' || quote_ident(p.proname) || '(' || oidvectortypes(p.proargtypes) || ')', quote_literal(d.description)
  FROM pg_proc p JOIN ns ON ns.oid = p.pronamespace
  JOIN pg_description d ON d.classoid = 'pg_proc'::regclass AND d.objoid = p.oid
 WHERE {objects:p}
   AND NOT EXISTS (SELECT FROM pg_depend o WHERE o.classid = 'pg_proc'::regclass AND o.objid = p.oid AND o.deptype = 'e')
UNION ALL
SELECT t.oid::bigint, 'comment on type ' || ns.name || '.' || quote_ident(t.typname), quote_literal(d.description)
  FROM pg_type t JOIN ns ON ns.oid = t.typnamespace
  JOIN pg_description d ON d.classoid = 'pg_type'::regclass AND d.objoid = t.oid
  LEFT JOIN pg_class c ON c.oid = t.typrelid
 WHERE (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND c.relkind = 'c') AND {objects:t}
UNION ALL
SELECT ns.oid::bigint, 'comment on schema ' || ns.name, quote_literal(d.description)
  FROM ns JOIN pg_description d ON d.classoid = 'pg_namespace'::regclass AND d.objoid = ns.oid
 WHERE ns.nspname <> 'public' AND {objects:ns}
UNION ALL
SELECT r.oid::bigint, 'comment on trigger ' || r.name || '.' || quote_ident(g.tgname), quote_literal(d.description)
  FROM rel r JOIN pg_trigger g ON g.tgrelid = r.oid
  JOIN pg_description d ON d.classoid = 'pg_trigger'::regclass AND d.objoid = g.oid

-- section privileges: pg_class pg_attribute pg_proc pg_type pg_namespace
-- What a role other than the owner may do, where that is not what everybody may do by default. The owner of an object
-- may do everything with it, which a live database says of the roles that a chain grants something to. MAINTAIN is not
-- known before 17: it counts only where it is all that is given, so that GRANT ALL is the same on every server.
SELECT o.oid::bigint, 'privileges ' || o.kind || ' ' || o.name || ' to ' || g.name, g.value
  FROM (
       SELECT r.oid, r.relowner AS owner, r.name, r.relacl AS acl, (CASE r.relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char" AS class,
              CASE r.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind
         FROM rel r WHERE r.relkind IN ('r', 'p', 'v', 'm', 'S')
       UNION ALL
       SELECT r.oid, r.relowner, r.name || '.' || quote_ident(a.attname), a.attacl, 'c', 'column'
         FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped
       UNION ALL
       SELECT p.oid, p.proowner, ns.name || '.' || quote_ident(p.proname) || '(' || oidvectortypes(p.proargtypes) || ')', p.proacl, 'f',
              CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END
         FROM pg_proc p JOIN ns ON ns.oid = p.pronamespace
        WHERE {objects:p}
          AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
       UNION ALL
       SELECT t.oid, t.typowner, ns.name || '.' || quote_ident(t.typname), t.typacl, 'T', 'type'
         FROM pg_type t JOIN ns ON ns.oid = t.typnamespace
        WHERE t.typtype IN ('c', 'd', 'e', 'r') AND t.typacl IS NOT NULL AND {objects:t}
       UNION ALL
       SELECT n.oid, n.nspowner, ns.name, n.nspacl, 'n', 'schema' FROM pg_namespace n JOIN ns ON ns.oid = n.oid WHERE {objects:n}
       ) AS o
 CROSS JOIN LATERAL (
       SELECT a.name, CASE WHEN a.given THEN a.value ELSE 'NONE' END
         FROM (SELECT CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(e.grantee)) END,
                      bool_or(e.given),
                      CASE WHEN count(*) FILTER (WHERE e.given) < CASE o.class WHEN 'c' THEN 4 ELSE (
                                    SELECT count(*) FROM aclexplode(acldefault(o.class, o.owner)) AS f
                                     WHERE f.grantee = o.owner AND f.privilege_type <> 'MAINTAIN') END
                             OR bool_or(e.is_grantable) <> bool_and(e.is_grantable)
                           THEN string_agg(e.privilege_type || CASE WHEN e.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END, ', '
                                           ORDER BY e.privilege_type) FILTER (WHERE e.given)
                           WHEN bool_or(e.is_grantable) THEN 'ALL WITH GRANT OPTION'
                           ELSE 'ALL' END,
                      string_agg(e.privilege_type || e.is_grantable::text, ',' ORDER BY e.privilege_type) FILTER (WHERE e.given)
                      IS NOT DISTINCT FROM
                      string_agg(e.privilege_type || 'false', ',' ORDER BY e.privilege_type) FILTER (WHERE NOT e.given)
                 FROM (SELECT x.grantee, x.privilege_type, bool_or(x.is_grantable) AS is_grantable, true AS given
                         FROM aclexplode(o.acl) AS x
                        WHERE x.privilege_type <> 'MAINTAIN' OR NOT EXISTS (
                              SELECT FROM aclexplode(o.acl) AS y WHERE y.grantee = x.grantee AND y.privilege_type <> 'MAINTAIN')
                        GROUP BY 1, 2
                       UNION ALL
                       SELECT x.grantee, x.privilege_type, false, false FROM aclexplode(acldefault(o.class, o.owner)) AS x
                       UNION ALL  -- as initdb leaves it
                       SELECT 0, 'USAGE', false, false WHERE o.class = 'n' AND o.name = 'public') AS e
                WHERE e.grantee <> o.owner AND o.acl IS NOT NULL
                GROUP BY e.grantee) AS a (name, given, value, usual)
        WHERE NOT a.usual
       UNION ALL
       SELECT quote_ident(pg_get_userbyid(o.owner)), '*' WHERE {owners}
       ) AS g (name, value)
 WHERE o.acl IS NOT NULL OR {owners}

-- section default_privileges: pg_default_acl
SELECT d.oid::bigint,
       'default privileges ' || CASE WHEN pg_get_userbyid(d.defaclrole) <> current_user
                                     THEN 'for ' || quote_ident(pg_get_userbyid(d.defaclrole)) || ' ' ELSE '' END
       || 'on ' || CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
                                        WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE 'large objects' END
       || coalesce(' in ' || ns.name, '') || ' to ' || g.name, g.value
  FROM pg_default_acl d
  LEFT JOIN ns ON ns.oid = d.defaclnamespace
 CROSS JOIN LATERAL (
       SELECT CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(e.grantee)) END,
              string_agg(e.privilege_type || CASE WHEN e.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END, ', '
                         ORDER BY e.privilege_type)
         FROM (SELECT x.grantee, x.privilege_type, bool_or(x.is_grantable) AS is_grantable
                 FROM aclexplode(d.defaclacl) AS x
                WHERE x.privilege_type <> 'MAINTAIN' OR NOT EXISTS (
                      SELECT FROM aclexplode(d.defaclacl) AS y WHERE y.grantee = x.grantee AND y.privilege_type <> 'MAINTAIN')
                GROUP BY 1, 2) AS e
        WHERE e.grantee <> d.defaclrole
        GROUP BY e.grantee
       UNION ALL  -- what everybody may do by default, taken away
       SELECT 'PUBLIC', 'NONE'
        WHERE d.defaclnamespace = 0 AND d.defaclobjtype IN ('f', 'T')
          AND NOT EXISTS (SELECT FROM aclexplode(d.defaclacl) AS x WHERE x.grantee = 0)
       ) AS g (name, value)
 WHERE (d.defaclnamespace = 0 OR ns.oid IS NOT NULL) AND {objects:d}
