-- Is this lock file completed here, and does the catalog look as it did then? One round trip, nothing deparsed.
-- The digest is over raw catalog rows: every change of a row gives it another xmin. It is only ever compared with
-- itself on the same database, and where it differs a full snapshot decides.
SELECT c.lock_digest, c.catalog_digest, c.drift, d.digest,
       c.marks = (SELECT count(*) FROM trueup.schema_migrations m WHERE m.chain = {chain} AND m.success),
       pg_backend_pid()
  FROM ({digest}) AS d (digest)
  LEFT JOIN trueup.completions c ON c.chain = {chain} AND c.phase = {phase}
