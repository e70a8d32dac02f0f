-- Of what is to be changed, or made in, what the role may not: (kind, name, owner).
WITH asked AS (
    SELECT a.kind, a.name, CASE a.kind
               WHEN 'schema' THEN to_regnamespace(a.name)::oid
               WHEN 'relation' THEN to_regclass(a.name)::oid
               WHEN 'rows' THEN to_regclass(a.name)::oid
               WHEN 'type' THEN to_regtype(a.name)::oid
               ELSE to_regprocedure(a.name)::oid END AS oid
      FROM unnest({kinds}::text[], {names}::text[]) AS a (kind, name)
), owned AS (
    SELECT a.kind, a.name, coalesce(c.relowner, t.typowner, p.proowner) AS owner
      FROM asked a
      LEFT JOIN pg_class c ON a.kind = 'relation' AND c.oid = a.oid
      LEFT JOIN pg_type t ON a.kind = 'type' AND t.oid = a.oid
      LEFT JOIN pg_proc p ON a.kind = 'routine' AND p.oid = a.oid
)
SELECT kind, name, pg_get_userbyid(owner) FROM owned WHERE NOT pg_has_role(owner, 'USAGE')
 UNION ALL
SELECT kind, name, NULL FROM asked WHERE kind = 'schema' AND NOT has_schema_privilege(oid, 'CREATE')
 UNION ALL
SELECT kind, name, NULL FROM asked WHERE kind = 'rows' AND row_security_active(oid)
 ORDER BY 1, 2
