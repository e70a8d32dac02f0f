"""Statements run in batches: every row once, whatever its key, its statement, and those beside it."""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
import pytest

from trueup.connect.topology import Topology
from trueup.errors import StepFailed
from trueup.run.backfill import work
from trueup.run.backfill.throttle import Hindrance, Throttle
from trueup.run.execute import Limits
from trueup_testing.backfills import fill
from trueup_testing.databases import Databases, execute, name_of, rows, value
from trueup_testing.pooler import BINARY, Pooler

pytestmark = pytest.mark.pg

LEADS = (
    "CREATE TABLE leads (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0, name text)",
    "INSERT INTO leads (id, name) SELECT g * 3, 'lead ' || g FROM generate_series(1, 100) AS g",
    "ANALYZE leads",
)
ADD_ONE = "UPDATE leads SET n = n + 1"
BATCHES = "SELECT batches, seen, written, finished_at IS NOT NULL FROM trueup.backfills"


@pytest.fixture
def leads(database: str) -> str:
    execute(database, *LEADS)
    return database


def once(url: str) -> bool:
    """Whether every lead was written exactly once."""
    return [(1, 100)] == rows(url, "SELECT n, count(*) FROM leads GROUP BY n")


def test_every_row_is_written_once_and_the_ledger_row_comes_with_the_last_batch(leads: str) -> None:
    progress = fill(leads, ADD_ONE)

    assert once(leads)
    ((batches, seen, written, finished),) = rows(leads, BATCHES)
    assert (100, 100, True) == (seen, written, finished)
    assert 3 < int(str(batches)) <= 11
    assert [("1_update_leads", "run")] == rows(leads, "SELECT migration_id, verdict FROM trueup.schema_migrations")
    marked_with = "SELECT m.xmin = b.xmin FROM trueup.schema_migrations m, trueup.backfills b"
    assert value(leads, marked_with) is True
    assert (100, 100, 0) == (progress[-1].seen, progress[-1].expected, progress[-1].seconds_left)


KEYS = {
    "uuid": ("id uuid PRIMARY KEY", "gen_random_uuid()"),
    "text": ('id text COLLATE "C" PRIMARY KEY', r"chr(32 + g) || E'''\\' || g"),
    "text of the database": ("id varchar(9) PRIMARY KEY", "chr(65 + g % 26) || ' ' || chr(97 + g % 7) || g"),
    "timestamptz": ("id timestamptz PRIMARY KEY", "timestamptz '2024-03-31' + g * interval '7 min 0.000001 s'"),
    "numeric": ("id numeric PRIMARY KEY", "g / 7.0 - 5"),
    "float": ("id float8 PRIMARY KEY", "CASE g WHEN 1 THEN 'NaN' WHEN 2 THEN '-Infinity' ELSE g / 7.0 END"),
    "bytea": ("id bytea PRIMARY KEY", r"decode(md5(g::text), 'hex')"),
    "domain": ("id positive PRIMARY KEY", "g"),
    "enum and date": (
        "kind mood, day date, PRIMARY KEY (kind, day)",
        "(ARRAY['sad','ok'])[g % 2 + 1]::mood, date '2024-1-1' + g",
    ),
    "three": ("a int, b text, c uuid, PRIMARY KEY (a, b, c)", "g % 3, (g % 5)::text, gen_random_uuid()"),
    "with nulls": ('"The Key" int, b int, UNIQUE ("The Key", b)', "nullif(g % 9, 4), nullif(g, 50)"),
    "with ties": ("id int, x int", "g % 4, g"),
    "no primary key": ("x int NOT NULL UNIQUE, y int UNIQUE", "g, nullif(g, 3)"),
}
BY = {"with nulls": ("The Key", "b"), "with ties": ("id",)}


@pytest.mark.parametrize("kind", KEYS)
def test_every_kind_of_key(database: str, kind: str) -> None:
    columns, values = KEYS[kind]
    execute(
        database,
        "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        f"CREATE TABLE leads ({columns}, n int NOT NULL DEFAULT 0)",
        f"INSERT INTO leads SELECT {values} FROM generate_series(1, 100) AS g",
    )
    fill(database, ADD_ONE, columns=BY.get(kind, ()), size=7)

    assert once(database)
    assert int(str(value(database, "SELECT batches FROM trueup.backfills"))) > (1 if kind == "with ties" else 3)


def test_on_every_server(each_server: Databases) -> None:
    url = each_server.create()
    execute(url, *LEADS)
    fill(url, "UPDATE leads AS l SET n = n + 1 FROM (VALUES (1)) AS other (x) WHERE other.x = 1")

    assert once(url)


def test_an_update_from_another_table(leads: str) -> None:
    execute(leads, "CREATE TABLE calls AS SELECT id AS lead, id * 2 AS n FROM leads WHERE id % 2 = 0")
    progress = fill(leads, "UPDATE leads l SET n = c.n FROM calls c WHERE c.lead = l.id")

    assert 0 == value(leads, "SELECT count(*) FROM leads WHERE n <> CASE id % 2 WHEN 0 THEN id * 2 ELSE 0 END")
    assert [(100, 50)] == rows(leads, "SELECT seen, written FROM trueup.backfills")
    assert 100 == progress[-1].seen


