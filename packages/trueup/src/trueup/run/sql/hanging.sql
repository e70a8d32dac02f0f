-- Views and foreign keys on these tables: (table, columns that they hang on, kind, name).
WITH t AS (
    SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE quote_ident(n.nspname) || '.' || quote_ident(c.relname) = ANY ({names}::text[])
), holder AS (
    SELECT t.name AS "table", array_agg(a.attname::text) AS columns, r.ev_class AS oid, false AS is_key
      FROM t
      JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid AND d.classid = 'pg_rewrite'::regclass
      JOIN pg_rewrite r ON r.oid = d.objid AND r.ev_class <> t.oid
      LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
     GROUP BY 1, 3
    UNION ALL
    SELECT t.name, array_agg(a.attname::text), k.conrelid, true
      FROM t
      JOIN pg_constraint k ON k.contype = 'f' AND k.confrelid = t.oid AND k.conrelid <> t.oid AND k.conparentid = 0
      JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (k.confkey)
     GROUP BY 1, 3
)
SELECT h."table", h.columns,
       CASE c.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' ELSE 'table ' END
       || quote_ident(n.nspname) || '.' || quote_ident(c.relname),
       h.is_key
  FROM holder h JOIN pg_class c ON c.oid = h.oid JOIN pg_namespace n ON n.oid = c.relnamespace
 ORDER BY 1, 3
