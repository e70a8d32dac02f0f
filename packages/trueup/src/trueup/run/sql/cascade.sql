-- The tables and columns that hang on what is dropped, be it through others: (number of what is dropped, kind and name).
WITH RECURSIVE dropped (number, kind, name, "column") AS (
    VALUES {dropped}
), hung (number, classid, objid, subid) AS (
    SELECT d.number, o.classid, o.objid, coalesce(a.attnum, 0)::integer
      FROM dropped d
     CROSS JOIN LATERAL (
           SELECT 'pg_namespace'::regclass::oid, to_regnamespace(d.name)::oid WHERE d.kind = 'schema'
           UNION ALL SELECT 'pg_extension'::regclass, e.oid FROM pg_extension e WHERE d.kind = 'extension' AND quote_ident(e.extname) = d.name
           UNION ALL SELECT 'pg_class'::regclass, to_regclass(d.name)::oid WHERE d.kind IN ('table', 'column')
           UNION ALL SELECT 'pg_proc'::regclass, to_regprocedure(d.name)::oid WHERE d.kind = 'function'
           UNION ALL SELECT 'pg_type'::regclass, to_regtype(d.name)::oid WHERE d.kind IN ('enum', 'domain', 'type')
           ) AS o (classid, objid)
      LEFT JOIN pg_attribute a ON d.kind = 'column' AND a.attrelid = o.objid AND a.attname = d."column"
     WHERE o.objid IS NOT NULL AND (d.kind <> 'column' OR a.attnum IS NOT NULL)
    UNION
    SELECT h.number, p.classid, p.objid, p.objsubid
      FROM hung h
     CROSS JOIN LATERAL (
           SELECT p.classid, p.objid, p.objsubid FROM pg_depend p
            WHERE p.refclassid = h.classid AND p.refobjid = h.objid AND h.subid IN (0, p.refobjsubid)
           UNION ALL  -- a generated column goes with its expression
           SELECT p.refclassid, p.refobjid, p.refobjsubid FROM pg_depend p
            WHERE p.classid = h.classid AND p.objid = h.objid AND p.classid = 'pg_attrdef'::regclass AND p.deptype = 'i'
           ) AS p
)
SELECT DISTINCT h.number,
       CASE h.subid WHEN 0 THEN 'table ' ELSE 'column ' END || quote_ident(n.nspname) || '.' || quote_ident(c.relname)
       || coalesce('.' || quote_ident(a.attname), '')
  FROM hung h
  JOIN pg_class c ON h.classid = 'pg_class'::regclass AND c.oid = h.objid AND c.relkind IN ('r', 'p')
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = h.subid AND a.attnum > 0
 WHERE (h.subid = 0 OR NOT a.attisdropped) AND NOT c.relispartition
   AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = h.classid AND e.objid = h.objid AND e.deptype = 'e')
 ORDER BY 1, 2
