"""Questions about one statement."""

from __future__ import annotations

import pytest

from trueup.chain.statements import (
    as_local_setting,
    created_objects,
    is_guarded,
    is_session_setting,
    needs_one_transaction,
    only_checks,
    refuses_transactions,
    removed_objects,
    without_concurrently,
)
from trueup_testing.grammar import one

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING",
        "INSERT INTO a VALUES (1, 2) ON CONFLICT (id) DO NOTHING",
        "INSERT INTO a SELECT id FROM b WHERE NOT EXISTS (SELECT FROM a WHERE a.id = b.id)",
        "INSERT INTO a SELECT id FROM b WHERE id > 3 AND NOT EXISTS (SELECT FROM a WHERE a.id = b.id)",
        "UPDATE a SET x = 1 WHERE x IS NULL",
        "UPDATE a SET x = b.x FROM b WHERE a.id = b.id AND a.x IS NULL",
        "SELECT 1",
        "SELECT setval('s', (SELECT coalesce(max(id), 0) + 1 FROM a))",
        "CREATE TABLE a (id int)",
        "DO $$ BEGIN CREATE ROLE r; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        'DO $$ BEGIN ALTER TABLE "a" ADD CONSTRAINT "c" CHECK (id > 0); EXCEPTION WHEN duplicate_object THEN null; END $$',
        "DO $$ BEGIN CREATE TYPE t AS ENUM ('a;b'); EXCEPTION WHEN duplicate_object THEN RAISE NOTICE 'there'; END; $$",
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM a WHERE x = 1) THEN INSERT INTO a VALUES (1); END IF; END $$",
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_enum WHERE enumlabel = 'b') THEN ALTER TYPE s ADD VALUE 'b'; END IF; END $$",
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'r') THEN CREATE ROLE r; END IF; END $$",
    ],
)
def test_a_statement_that_repeats_harmlessly(sql: str) -> None:
    assert is_guarded(one(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO a VALUES (1)",
        "INSERT INTO a VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET x = excluded.x",
        "INSERT INTO a SELECT id FROM b WHERE EXISTS (SELECT FROM c)",
        "INSERT INTO a SELECT id FROM b WHERE id > 3 OR NOT EXISTS (SELECT FROM a)",
        "UPDATE a SET x = x + 1",
        "UPDATE a SET x = 1 WHERE y IS NULL",
        "UPDATE a SET x = 1 WHERE x IS NOT NULL",
        "DELETE FROM a",
        "SELECT give_bonus(1)",
        "WITH gone AS (DELETE FROM a RETURNING id) SELECT id FROM gone",
        "DO $$ BEGIN NULL; END $$",
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM b WHERE x = 1) THEN INSERT INTO a VALUES (1); END IF; END $$",
        "DO $$ BEGIN CREATE ROLE r; EXCEPTION WHEN OTHERS THEN NULL; END $$",
        "DO $$ BEGIN CREATE ROLE r; UPDATE a SET x = 1; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "DO $$ BEGIN CREATE ROLE r; EXCEPTION WHEN duplicate_object THEN DELETE FROM a; END $$",
        "DO $$ BEGIN ALTER TABLE a DROP COLUMN x; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM a) THEN ALTER TYPE s RENAME VALUE 'a' TO 'b'; END IF; END $$",
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM a) THEN CREATE ROLE r; ELSE DELETE FROM a; END IF; END $$",
        "CALL move_rows()",
        "TRUNCATE a",
    ],
)
def test_a_statement_that_must_not_be_repeated(sql: str) -> None:
    assert not is_guarded(one(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX CONCURRENTLY i ON a (x)",
        "DROP INDEX CONCURRENTLY i",
        "REINDEX INDEX CONCURRENTLY i",
        "REINDEX (VERBOSE) DATABASE d",
        "ALTER TABLE p DETACH PARTITION q CONCURRENTLY",
        "VACUUM a",
        "CREATE DATABASE d",
        "ALTER SYSTEM SET work_mem = '1MB'",
        "CALL move_rows()",
        "DO $$ BEGIN UPDATE a SET x = 1; COMMIT; END $$",
    ],
)
def test_a_statement_that_refuses_a_transaction(sql: str) -> None:
    assert refuses_transactions(one(sql))


@pytest.mark.parametrize("sql", ["CREATE INDEX i ON a (x)", "REINDEX INDEX i", "DO $$ BEGIN NULL; END $$"])
def test_a_statement_that_accepts_a_transaction(sql: str) -> None:
    assert not refuses_transactions(one(sql))


@pytest.mark.parametrize(
    "sql, plain",
    [
        ("CREATE INDEX CONCURRENTLY i ON a (x)", "CREATE INDEX i ON a USING btree (x)"),
        ("DROP INDEX CONCURRENTLY i", "DROP INDEX i"),
        ("REINDEX INDEX CONCURRENTLY i", "REINDEX INDEX i"),
        ("ALTER TABLE p DETACH PARTITION q CONCURRENTLY", "ALTER TABLE p DETACH PARTITION q"),
    ],
)
def test_concurrently_is_taken_out(sql: str, plain: str) -> None:
    assert one(plain).canonical == one(without_concurrently(one(sql))).canonical
    assert "CONCURRENTLY" not in without_concurrently(one(sql)).upper()


