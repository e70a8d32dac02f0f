-- How big tables are and what they are divided into, without reading their rows: (name, table or partition, …).
WITH RECURSIVE wanted AS (
    SELECT DISTINCT to_regclass(name)::oid AS oid FROM unnest({names}::text[]) AS name
), tree AS (
    SELECT oid FROM wanted WHERE oid IS NOT NULL
    UNION
    SELECT i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid
)
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname),
       c.relkind = 'p',
       (SELECT quote_ident(pn.nspname) || '.' || quote_ident(p.relname)
          FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
         WHERE i.inhrelid = c.oid LIMIT 1),
       coalesce((SELECT bool_or(i.inhdetachpending) FROM pg_inherits i WHERE i.inhrelid = c.oid), false),
       coalesce(pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT', false),
       CASE WHEN c.relispartition THEN pg_get_partition_constraintdef(c.oid) END,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_relation_size(c.oid) ELSE 0 END::bigint AS bytes,
       c.reltuples, c.relpages,
       EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND x.indisprimary)
  FROM tree t JOIN pg_class c ON c.oid = t.oid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm')
