"""Facts of a live database, on every PostgreSQL that is here."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from trueup.catalog.keys import kind_of
from trueup.catalog.snapshot import take
from trueup.chain.model import Facts
from trueup.connect.connection import connect
from trueup_testing.databases import Databases, execute
from trueup_testing.every_kind import EVERY_KIND

pytestmark = pytest.mark.pg

KINDS = {
    *("schema", "extension", "table", "partition", "row security", "storage", "replica identity", "cluster on"),
    *("column", "not null", "default", "generated", "identity", "numbering", "collation", "options"),
    *("constraint", "validated", "index", "valid", "sequence", "sequence owner"),
    *("enum", "domain", "domain constraint", "type", "view", "materialized view", "function", "procedure", "aggregate"),
    *("trigger", "trigger state", "policy", "rule", "statistics", "comment on"),
    *("privileges", "default privileges"),
}

SOME_FACTS = {
    "table app.cache": "UNLOGGED",
    "table app.events": "PARTITION BY RANGE (at)",
    "partition app.events_2024": "PARTITION OF app.events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
    "partition app.child": "INHERITS app.parent",
    "row security app.leads": "ENABLE, FORCE",
    "storage app.leads": "fillfactor=70, autovacuum_enabled=false",
    "replica identity app.leads": "FULL",
    "cluster on app.calls": "calls_lead",
    "column app.leads.mood": "app.mood",
    'column app.leads."Odd ""name"""': "integer",
    'column app."My.Table"."a.b"': "text",
    "default app.leads.name": "'אין שם'::character varying",
    "default app.leads.since": "'2023-12-31 22:00:00+00'::timestamp with time zone",
    "generated app.leads.doubled": "((price * (2)::numeric)) STORED",
    "identity app.calls.id": "ALWAYS",
    "numbering app.calls.other": "START WITH 10 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1",
    "collation app.leads.name": 'pg_catalog."C"',
    "constraint app.leads.leads_name_code": "UNIQUE (name, code) DEFERRABLE INITIALLY DEFERRED",
    "constraint app.calls.calls_lead_id_fkey": (
        "FOREIGN KEY (lead_id) REFERENCES app.leads(id) ON UPDATE RESTRICT ON DELETE CASCADE"
    ),
    "constraint app.calls.calls_late": "CHECK ((other > 0))",
    "index app.calls_lead": "ON app.calls USING btree (lead_id)",
    "index app.summary_kind": "UNIQUE ON app.summary USING btree (kind)",
    "sequence owner app.leads_id_seq": "app.leads.id",
    "enum app.mood": "'sad', 'so so', 'it''s fine', 'שמח'",
    "domain app.phone": "text DEFAULT ''::text NOT NULL",
    "type app.pair": '(a integer, b character varying(5), "C d" app.mood)',
    "type app.span": "RANGE (SUBTYPE = timestamp with time zone)",
    "trigger state app.calls.asleep": "DISABLE",
    "comment on trigger app.leads.touched": "'keeps time'",
    "comment on type app.pair": "'two'",
    "privileges table app.leads to pg_monitor": "INSERT, SELECT",
    "privileges column app.leads.name to PUBLIC": "SELECT, UPDATE",
    "privileges table app.calls to pg_monitor": "ALL WITH GRANT OPTION",
    "privileges table app.events to pg_monitor": "ALL",
    "privileges table app.parent to pg_monitor": "DELETE, INSERT, REFERENCES, TRIGGER, TRUNCATE, UPDATE",
    "privileges function app.atomic(integer) to PUBLIC": "NONE",
    "privileges type app.mood to PUBLIC": "NONE",
    "default privileges on tables in app to pg_monitor": "SELECT",
    "default privileges on functions to PUBLIC": "NONE",
}


def make(url: str) -> None:
    execute(url, *EVERY_KIND.values())


def facts_of(url: str, *schemas: str) -> Facts:
    with connect(url) as conn:
        return take(conn, schemas or ("app", "public"))


@pytest.fixture
def url(each_server: Databases) -> str:
    """A database with an object of every kind, on each server."""
    return each_server.copy_of("every kind", make)


@pytest.fixture(scope="module")
def here(databases: Databases) -> Facts:
    """The facts of the same objects on the session's server."""
    return facts_of(databases.copy_of("every kind", make))


@pytest.fixture
def conn(database: str) -> Iterator[psycopg.Connection]:
    with connect(database) as conn:
        yield conn


def test_facts_are_equal_on_every_server(url: str, here: Facts) -> None:
    found = facts_of(url)

    assert {k: v for k, v in here.items() if found.get(k) != v} == {k: v for k, v in found.items() if here.get(k) != v}
    assert KINDS == {kind_of(key) for key in found}


def test_values_are_what_the_server_deparses(url: str) -> None:
    found = facts_of(url)

    assert SOME_FACTS == {key: found.get(key) for key in SOME_FACTS}
    assert "validated app.calls.calls_late" not in found
    assert "validated app.leads.leads_price" in found