def test_an_insert_of_a_select(leads: str) -> None:
    execute(leads, "CREATE TABLE calls (lead bigint)")
    fill(leads, "INSERT INTO calls SELECT l.id FROM leads l LEFT JOIN pg_class c ON c.oid = l.id WHERE l.id > 30")

    assert [(90, 90)] == rows(leads, "SELECT count(*), count(DISTINCT lead) FROM calls")


def test_a_delete(leads: str) -> None:
    fill(leads, "DELETE FROM leads USING pg_class c WHERE c.relname = 'pg_class' AND leads.id % 2 = 0")

    assert [(50, 50)] == rows(leads, "SELECT count(*), count(*) FILTER (WHERE id % 2 = 1) FROM leads")


def test_partitions_and_an_empty_table(database: str) -> None:
    execute(
        database,
        "CREATE TABLE leads (id int, day int, n int NOT NULL DEFAULT 0, PRIMARY KEY (id, day)) PARTITION BY LIST (day)",
        "CREATE TABLE leads_0 PARTITION OF leads FOR VALUES IN (0)",
        "CREATE TABLE leads_1 PARTITION OF leads FOR VALUES IN (1)",
    )
    fill(database, ADD_ONE)
    assert [(1, 0, 0, True)] == rows(database, BATCHES)

    execute(
        database,
        "DELETE FROM trueup.schema_migrations",
        "INSERT INTO leads SELECT g, g % 2 FROM generate_series(1, 100) g",
    )
    fill(database, ADD_ONE)
    assert once(database)


def test_the_context_holds_for_every_message(leads: str) -> None:
    execute(leads, "CREATE SCHEMA shop", "ALTER TABLE leads SET SCHEMA shop")
    fill(leads, ADD_ONE, context=("SET LOCAL search_path = shop",))

    assert [(1, 100)] == rows(leads, "SELECT n, count(*) FROM shop.leads GROUP BY n")


@pytest.mark.skipif(BINARY is None, reason="no PgBouncer on this machine")
def test_behind_a_pooler_of_transactions_nothing_leaks(databases: Databases, leads: str) -> None:
    with Pooler(databases.server_url, mode="transaction", size=2) as pooler:
        url = pooler.url(name_of(leads))
        fill(url, ADD_ONE, topology=Topology.TRANSACTION)

        assert once(leads)
        assert [("0", "0")] == rows(url, "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")


def test_those_who_write_beside_it_keep_what_they_wrote(leads: str) -> None:
    stop = threading.Event()

    def write() -> None:
        with psycopg.connect(leads, autocommit=True) as conn:
            number = 0
            while not stop.is_set():
                number += 1
                conn.execute("UPDATE leads SET name = name || '!' WHERE id = %s", (number % 100 * 3 + 3,))
                conn.execute("INSERT INTO leads (id, n) VALUES (%s, 0)", (-number,))
        written.append(number)

    written: list[int] = []
    writer = threading.Thread(target=write)
    writer.start()
    try:
        fill(leads, ADD_ONE, size=2)
    finally:
        stop.set()
        writer.join()

    assert [(1, 100)] == rows(leads, "SELECT n, count(*) FROM leads WHERE id > 0 GROUP BY n")
    assert 0 == value(leads, "SELECT count(*) FROM leads WHERE id < 0 AND n > 1")
    assert written == [value(leads, "SELECT sum(length(name) - length(replace(name, '!', ''))) FROM leads")]


def test_a_batch_that_times_out_is_halved(leads: str) -> None:
    said: list[str] = []
    execute(
        leads,
        "CREATE FUNCTION think() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.005); RETURN NEW; END'",
        "CREATE TRIGGER slow BEFORE UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION think()",
    )
    fill(leads, ADD_ONE, size=100, limits=Limits(statement_timeout_ms=300), said=said)

    assert once(leads)
    assert "1_update_leads: a batch took too long (canceling statement due to statement timeout); " in said[0]
    assert said[0].endswith("trying again with 50 rows")


def test_what_is_too_slow_even_for_one_row_fails(leads: str) -> None:
    with pytest.raises(StepFailed, match="statement timeout") as caught:
        fill(
            leads,
            "UPDATE leads SET n = 1 WHERE pg_sleep(5) IS NOT NULL",
            size=2,
            limits=Limits(statement_timeout_ms=50),
        )

    assert "57014" == caught.value.sqlstate
    assert "leads.id <= '3'::bigint" in caught.value.statement
    assert 0 == value(leads, "SELECT sum(n) FROM leads")


