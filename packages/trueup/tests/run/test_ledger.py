"""The ledger: made once, read, taken over."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from trueup.chain.model import Chain
from trueup.connect.connection import connect
from trueup.decide.model import Difference
from trueup.run import ledger
from trueup.run.look import catalog_digest, look
from trueup_testing.databases import execute, rows
from trueup_testing.facts import chain_of, step

pytestmark = pytest.mark.pg

CHAIN: Chain = chain_of(
    step("CREATE TABLE a ()", {"table public.a": ""}),
    step("CREATE TABLE b ()", {"table public.b": ""}, former=("40a", "old_b")),
    step("CREATE TABLE c ()", {"table public.c": ""}),
).chain

OLD_LEDGER = """
CREATE TABLE public.schema_migrations (migration_id text PRIMARY KEY, applied_at timestamptz DEFAULT now(),
    success boolean DEFAULT true, reconciled boolean DEFAULT false, notes text);
INSERT INTO public.schema_migrations (migration_id, success) VALUES
    ('1_a_table', true), ('40a', true), ('3_c_table', false), ('somebody_elses', true)
"""


@pytest.fixture
def conn(database: str) -> Iterator[psycopg.Connection]:
    with connect(database) as conn:
        yield conn


def mark(conn: psycopg.Connection, *marks: tuple[int, str, str], chain: Chain = CHAIN) -> None:
    conn.execute(ledger.insert_sql(chain, marks, run_id="r1", by="me@here").encode())


def test_nothing_is_read_where_there_is_no_ledger(conn: psycopg.Connection) -> None:
    found = ledger.read(conn, CHAIN)

    assert not ledger.exists(conn)
    assert (frozenset(), frozenset(), [], {}) == (found.marks.done, found.marks.own, found.unknown, found.adopted)
    assert [] == ledger.history(conn, "shop")
    assert look(conn, "shop", "expand") is None


def test_it_is_made_once_and_again_without_harm(conn: psycopg.Connection) -> None:
    ledger.ensure(conn)
    mark(conn, (0, "run", "because"))
    ledger.ensure(conn)

    assert ledger.exists(conn)
    assert {0} == ledger.read(conn, CHAIN).marks.done


def test_twenty_first_runs_at_once(database: str) -> None:
    connections = [connect(database) for _ in range(20)]
    start = threading.Barrier(20)
    errors: list[Exception] = []

    def ensure(conn: psycopg.Connection) -> None:
        start.wait()
        try:
            ledger.ensure(conn)
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [threading.Thread(target=ensure, args=(conn,)) for conn in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for conn in connections:
        conn.close()

    assert [] == errors
    assert [(0,)] == rows(database, "SELECT count(*) FROM trueup.run_lock")


def test_a_mark_says_what_happened(conn: psycopg.Connection, database: str) -> None:
    ledger.ensure(conn)
    mark(conn, (0, "run", "nothing of it is there"), (1, "reconcile", "it's there"))

    assert [
        ("shop", "1_a_table", True, False, "nothing of it is there", "run", "r1", "me@here"),
        ("shop", "2_b_table", True, True, "it's there", "reconcile", "r1", "me@here"),
    ] == rows(
        database,
        "SELECT chain, migration_id, success, reconciled, notes, verdict, run_id, applied_by "
        "FROM trueup.schema_migrations ORDER BY position",
    )
    first, second = ledger.history(conn, "shop")
    assert ("1_a_table", "run", "me@here", "r1") == (first["id"], first["verdict"], first["by"], first["run"])
    assert first["applied_at"].endswith("Z")
    assert "2_b_table" == second["id"]


def test_a_mark_that_is_there_stays(conn: psycopg.Connection) -> None:
    ledger.ensure(conn)
    mark(conn, (0, "run", "first"))
    mark(conn, (0, "reconcile", "second"))

    assert ["first"] == [entry["notes"] for entry in ledger.history(conn, "shop")]


def test_marks_of_other_chains_are_other_chains_matter(conn: psycopg.Connection) -> None:
    ledger.ensure(conn)
    mark(conn, (0, "run", ""), chain=CHAIN._replace(name="queue"))

    found = ledger.read(conn, CHAIN)

    assert frozenset() == found.marks.done
    assert [] == found.unknown


def test_a_mark_under_a_former_id_counts(conn: psycopg.Connection) -> None:
    ledger.ensure(conn)
    renamed = CHAIN._replace(steps=(CHAIN.steps[0], CHAIN.steps[1]._replace(id="old_b"), CHAIN.steps[2]))
    mark(conn, (1, "run", ""), chain=renamed)

    found = ledger.read(conn, CHAIN)

    assert {1} == found.marks.done
    assert [] == found.unknown


def test_marks_that_no_step_has_are_told(conn: psycopg.Connection) -> None:
    ledger.ensure(conn)
    newer = CHAIN._replace(steps=(*CHAIN.steps, CHAIN.steps[0]._replace(id="4_d_table")))
    mark(conn, (0, "run", ""), (3, "run", ""), chain=newer)

    assert ["4_d_table"] == ledger.read(conn, CHAIN).unknown


def test_an_older_installation_s_marks_are_taken_over(conn: psycopg.Connection, database: str) -> None:
    execute(database, OLD_LEDGER)

    found = ledger.read(conn, CHAIN)

    assert {0: "1_a_table", 1: "40a"} == found.adopted
    assert {0, 1} == found.marks.done
    assert frozenset() == found.marks.own
    assert [] == found.unknown


def test_they_are_taken_over_once(conn: psycopg.Connection, database: str) -> None:
    execute(database, OLD_LEDGER)
    ledger.ensure(conn)
    mark(conn, (0, "adopted", "mark 1_a_table"))

    found = ledger.read(conn, CHAIN)

    assert {} == found.adopted
    assert (frozenset({0}), frozenset()) == (found.marks.done, found.marks.own)


@pytest.mark.parametrize(
    "table",
    [
        "CREATE TABLE public.schema_migrations (version text PRIMARY KEY)",
        "CREATE TABLE public.schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)",
        "CREATE VIEW public.schema_migrations AS SELECT 1 AS version",
    ],
)
def test_other_tools_tables_of_that_name_are_left_alone(conn: psycopg.Connection, database: str, table: str) -> None:
    execute(database, table)

    assert {} == ledger.read(conn, CHAIN).adopted


def test_the_last_proof_is_read_with_today_s_digest(conn: psycopg.Connection) -> None:
    ledger.ensure(conn)
    now = catalog_digest(conn)
    drift = [Difference(fact="column public.a.x", wanted="text", found="שלום", origin="1_a_table", was_true=True)]
    ledger.complete(conn, CHAIN, phase="expand", catalog=now, facts={}, drift=drift, run_id="r1")

    seen = look(conn, "shop", "expand")

    assert seen is not None
    assert seen.is_complete(CHAIN.digest)
    assert not seen.is_complete("another")
    assert drift == [Difference(**told) for told in seen.drift]
    assert look(conn, "shop", "contract") is None
    assert look(conn, "queue", "expand") is None


def test_a_mark_that_was_deleted_is_noticed(conn: psycopg.Connection, database: str) -> None:
    ledger.ensure(conn)
    marks = [(index, "run", "") for index in range(len(CHAIN.steps))]
    conn.execute(ledger.insert_sql(CHAIN, marks, run_id="r1", by="me").encode())
    ledger.complete(conn, CHAIN, phase="expand", catalog=catalog_digest(conn), facts={}, drift=[], run_id="r1")
    before = look(conn, "shop", "expand")
    execute(database, f"DELETE FROM trueup.schema_migrations WHERE migration_id = '{CHAIN.steps[0].id}'")
    after = look(conn, "shop", "expand")

    assert before is not None
    assert after is not None
    assert before.is_complete(CHAIN.digest)
    assert not after.is_complete(CHAIN.digest)


def test_a_ledger_of_an_older_version_is_brought_forward(conn: psycopg.Connection) -> None:
    ledger.ensure(conn)
    conn.execute("ALTER TABLE trueup.completions DROP marks")
    assert look(conn, "shop", "expand") is None

    ledger.ensure(conn)
    ledger.complete(conn, CHAIN, phase="expand", catalog=catalog_digest(conn), facts={}, drift=[], run_id="r1")

    assert look(conn, "shop", "expand") is not None


CHANGES = [
    "CREATE TABLE b (x int)",
    "ALTER TABLE a ADD y int",
    "ALTER TABLE a DROP x",
    "ALTER TABLE a ALTER x SET DEFAULT 1",
    "ALTER TABLE a ALTER x SET NOT NULL",
    "ALTER TABLE a ALTER x TYPE bigint",
    "ALTER TABLE a RENAME x TO z",
    "ALTER TABLE a ADD CHECK (x > 0)",
    "ALTER TABLE a ADD CONSTRAINT k CHECK (x > 0) NOT VALID; ALTER TABLE a VALIDATE CONSTRAINT k",
    "CREATE INDEX ON a (x)",
    "CREATE VIEW v AS SELECT 1",
    "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'",
    "CREATE TYPE e AS ENUM ('a')",
    "ALTER TYPE mood ADD VALUE 'b'",
    "ALTER TYPE mood RENAME VALUE 'a' TO 'c'",
    "CREATE DOMAIN d AS int",
    "CREATE SCHEMA s",
    "CREATE SEQUENCE s",
    "ALTER SEQUENCE q INCREMENT 5",
    "CREATE TRIGGER g BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE POLICY p ON a",
    "ALTER TABLE a ENABLE ROW LEVEL SECURITY",
    "CREATE RULE r AS ON DELETE TO a DO INSTEAD NOTHING",
    "CREATE STATISTICS st ON x, (x + 1) FROM a",
    "COMMENT ON TABLE a IS 'x'",
    "COMMENT ON COLUMN a.x IS 'x'",
    "CREATE EXTENSION pg_trgm",
    "ALTER TABLE a SET (fillfactor = 70)",
    "ALTER TABLE a REPLICA IDENTITY FULL",
    "DROP TABLE a",
    "ALTER TABLE par ATTACH PARTITION one FOR VALUES IN (1)",
    "ALTER DOMAIN dom SET NOT NULL",
    "ALTER DOMAIN dom ADD CHECK (VALUE > 0)",
    "ALTER TYPE pair ADD ATTRIBUTE z int",
    "ALTER TABLE a CLUSTER ON ax",
    "GRANT SELECT ON a TO PUBLIC",
    "GRANT SELECT (x) ON a TO PUBLIC",
    "REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC",
    "REVOKE USAGE ON TYPE mood FROM PUBLIC",
    "REVOKE USAGE ON TYPE pair FROM PUBLIC",
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    "GRANT USAGE ON SEQUENCE q TO PUBLIC",
    "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO pg_monitor",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM pg_read_all_stats",
]


def prepare(url: str) -> None:
    execute(
        url,
        "CREATE TABLE a (x int); CREATE INDEX ax ON a (x); CREATE TYPE mood AS ENUM ('a'); CREATE SEQUENCE q;"
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TABLE par (k int) PARTITION BY LIST (k);"
        "CREATE TABLE one (k int); CREATE DOMAIN dom AS int; CREATE TYPE pair AS (a int);"
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO pg_read_all_stats",
    )


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_the_catalog_changes_its_digest(conn: psycopg.Connection, database: str, change: str) -> None:
    prepare(database)
    before = catalog_digest(conn)
    execute(database, change)

    assert before != catalog_digest(conn)


@pytest.mark.parametrize(
    "use",
    [
        "INSERT INTO a SELECT generate_series(1, 1000)",
        "SELECT nextval('q'), setval('q', 77)",
        "CREATE TEMP TABLE t (id serial PRIMARY KEY, x text DEFAULT 'y' CHECK (x <> ''))",
        "SELECT 1",
    ],
)
def test_use_does_not_change_the_digest(conn: psycopg.Connection, database: str, use: str) -> None:
    prepare(database)
    before = catalog_digest(conn)
    execute(database, use)
    conn.execute(use.encode())

    assert before == catalog_digest(conn)