def test_maintain_is_a_fact_where_it_is_all_that_is_given(each_server: Databases) -> None:
    url = each_server.create()
    execute(url, "CREATE TABLE a (); CREATE TABLE b ()")
    with connect(url) as conn:
        if conn.info.server_version < 170000:  # it came with 17
            with pytest.raises(psycopg.DatabaseError, match="maintain"):
                conn.execute("GRANT MAINTAIN ON a TO pg_monitor")
            return
    execute(url, "GRANT MAINTAIN ON a TO pg_monitor WITH GRANT OPTION")
    execute(url, "GRANT SELECT, MAINTAIN ON b TO pg_monitor")
    execute(url, "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT MAINTAIN ON TABLES TO pg_monitor")

    found = {key: value for key, value in facts_of(url).items() if "privileges" in key}

    assert {
        "privileges table public.a to pg_monitor": "MAINTAIN WITH GRANT OPTION",
        "privileges table public.b to pg_monitor": "SELECT",
        "default privileges on tables in public to pg_monitor": "MAINTAIN",
    } == found


def test_facts_do_not_depend_on_settings(url: str) -> None:
    before = facts_of(url)
    with connect(url) as conn:
        for setting in (
            "search_path = app, public",
            "TimeZone = 'Asia/Jerusalem'",
            "DateStyle = 'German'",
            "IntervalStyle = 'sql_standard'",
            "bytea_output = 'escape'",
            "quote_all_identifiers = on",
            "extra_float_digits = -15",
            "default_transaction_isolation = 'serializable'",
        ):
            conn.execute(f"SET {setting}".encode())

        assert before == take(conn, ("app", "public"))
        assert ("app, public",) == conn.execute("SHOW search_path").fetchone()


def test_columns_come_as_they_stand_in_their_table(url: str) -> None:
    columns = [key for key in facts_of(url) if key.startswith("column app.calls.")]

    assert ["column app.calls.id", "column app.calls.other", "column app.calls.lead_id"] == columns


def test_only_the_schemas_asked_for_are_read(url: str) -> None:
    assert {"extension btree_gist", "default privileges on functions to PUBLIC"} == set(facts_of(url, "public"))


def test_temporary_and_internal_things_are_no_facts(conn: psycopg.Connection) -> None:
    conn.execute("CREATE TEMP TABLE t (id serial PRIMARY KEY)")
    conn.execute("CREATE SCHEMA trueup")
    conn.execute("CREATE TABLE trueup.t (id int)")
    conn.execute("CREATE TABLE kept (a text STORAGE EXTERNAL)")

    assert {"table public.kept", "column public.kept.a", "options public.kept.a"} == set(
        take(conn, ("public", "trueup", "pg_catalog"))
    )


def test_what_an_extension_brings_is_the_extension_s(conn: psycopg.Connection) -> None:
    conn.execute("CREATE EXTENSION pg_trgm")

    assert {"extension pg_trgm"} == set(take(conn, ("public",)))


def test_a_dropped_column_leaves_nothing(conn: psycopg.Connection) -> None:
    conn.execute("CREATE TABLE a (x int DEFAULT 1 NOT NULL, y int)")
    conn.execute("ALTER TABLE a DROP x")

    assert {"table public.a": "", "column public.a.y": "integer"} == take(conn, ("public",))


def test_an_index_that_a_failed_build_left_is_not_valid(conn: psycopg.Connection) -> None:
    conn.execute("CREATE TABLE a (x int)")
    conn.execute("INSERT INTO a VALUES (1), (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        conn.execute("CREATE UNIQUE INDEX CONCURRENTLY i ON a (x)")

    facts = take(conn, ("public",))

    assert "UNIQUE ON public.a USING btree (x)" == facts["index public.i"]
    assert "valid public.i" not in facts


def test_it_is_one_message_and_writes_nothing(database: str) -> None:
    with connect(database) as conn:
        conn.execute("SET default_transaction_read_only = on")

        assert {} == take(conn, ("public",))
        assert psycopg.pq.TransactionStatus.IDLE == conn.info.transaction_status


def test_it_does_not_wait_for_ever_behind_an_exclusive_lock(database: str) -> None:
    execute(database, "CREATE TABLE a (x int)", "CREATE VIEW v AS SELECT x FROM a")
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE a IN ACCESS EXCLUSIVE MODE")
        with connect(database) as conn:
            with pytest.raises(psycopg.errors.LockNotAvailable):
                take(conn, ("public",))
            conn.execute("ROLLBACK")
            assert psycopg.pq.TransactionStatus.IDLE == conn.info.transaction_status


def test_ddl_beside_it_does_not_break_it(database: str) -> None:
    stop = threading.Event()

    def churn() -> None:
        with connect(database) as conn:
            while not stop.is_set():
                conn.execute("CREATE TABLE c (id serial PRIMARY KEY, x text DEFAULT 'a' CHECK (x <> ''))")
                conn.execute("CREATE INDEX ci ON c (x); CREATE VIEW cv AS SELECT x FROM c")
                conn.execute("DROP TABLE c CASCADE")

    execute(database, "CREATE TABLE a (x int)")
    thread = threading.Thread(target=churn)
    thread.start()
    try:
        with connect(database) as conn:
            until = time.monotonic() + 2
            while time.monotonic() < until:
                assert "table public.a" in take(conn, ("public",))
    finally:
        stop.set()
        thread.join()
