"""DDL for everything but tables and columns."""

from __future__ import annotations

import pytest

from trueup.chain.grammar import parse_statements
from trueup.render.objects import create, drop

pytestmark = pytest.mark.unit

CREATED = [
    ("schema app", "", "CREATE SCHEMA app"),
    ("extension pg_trgm", "", "CREATE EXTENSION pg_trgm"),
    ("sequence app.s", "AS bigint START WITH 1", "CREATE SEQUENCE app.s AS bigint START WITH 1"),
    ("sequence owner app.s", "app.a.id", "ALTER SEQUENCE app.s OWNED BY app.a.id"),
    ("enum app.mood", "'sad', 'it''s'", "CREATE TYPE app.mood AS ENUM ('sad', 'it''s')"),
    ("domain app.phone", "text NOT NULL", "CREATE DOMAIN app.phone AS text NOT NULL"),
    ("domain constraint app.phone.c", "CHECK (true)", "ALTER DOMAIN app.phone ADD CONSTRAINT c CHECK (true)"),
    ("type app.pair", "(a integer, b text)", "CREATE TYPE app.pair AS (a integer, b text)"),
    ("type app.span", "RANGE (SUBTYPE = integer)", "CREATE TYPE app.span AS RANGE (SUBTYPE = integer)"),
    ("view app.v", "AS SELECT 1;", "CREATE VIEW app.v AS SELECT 1"),
    ("materialized view app.m", "AS SELECT 1;", "CREATE MATERIALIZED VIEW app.m AS SELECT 1"),
    ("index app.i", "ON app.a USING btree (x)", "CREATE INDEX i ON app.a USING btree (x)"),
    ("index app.i", "UNIQUE ON app.a USING btree (x)", "CREATE UNIQUE INDEX i ON app.a USING btree (x)"),
    ("valid app.i", "", "REINDEX INDEX app.i"),
    ("constraint app.a.k", "PRIMARY KEY (id)", "ALTER TABLE app.a ADD CONSTRAINT k PRIMARY KEY (id)"),
    ("constraint app.a.k", "CHECK ((x > 0))", "ALTER TABLE app.a ADD CONSTRAINT k CHECK ((x > 0)) NOT VALID"),
    ("validated app.a.k", "", "ALTER TABLE app.a VALIDATE CONSTRAINT k"),
    ("trigger app.a.g", "CREATE TRIGGER g …", "CREATE TRIGGER g …"),
    ("trigger state app.a.g", "DISABLE", "ALTER TABLE app.a DISABLE TRIGGER g"),
    ("policy app.a.p", "AS PERMISSIVE FOR ALL TO PUBLIC", "CREATE POLICY p ON app.a AS PERMISSIVE FOR ALL TO PUBLIC"),
    ("row security app.a", "ENABLE", "ALTER TABLE app.a ENABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY"),
    ("row security app.a", "ENABLE, FORCE", "ALTER TABLE app.a ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"),
    ("storage app.a", "fillfactor=70", "ALTER TABLE app.a SET (fillfactor=70)"),
    ("replica identity app.a", "FULL", "ALTER TABLE app.a REPLICA IDENTITY FULL"),
    ("cluster on app.a", "i", "ALTER TABLE app.a CLUSTER ON i"),
    ("comment on table app.a", "'it''s'", "COMMENT ON TABLE app.a IS 'it''s'"),
    ("comment on column app.a.x", "'x'", "COMMENT ON COLUMN app.a.x IS 'x'"),
    ("comment on constraint app.a.k", "'x'", "COMMENT ON CONSTRAINT k ON app.a IS 'x'"),
    ("comment on trigger app.a.g", "'x'", "COMMENT ON TRIGGER g ON app.a IS 'x'"),
    ("comment on materialized view app.m", "'x'", "COMMENT ON MATERIALIZED VIEW app.m IS 'x'"),
    ("comment on function app.f(integer)", "'x'", "COMMENT ON FUNCTION app.f(integer) IS 'x'"),
]


@pytest.mark.parametrize("key, value, sql", CREATED)
def test_a_missing_object_is_created(key: str, value: str, sql: str) -> None:
    assert [sql] == create(key, value, None)


def test_quoted_names_keep_their_quotes() -> None:
    key, value = 'constraint "My App"."a.b"."c ""d"""', "UNIQUE (x)"

    assert ['ALTER TABLE "My App"."a.b" ADD CONSTRAINT "c ""d""" UNIQUE (x)'] == create(key, value, None)