@pytest.mark.parametrize(
    "sql, local",
    [
        ("SET search_path TO app, public", "SET LOCAL search_path TO app, public"),
        ("SET work_mem = '64MB'", "SET LOCAL work_mem TO '64MB'"),
        ("RESET search_path", "SET LOCAL search_path TO DEFAULT"),
        ("SELECT set_config('search_path', '', false)", "SELECT pg_catalog.set_config('search_path', '', true)"),
    ],
)
def test_a_session_s_setting_is_made_a_transaction_s(sql: str, local: str) -> None:
    assert is_session_setting(one(sql))
    assert one(local).canonical == one(as_local_setting(one(sql))).canonical


@pytest.mark.parametrize("sql", ["SET LOCAL work_mem = '64MB'", "SELECT 1", "SELECT set_config(name, x, false) FROM s"])
def test_other_statements_are_no_session_s_setting(sql: str) -> None:
    assert not is_session_setting(one(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "LOCK TABLE a IN SHARE MODE",
        "SET LOCAL lock_timeout = '1s'",
        "SELECT set_config('app.tenant', '1', true)",
        "CREATE TEMPORARY TABLE t (id int)",
        "CREATE TEMP TABLE t AS SELECT 1",
        "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SELECT pg_temp.f()",
    ],
)
def test_what_ends_with_the_transaction_needs_its_neighbours(sql: str) -> None:
    assert needs_one_transaction(one(sql))


@pytest.mark.parametrize("sql", ["SET lock_timeout = '1s'", "CREATE TABLE t (id int)", "UPDATE a SET x = 1"])
def test_what_lasts_does_not_need_its_neighbours(sql: str) -> None:
    assert not needs_one_transaction(one(sql))


@pytest.mark.parametrize(
    "removes, creates",
    [
        ("DROP VIEW s.v", "CREATE VIEW s.v AS SELECT 1"),
        ("DROP TABLE t", "CREATE TABLE t (id int)"),
        ("DROP TABLE t", "CREATE TABLE t AS SELECT 1"),
        ("DROP TABLE t", "ALTER TABLE t_new RENAME TO t"),
        ("DROP INDEX i", "CREATE INDEX i ON t (x)"),
        ("DROP FUNCTION f(int)", "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'"),
        ("DROP TRIGGER g ON t", "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()"),
        ("DROP POLICY p ON t", "CREATE POLICY p ON t"),
        ("DROP RULE r ON t", "CREATE RULE r AS ON INSERT TO t DO NOTHING"),
        ("DROP TYPE e", "CREATE TYPE e AS ENUM ('a')"),
        ("ALTER TABLE t DROP COLUMN c", "ALTER TABLE t ADD COLUMN c int"),
        ("ALTER TABLE t DROP CONSTRAINT k", "ALTER TABLE t ADD CONSTRAINT k CHECK (x > 0)"),
        ("ALTER TABLE t DROP COLUMN c", "ALTER TABLE t RENAME COLUMN c_new TO c"),
    ],
)
def test_a_removal_and_its_re_creation_are_recognised(removes: str, creates: str) -> None:
    assert removed_objects(one(removes)) & created_objects(one(creates))


@pytest.mark.parametrize(
    "removes, creates",
    [
        ("DROP VIEW v", "CREATE VIEW w AS SELECT 1"),
        ("ALTER TABLE t DROP COLUMN c", "ALTER TABLE u ADD COLUMN c int"),
        ("ALTER TABLE t ALTER COLUMN c DROP DEFAULT", "ALTER TABLE t ADD COLUMN c int"),
    ],
)
def test_what_only_looks_like_a_re_creation(removes: str, creates: str) -> None:
    assert not removed_objects(one(removes)) & created_objects(one(creates))


@pytest.mark.parametrize(
    "code, reads",
    [
        ("DECLARE n int; BEGIN SELECT count(*) INTO n FROM a; RAISE EXCEPTION 'drop % rows', n; END", True),
        ("BEGIN IF EXISTS (SELECT FROM a) THEN RAISE NOTICE 'some'; END IF; END", True),
        ("BEGIN PERFORM f(); END", False),
        ("BEGIN IF f(1) THEN RAISE NOTICE 'some'; END IF; END", False),
        ("BEGIN UPDATE a SET x = 1; END", False),
        ("BEGIN EXECUTE 'SELECT 1'; END", False),
    ],
)
def test_a_block_that_only_checks(code: str, reads: bool) -> None:
    assert reads == only_checks(f"DO $$ {code} $$")


def test_what_is_no_block_does_not_only_check() -> None:
    assert not only_checks("SELECT 1")
