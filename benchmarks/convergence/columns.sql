-- Every table that can take rows, with what is needed to invent some: one row per column, in the tables' own order.
SELECT c.oid::int8 AS table_oid,
       format('%I.%I', n.nspname, c.relname) AS table_name,
       format('%I', a.attname) AS column_name,
       a.attnum::int4 AS place,
       base.typname AS base_type,
       CASE WHEN a.atttypmod >= 0 THEN a.atttypmod ELSE t.typtypmod END AS modifier,
       a.attnotnull OR t.typnotnull AS not_null,
       a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL AS has_default,
       -- A sequence's numbers would depend on how many tries have failed: never mixed with chosen ones.
       a.attgenerated <> '' OR a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid), '') ~ '^nextval' AS computed,
       ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = base.oid ORDER BY e.enumsortorder) AS labels,
       ARRAY(
           SELECT pg_get_constraintdef(k.oid)
           FROM pg_constraint k
           WHERE k.contype = 'c' AND (k.conrelid = c.oid AND a.attnum = ANY (k.conkey) OR k.contypid = t.oid)
       ) AS checks,
       fk.parent,
       fk.parent_column,
       fk.parent_oid
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type base ON base.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN LATERAL (
    SELECT format('%I.%I', pn.nspname, p.relname) AS parent,
           format('%I', pa.attname) AS parent_column,
           p.oid::int8 AS parent_oid
    FROM pg_constraint k
    JOIN pg_class p ON p.oid = k.confrelid
    JOIN pg_namespace pn ON pn.oid = p.relnamespace
    JOIN pg_attribute pa ON pa.attrelid = p.oid
        AND pa.attnum = k.confkey[array_position(k.conkey, a.attnum)]
    WHERE k.conrelid = c.oid AND k.contype = 'f' AND a.attnum = ANY (k.conkey)
    ORDER BY cardinality(k.conkey), k.conname
    LIMIT 1
) fk ON true
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'trueup')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname, c.relname, a.attname
