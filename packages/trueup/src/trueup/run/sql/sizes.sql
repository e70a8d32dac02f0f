-- How big and how busy tables are and what they are divided into, without reading rows: (name, table or partition, …).
WITH RECURSIVE counted AS (
    SELECT greatest(extract(epoch FROM clock_timestamp() - coalesce(d.stats_reset, b.stats_reset)), 60) AS seconds
      FROM pg_stat_database d, pg_stat_bgwriter b WHERE d.datname = current_database()
), wanted AS (
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
       own.bytes + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0),
       own.bytes / current_setting('block_size')::int,
       c.reltuples, c.relpages,
       coalesce((SELECT (coalesce(s.seq_scan, 0) + coalesce(s.idx_scan, 0)) / seconds
                   FROM pg_stat_all_tables s, counted WHERE s.relid = c.oid), 0)::float8,
       EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND x.indisprimary),
       ARRAY(SELECT tgname FROM pg_trigger g
              WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgenabled <> 'D' AND g.tgtype & 16 > 0 -- of an UPDATE
                AND NOT (g.tgenabled = 'O' AND has_parameter_privilege('session_replication_role', 'SET'))
              UNION ALL
             SELECT rulename FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type = '2' AND r.ev_enabled <> 'D'),
       EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgenabled = 'O'
                  AND g.tgtype & 16 > 0),
       CASE WHEN c.relispartition THEN ARRAY(
           SELECT ARRAY[quote_ident(n.nspname) || '.' || quote_ident(ic.relname),
                        CASE WHEN x.indisunique THEN 'UNIQUE ' ELSE '' END
                            || substring(d.text FROM strpos(d.text, ' USING ') + 7),
                        coalesce((SELECT quote_ident(pn.nspname) || '.' || quote_ident(pc.relname)
                                    FROM pg_inherits h JOIN pg_class pc ON pc.oid = h.inhparent
                                    JOIN pg_namespace pn ON pn.oid = pc.relnamespace WHERE h.inhrelid = ic.oid), '')]
             FROM pg_index x JOIN pg_class ic ON ic.oid = x.indexrelid,
                  LATERAL (SELECT pg_get_indexdef(ic.oid) AS text) AS d
            WHERE x.indrelid = c.oid ORDER BY ic.oid) ELSE '{}' END,
       CASE WHEN pg_get_userbyid(c.relowner) <> current_user THEN quote_ident(pg_get_userbyid(c.relowner)) END
  FROM tree t JOIN pg_class c ON c.oid = t.oid JOIN pg_namespace n ON n.oid = c.relnamespace
       CROSS JOIN LATERAL (SELECT CASE WHEN c.relkind = 'p' THEN 0 ELSE pg_relation_size(c.oid) END AS bytes) AS own
 WHERE c.relkind IN ('r', 'p', 'm')
