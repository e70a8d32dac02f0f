-- Everything but temporary relations, TOAST (namespace 99) and trueup's own. Of what initdb makes, schema public (2200).
WITH ignored AS (
    SELECT c.oid FROM pg_class c
     WHERE c.relpersistence = 't' OR c.relnamespace = 99
        OR c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = 'trueup')
), mark (value) AS (
    SELECT hashint8extended(c.oid::bigint, c.xmin::text::bigint) FROM pg_class c
     WHERE c.oid >= 16384
       AND c.oid NOT IN (SELECT oid FROM ignored)
    UNION ALL
    SELECT hashint8extended(a.attrelid::bigint * 4096 + a.attnum, a.xmin::text::bigint) FROM pg_attribute a
     WHERE a.attrelid >= 16384 AND a.attnum > 0 AND a.attrelid NOT IN (SELECT oid FROM ignored)
    UNION ALL
    SELECT hashint8extended(d.oid::bigint, d.xmin::text::bigint) FROM pg_attrdef d
     WHERE d.adrelid NOT IN (SELECT oid FROM ignored)
    UNION ALL
    SELECT hashint8extended(k.oid::bigint, k.xmin::text::bigint) FROM pg_constraint k
     WHERE k.oid >= 16384 AND k.conrelid NOT IN (SELECT oid FROM ignored)
    UNION ALL
    SELECT hashint8extended(i.indexrelid::bigint + 1, i.xmin::text::bigint) FROM pg_index i
     WHERE i.indexrelid >= 16384 AND i.indrelid NOT IN (SELECT oid FROM ignored)
    UNION ALL
    SELECT hashint8extended(n.oid::bigint, n.xmin::text::bigint) FROM pg_namespace n
     WHERE (n.oid >= 16384 OR n.oid = 2200) AND n.nspname !~ '^pg_' AND n.nspname <> 'trueup'
    UNION ALL
    SELECT hashint8extended(p.oid::bigint, p.xmin::text::bigint) FROM pg_proc p WHERE p.oid >= 16384
    UNION ALL
    SELECT hashint8extended(t.oid::bigint, t.xmin::text::bigint) FROM pg_type t
     WHERE t.oid >= 16384 AND (t.typtype IN ('e', 'd', 'r') OR t.typacl IS NOT NULL)
    UNION ALL
    SELECT hashint8extended(e.oid::bigint, e.xmin::text::bigint) FROM pg_enum e
    UNION ALL
    SELECT hashint8extended(g.oid::bigint, g.xmin::text::bigint) FROM pg_trigger g
     WHERE g.oid >= 16384 AND g.tgrelid NOT IN (SELECT oid FROM ignored)
    UNION ALL
    SELECT hashint8extended(r.oid::bigint, r.xmin::text::bigint) FROM pg_rewrite r WHERE r.oid >= 16384
    UNION ALL
    SELECT hashint8extended(y.oid::bigint, y.xmin::text::bigint) FROM pg_policy y
    UNION ALL
    SELECT hashint8extended(s.seqrelid::bigint + 2, s.xmin::text::bigint) FROM pg_sequence s
     WHERE s.seqrelid NOT IN (SELECT oid FROM ignored)
    UNION ALL
    SELECT hashint8extended(d.oid::bigint, d.xmin::text::bigint) FROM pg_default_acl d
    UNION ALL
    SELECT hashint8extended(x.oid::bigint, x.xmin::text::bigint) FROM pg_extension x
    UNION ALL
    SELECT hashint8extended(s.oid::bigint, s.xmin::text::bigint) FROM pg_statistic_ext s
    UNION ALL
    SELECT hashint8extended(d.objoid::bigint * 4096 + d.objsubid, d.xmin::text::bigint) FROM pg_description d
     WHERE d.objoid >= 16384
)
SELECT count(*) || ':' || coalesce(bit_xor(value), 0) FROM mark