def test_a_row_that_somebody_holds_stops_only_its_own_batch(leads: str) -> None:
    said: list[str] = []
    with psycopg.connect(leads) as other:
        other.execute("SELECT FROM leads WHERE id = 150 FOR UPDATE")
        running = threading.Thread(target=fill, args=(leads, ADD_ONE), kwargs={"said": said})
        running.start()
        deadline = time.monotonic() + 20
        while value(leads, "SELECT max(id) FROM leads WHERE n = 1") != 147:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        while not any("1_update_leads waits for pid" in line for line in said):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    running.join()

    assert once(leads)
    assert "1_update_leads: somebody is in the way of a batch (" in said[0]


def test_who_only_sits_on_a_row_is_ended_where_that_is_asked_for(leads: str) -> None:
    said: list[str] = []
    idle, elsewhere = psycopg.connect(leads), psycopg.connect(leads)
    idle.execute("SELECT FROM leads WHERE id = 150 FOR UPDATE")
    elsewhere.execute("INSERT INTO leads (id) VALUES (-1)")
    fill(leads, "UPDATE leads SET n = n + 1 WHERE id > 0", said=said, limits=Limits(ends_idle=True))

    assert once(leads)
    assert f"ended pid {idle.info.backend_pid}, which held up 1_update_leads and did nothing" in said
    with pytest.raises(psycopg.OperationalError):
        idle.execute("SELECT 1")
    elsewhere.execute("SELECT 1")
    idle.close()
    elsewhere.close()


@pytest.mark.parametrize(
    "table, sql, wish, why",
    [
        ("x int", ADD_ONE, {}, "public.leads has no primary key"),
        ("id int PRIMARY KEY", "UPDATE leads SET id = id + 1", {}, "it changes id, by which the batches go"),
        ("id int PRIMARY KEY", "DELETE FROM leads", {"columns": ("nr",)}, "public.leads has not all of the columns nr"),
        ("id int PRIMARY KEY", "DELETE FROM lead", {}, 'there is no table "lead"'),
        ("id int PRIMARY KEY", "DELETE FROM pg_views", {}, "pg_catalog.pg_views is no table"),
    ],
)
def test_what_cannot_be_gone_through_in_batches_is_refused(
    database: str, table: str, sql: str, wish: dict[str, Any], why: str
) -> None:
    execute(database, f"CREATE TABLE leads ({table})")
    with pytest.raises(StepFailed, match=why) as caught:
        fill(database, sql, **wish)
    assert caught.value.hint


def test_a_big_table_needs_an_index_on_the_columns(database: str) -> None:
    execute(
        database,
        "CREATE TABLE leads (id bigserial PRIMARY KEY, day int)",
        "INSERT INTO leads (day) SELECT g % 9 FROM generate_series(1, 20000) g",
        "ANALYZE leads",
    )
    with pytest.raises(StepFailed, match="no index that begins with day, and about 20,000 rows"):
        fill(database, "DELETE FROM leads", columns=("day",))


def test_rows_in_the_way_fail_the_step_and_keep_the_batches_before(leads: str) -> None:
    execute(leads, "ALTER TABLE leads ADD CHECK (n = 0 OR id < 150)")
    with pytest.raises(StepFailed, match="violates check constraint") as caught:
        fill(leads, ADD_ONE)
    done = value(leads, "SELECT count(*) FROM leads WHERE n = 1")
    assert 0 < int(str(done)) < 50
    assert "Rows that are there break" in caught.value.hint

    execute(leads, "ALTER TABLE leads DROP CONSTRAINT leads_check")
    fill(leads, ADD_ONE)
    assert once(leads)


def test_another_statement_does_not_go_on_where_one_has_stopped(leads: str) -> None:
    execute(leads, "ALTER TABLE leads ADD CHECK (n = 0 OR id < 150)")
    with pytest.raises(StepFailed):
        fill(leads, ADD_ONE)
    with pytest.raises(StepFailed, match="its statement or key has changed since it began") as caught:
        fill(leads, "UPDATE leads SET n = n + 2")

    assert "trueup backfill forget 1_update_leads" in caught.value.hint


def test_more_rows_than_expected_are_told(leads: str) -> None:
    execute(leads, "UPDATE pg_class SET reltuples = 10 WHERE relname = 'leads'")
    progress = fill(leads, ADD_ONE)

    assert 10 >= progress[-1].expected
    assert progress[-1].seconds_left is None


def test_it_holds_back_while_the_server_cannot_keep_up(leads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    behind, busy = Hindrance("the standby is behind", stops=True), Hindrance("autovacuum is at work", stops=False)
    seen = iter([behind, behind, None, busy])
    monkeypatch.setattr(Throttle, "look", lambda _: next(seen, None))
    monkeypatch.setattr(work, "LOOK_SECONDS", 0.01)
    progress = fill(leads, ADD_ONE)

    assert once(leads)
    assert ["the standby is behind", "autovacuum is at work"] == [told.note for told in progress if told.note]
    assert [("",)] == rows(leads, "SELECT note FROM trueup.backfills")
    assert next(seen, None) is None


def test_at_full_speed_it_does_not(leads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Throttle, "look", lambda _: pytest.fail("nobody asked"))
    fill(leads, ADD_ONE, limits=Limits(full_speed=True))

    assert once(leads)
