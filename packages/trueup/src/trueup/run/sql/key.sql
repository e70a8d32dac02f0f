-- The key that a table's batches go by: the columns asked for, else the primary key, else a unique index that has no
-- NULL in it. `indexed`: some B-tree begins with these columns in this order, so that a range is found, not searched.
WITH wanted AS (
    SELECT to_regclass({table})::oid AS id, {columns}::name[] AS names
), indexes AS (
    SELECT i.indexrelid, i.indisprimary, i.indisunique, i.indnkeyatts AS width,
           (string_to_array(i.indkey::text, ' ')::smallint[])[1:i.indnkeyatts] AS columns
      FROM wanted JOIN pg_index i ON i.indrelid = wanted.id
      JOIN pg_class c ON c.oid = i.indexrelid
      JOIN pg_am am ON am.oid = c.relam AND am.amname = 'btree'
     WHERE i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
), named AS (
    SELECT array_agg(a.attnum ORDER BY n.place) AS columns
      FROM wanted, unnest(wanted.names) WITH ORDINALITY AS n (name, place)
      JOIN pg_attribute a ON a.attname = n.name AND a.attnum > 0 AND NOT a.attisdropped
     WHERE a.attrelid = wanted.id
), own AS (
    SELECT i.columns FROM indexes i, wanted
     WHERE i.indisunique
       AND NOT EXISTS (SELECT FROM pg_attribute a
                        WHERE a.attrelid = wanted.id AND a.attnum = ANY (i.columns) AND NOT a.attnotnull)
     ORDER BY i.indisprimary DESC, i.width, i.indexrelid
     LIMIT 1
), chosen AS (
    SELECT CASE WHEN cardinality(wanted.names) > 0 THEN (SELECT columns FROM named) ELSE (SELECT columns FROM own) END
           AS columns
      FROM wanted
)
SELECT c.relkind,
       quote_ident(s.nspname) || '.' || quote_ident(c.relname),
       (SELECT array_agg(ARRAY[a.attname, format_type(a.atttypid, a.atttypmod), (NOT a.attnotnull)::text]
                         ORDER BY k.place)
          FROM unnest(chosen.columns) WITH ORDINALITY AS k (attnum, place)
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum),
       EXISTS (SELECT FROM indexes i WHERE i.columns[1:cardinality(chosen.columns)] = chosen.columns)
  FROM wanted JOIN pg_class c ON c.oid = wanted.id JOIN pg_namespace s ON s.oid = c.relnamespace, chosen
