-- One digest over the columns, constraints, indexes, triggers, functions and types in schema public, without those of the
-- ledgers that Alembic, Django, yoyo and dbmate keep there.
WITH relation AS (
    SELECT oid, relname
    FROM pg_catalog.pg_class
    WHERE relnamespace = 'public'::regnamespace
      AND relname !~ '^(alembic_version|django_migrations|_?yoyo|schema_migrations)'
),
fact AS (
    SELECT concat_ws(' ', 'column', relname, attname, format_type(atttypid, atttypmod), attnotnull) AS line
    FROM relation JOIN pg_catalog.pg_attribute ON attrelid = relation.oid
    WHERE attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT concat_ws(' ', 'default', relname, adnum, pg_get_expr(adbin, adrelid))
    FROM relation JOIN pg_catalog.pg_attrdef ON adrelid = relation.oid
    UNION ALL
    SELECT concat_ws(' ', 'constraint', relname, conname, pg_get_constraintdef(pg_constraint.oid))
    FROM relation JOIN pg_catalog.pg_constraint ON conrelid = relation.oid
    UNION ALL
    SELECT concat_ws(' ', 'index', relname, pg_get_indexdef(indexrelid), indisvalid)
    FROM relation JOIN pg_catalog.pg_index ON indrelid = relation.oid
    UNION ALL
    SELECT concat_ws(' ', 'trigger', relname, pg_get_triggerdef(pg_trigger.oid))
    FROM relation JOIN pg_catalog.pg_trigger ON tgrelid = relation.oid
    WHERE NOT tgisinternal
    UNION ALL
    SELECT concat_ws(' ', 'function', proname, prosrc)
    FROM pg_catalog.pg_proc
    WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', 'value', typname, enumsortorder, enumlabel)
    FROM pg_catalog.pg_type JOIN pg_catalog.pg_enum ON enumtypid = pg_type.oid
    WHERE typnamespace = 'public'::regnamespace
)
SELECT md5(string_agg(line, E'\n' ORDER BY line COLLATE "C")) FROM fact