@pytest.mark.parametrize(
    "key, value, found, sql",
    [
        ("view app.v", "AS SELECT 1;", "AS SELECT 2;", ["CREATE OR REPLACE VIEW app.v AS SELECT 1"]),
        (
            "index app.i",
            "ON app.a USING btree (x)",
            "ON app.a USING btree (y)",
            ["DROP INDEX app.i", "CREATE INDEX i ON app.a USING btree (x)"],
        ),
        (
            "constraint app.a.k",
            "CHECK ((x > 0))",
            "CHECK ((x > 1))",
            ["ALTER TABLE app.a DROP CONSTRAINT k, ADD CONSTRAINT k CHECK ((x > 0)) NOT VALID"],
        ),
        ("trigger app.a.g", "CREATE TRIGGER g …", "…", ["DROP TRIGGER g ON app.a", "CREATE TRIGGER g …"]),
        ("policy app.a.p", "FOR ALL", "FOR SELECT", ["DROP POLICY p ON app.a", "CREATE POLICY p ON app.a FOR ALL"]),
        ("sequence app.s", "AS integer", "AS bigint", ["ALTER SEQUENCE app.s AS integer"]),
        (
            "rule app.a.r",
            "CREATE RULE r AS ON INSERT TO app.a DO NOTHING;",
            "…",
            ["CREATE OR REPLACE RULE r AS ON INSERT TO app.a DO NOTHING"],
        ),
    ],
)
def test_another_object_is_replaced(key: str, value: str, found: str, sql: list[str]) -> None:
    assert sql == create(key, value, found)


@pytest.mark.parametrize(
    "found, wanted, sql",
    [
        ("'a', 'c'", "'a', 'b', 'c'", ["ALTER TYPE app.e ADD VALUE 'b' AFTER 'a'"]),
        ("'b'", "'a', 'b'", ["ALTER TYPE app.e ADD VALUE 'a' BEFORE 'b'"]),
        (
            "'a'",
            "'a', 'b', 'it''s'",
            ["ALTER TYPE app.e ADD VALUE 'b' AFTER 'a'", "ALTER TYPE app.e ADD VALUE 'it''s' AFTER 'b'"],
        ),
        ("", "'a'", ["ALTER TYPE app.e ADD VALUE 'a'"]),
        ("'a', 'mine'", "'a'", []),
    ],
)
def test_labels_are_added_in_their_places_and_never_taken(found: str, wanted: str, sql: list[str]) -> None:
    assert sql == create("enum app.e", wanted, found)


def test_an_object_that_is_called_otherwise_here_is_named_as_it_is() -> None:
    assert ["REINDEX INDEX app.ix_other"] == create("valid app.i", "", None, name="app.ix_other")
    assert ["ALTER TABLE app.a VALIDATE CONSTRAINT other"] == create("validated app.a.k", "", None, name="app.a.other")


@pytest.mark.parametrize(
    "key, sql",
    [
        ("constraint app.a.k", "ALTER TABLE app.a DROP CONSTRAINT k"),
        ("trigger app.a.g", "DROP TRIGGER g ON app.a"),
        ("policy app.a.p", "DROP POLICY p ON app.a"),
        ("rule app.a.r", "DROP RULE r ON app.a"),
        ("index app.i", "DROP INDEX app.i"),
        ("view app.v", "DROP VIEW app.v"),
        ("materialized view app.m", "DROP MATERIALIZED VIEW app.m"),
        ("function app.f(integer)", "DROP FUNCTION app.f(integer)"),
        ("enum app.e", "DROP TYPE app.e"),
        ("statistics app.s", "DROP STATISTICS app.s"),
        ("row security app.a", "ALTER TABLE app.a DISABLE ROW LEVEL SECURITY"),
        ("comment on table app.a", "COMMENT ON TABLE app.a IS NULL"),
    ],
)
def test_what_a_step_removes_is_dropped(key: str, sql: str) -> None:
    assert [sql] == drop(key)


@pytest.mark.parametrize("key", ["table app.a", "column app.a.x", "valid app.i", "validated app.a.k", "schema app"])
def test_rows_and_parts_are_never_dropped(key: str) -> None:
    assert [] == drop(key)


@pytest.mark.parametrize("sql", [sql for _, _, sql in CREATED if "…" not in sql])
def test_it_is_sql(sql: str) -> None:
    assert 1 == len(parse_statements(sql))


def test_a_table_inherits_again() -> None:
    assert ["ALTER TABLE public.kid INHERIT public.base"] == create(
        "partition public.kid", "INHERITS public.base", None
    )
