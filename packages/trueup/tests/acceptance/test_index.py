"""Index builds alone, with the installed command."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psycopg
import pytest

from trueup_testing.chains import MakeChain
from trueup_testing.command import Run
from trueup_testing.databases import Databases, execute, name_of, rows, value
from trueup_testing.pooler import BINARY, Pooler
from trueup_testing.serverlog import ServerLog

pytestmark = pytest.mark.acceptance

FILES = {
    "001_leads.sql": "CREATE TABLE leads (id bigserial PRIMARY KEY, phone text, day date);\n",
    "002_indexes.sql": (
        "CREATE INDEX leads_phone ON leads (phone) WHERE phone <> '';\n"
        "CREATE UNIQUE INDEX CONCURRENTLY leads_day ON leads (lower(phone), day DESC);\n"
    ),
    "003_more.sql": "ALTER TABLE leads ADD name text;\nCREATE INDEX leads_name ON leads (name);\n",
}
INDEXES = """SELECT i.indexrelid::regclass::text, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
 WHERE c.relname = 'leads' AND NOT i.indisprimary ORDER BY 1"""


@pytest.fixture
def folder(chain: MakeChain) -> Path:
    return chain(FILES)


@pytest.fixture
def old(database: str, folder: Path, run: Run) -> str:
    """A database with the table only."""
    assert run("--migrations", folder, "up", "--to", "001_leads", DATABASE_URL=database).code == 0
    execute(database, "INSERT INTO leads (phone, day) SELECT g::text, '2024-1-1' FROM generate_series(1, 500) g")
    return database


def test_what_is_missing_is_built_without_blocking_and_the_rest_waits(
    old: str, folder: Path, run: Run, server_log: ServerLog
) -> None:
    before = server_log.mark()
    answer = run("--migrations", folder, "index", DATABASE_URL=old)

    assert answer.code == 0, answer.err
    assert [("leads_day", True), ("leads_phone", True)] == rows(old, INDEXES)
    assert "3_leads_name_2 waits for 3_leads_name, which `trueup up` does" in answer.err
    sent = server_log.sent(name_of(old), before)
    assert [True, True] == [one.startswith(("CREATE INDEX CONCURRENTLY", "CREATE UNIQUE INDEX CONC")) for one in sent]

    assert run("--migrations", folder, "up", DATABASE_URL=old).code == 0
    assert 3 == value(old, f"SELECT count(*) FROM ({INDEXES}) AS i")


def test_what_an_interrupted_build_has_left_is_built_anew(old: str, folder: Path, run: Run) -> None:
    with psycopg.connect(old) as other, psycopg.connect(old, autocommit=True) as building:
        other.execute("UPDATE leads SET phone = phone WHERE id = 1")
        building.execute("SET statement_timeout = 300")
        with pytest.raises(psycopg.errors.QueryCanceled):
            building.execute("CREATE INDEX CONCURRENTLY leads_phone ON leads (phone) WHERE phone <> ''")
    assert [("leads_phone", False)] == rows(old, INDEXES)

    assert run("--migrations", folder, "index", DATABASE_URL=old).code == 0
    assert [("leads_day", True), ("leads_phone", True)] == rows(old, INDEXES)


def test_a_marked_index_that_is_lost_or_invalid_is_mended(old: str, folder: Path, run: Run) -> None:
    assert run("--migrations", folder, "up", DATABASE_URL=old).code == 0
    execute(
        old,
        "DROP INDEX leads_day",
        "CREATE INDEX leads_phone_ccnew ON leads (phone)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('leads_phone'::regclass, 'leads_phone_ccnew'::regclass)",
    )
    answer = run("--migrations", folder, "index", DATABASE_URL=old)

    assert answer.code == 0, answer.err
    assert [("leads_day", True), ("leads_name", True), ("leads_phone", True)] == rows(old, INDEXES)


def test_only_these(old: str, folder: Path, run: Run) -> None:
    assert run("--migrations", folder, "index", "2_leads_phone", DATABASE_URL=old).code == 0
    assert [("leads_phone", True)] == rows(old, INDEXES)
    assert run("--migrations", folder, "index", "2_leads_phone", DATABASE_URL=old).code == 2
    assert run("--migrations", folder, "index", "3_leads_name_2", DATABASE_URL=old).code in (2, 3)


def test_who_only_sits_there_is_ended_where_that_is_asked_for(old: str, folder: Path, run: Run) -> None:
    with contextlib.closing(psycopg.connect(old)) as idle:
        pid = idle.info.backend_pid
        idle.execute("UPDATE leads SET phone = phone WHERE id = 1")
        answer = run("--migrations", folder, "index", "--terminate-blockers", "idle", DATABASE_URL=old)

    assert answer.code == 0, answer.err
    assert f"the index build waits for pid {pid} (idle in transaction" in answer.err
    assert f"ended pid {pid}, which held up the index build and did nothing" in answer.err


@pytest.mark.skipif(BINARY is None, reason="no PgBouncer on this machine")
def test_behind_a_pooler_of_transactions_it_is_refused(databases: Databases, old: str, folder: Path, run: Run) -> None:
    with Pooler(databases.server_url, mode="transaction", size=3) as pooler:
        answer = run("--migrations", folder, "index", DATABASE_URL=pooler.url(name_of(old)))

    assert 3 == answer.code
    assert "cannot run in a transaction" in answer.err
    assert [] == rows(old, INDEXES)


def test_on_a_partitioned_table_part_by_part_and_again_after_a_crash(database: str, chain: MakeChain, run: Run) -> None:
    partitions = "CREATE TABLE logs_{0} PARTITION OF logs FOR VALUES IN ({0});\n"
    folder = chain(
        {
            "001_logs.sql": "CREATE TABLE logs (day int, x int) PARTITION BY LIST (day);\n"
            + "".join(map(partitions.format, (1, 2))),
            "002_index.sql": "CREATE INDEX logs_x ON logs (x);\n",
        }
    )
    assert run("--migrations", folder, "up", "--to", "001_logs", DATABASE_URL=database).code == 0
    execute(database, "INSERT INTO logs SELECT 1 + g % 2, g FROM generate_series(1, 100) g", partitions.format(3))
    with psycopg.connect(database) as other, psycopg.connect(database, autocommit=True) as crashed:
        other.execute("UPDATE logs_2 SET x = x")
        crashed.execute("CREATE INDEX logs_x ON ONLY logs (x)")
        crashed.execute("SET statement_timeout = 300")
        with pytest.raises(psycopg.errors.QueryCanceled):
            crashed.execute("CREATE INDEX CONCURRENTLY logs_2_x_idx ON logs_2 (x)")
    execute(database, "DROP INDEX logs_x")

    answer = run("--migrations", folder, "index", DATABASE_URL=database)
    assert answer.code == 0, answer.err
    assert [("logs_1", True, True), ("logs_2", True, True), ("logs_3", True, True)] == rows(
        database,
        "SELECT i.indrelid::regclass::text, i.indisvalid, c.relispartition FROM pg_index i "
        "JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relkind = 'i' AND i.indrelid::regclass::text ~ '^logs_' ORDER BY 1",
    )
    assert value(database, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'logs_x'::regclass") is True
    assert run("--migrations", folder, "up", DATABASE_URL=database).code == 0
