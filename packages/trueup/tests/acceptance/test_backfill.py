"""Backfills with the installed command: killed, paused, cancelled, alone, several at once."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from trueup_testing.chains import MakeChain
from trueup_testing.command import TRUEUP, Answer, Run, clean_environment
from trueup_testing.databases import Databases, execute, name_of, rows, value
from trueup_testing.pooler import BINARY, Pooler

pytestmark = pytest.mark.acceptance

FILES = {
    "001_leads.sql": (
        "CREATE TABLE leads (id bigserial PRIMARY KEY, n int NOT NULL DEFAULT 0);\n"
        "CREATE TABLE calls (id bigserial PRIMARY KEY, n int NOT NULL DEFAULT 0);\n"
        "CREATE TABLE copies (lead bigint UNIQUE);\n"
    ),
    "002_fill.sql": (
        "-- step: fill\n-- backfill: batch 10\nUPDATE leads SET n = n + 1;\n"
        "-- step: fill_calls\n-- backfill: calls by id\nUPDATE calls SET n = n + 1;\n"
        "CREATE INDEX leads_n ON leads (n);\n"
    ),
    "004_copies.sql": "-- step: copy\n-- backfill: batch 10\nINSERT INTO copies SELECT id FROM leads;\n",
    "003_more.sql": "ALTER TABLE leads ADD m int;\n-- step: fill_m\n-- backfill\nUPDATE leads SET m = n;\n",
}


@pytest.fixture
def folder(chain: MakeChain) -> Path:
    return chain(FILES)


@pytest.fixture
def filled(database: str, folder: Path, run: Run) -> str:
    """A database before the backfills, with 300 leads."""
    assert run("--migrations", folder, "up", "--to", "001_leads", DATABASE_URL=database).code == 0
    execute(
        database,
        "INSERT INTO leads (n) SELECT 0 FROM generate_series(1, 300)",
        "INSERT INTO calls (n) SELECT 0 FROM generate_series(1, 50)",
        "ANALYZE",
    )
    return database


@contextlib.contextmanager
def stuck(url: str, lead: int) -> Iterator[None]:
    """A lead that somebody holds, so that a backfill gets no further."""
    with psycopg.connect(url) as conn:
        conn.execute("SELECT FROM leads WHERE id = %s FOR UPDATE", (lead,))
        yield


@contextlib.contextmanager
def running(url: str, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command in the background; killed at the end, if it is still there."""
    process = subprocess.Popen(
        [TRUEUP, "--migrations", str(folder), *arguments],
        env=clean_environment(DATABASE_URL=url),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(url: str, condition: str) -> None:
    deadline = time.monotonic() + 30
    while not (value(url, "SELECT to_regclass('trueup.backfills') IS NOT NULL") and value(url, condition)):
        assert time.monotonic() < deadline, rows(url, "SELECT * FROM trueup.backfills")
        time.sleep(0.02)


def begun(url: str) -> None:
    until(url, "SELECT seen > 0 FROM trueup.backfills WHERE name = '2_fill'")


def once(url: str) -> bool:
    return [(1, 300)] == rows(url, "SELECT n, count(*) FROM leads GROUP BY n")


def test_killed_and_disconnected_on_the_way_every_row_is_written_once(filled: str, folder: Path) -> None:
    with stuck(filled, 20), running(filled, folder, "up") as process:
        until(filled, "SELECT max(id) = 19 FROM leads WHERE n = 1")
        process.kill()
        process.wait()
    assert [] == rows(filled, "SELECT FROM trueup.schema_migrations WHERE migration_id = '2_fill'")
    with running(filled, folder, "up") as process:
        with stuck(filled, 250):
            until(filled, "SELECT max(id) = 249 FROM leads WHERE n = 1")
            sessions = "datname = current_database() AND application_name = 'trueup'"
            assert rows(filled, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {sessions}")
        said = process.communicate(timeout=60)[1]
        assert (0, True) == (process.returncode, "Lost the connection" in said), said

    assert once(filled)
    assert 0 == value(filled, "SELECT count(*) FROM leads WHERE m IS DISTINCT FROM 1")
    assert [("run",)] == rows(filled, "SELECT verdict FROM trueup.schema_migrations WHERE migration_id = '2_fill'")


def test_half_of_the_rows_are_not_taken_for_all_of_them(filled: str, folder: Path, run: Run) -> None:
    with psycopg.connect(filled) as other, running(filled, folder, "up") as process:
        other.execute("INSERT INTO copies VALUES (150)")
        until(filled, "SELECT max(lead) = 149 FROM copies")
        process.kill()
        process.wait()
        other.rollback()
    execute(filled, "DELETE FROM trueup.schema_migrations")  # as where a ledger was lost: nothing but the rows tells
    planned = run("--migrations", folder, "--json", "plan", DATABASE_URL=filled).json["steps"]
    assert ["run"] == [step["verdict"] for step in planned if step["id"] == "4_copy"]
    assert run("--migrations", folder, "up", DATABASE_URL=filled).code in (0, 3)
    assert run(
        "--migrations", folder, "resolve", "2_fill", "2_fill_calls", "3_fill_m", "--applied", DATABASE_URL=filled
    )
    assert run("--migrations", folder, "up", DATABASE_URL=filled).code == 0

    assert [(300, 300)] == rows(filled, "SELECT count(*), count(DISTINCT lead) FROM copies")


def test_pause_resume_and_cancel_from_another_terminal(filled: str, folder: Path, run: Run) -> None:
    def trueup(*arguments: str) -> Answer:
        return run("--migrations", folder, *arguments, DATABASE_URL=filled)

    with running(filled, folder, "up") as process, contextlib.ExitStack() as held:
        held.enter_context(stuck(filled, 20))
        begun(filled)
        assert trueup("backfill", "pause", "2_fill").code == 0
        held.close()
        assert process.stderr is not None
        assert any("2_fill is paused after" in line for line in process.stderr)  # it is said once it is so
        seen = value(filled, "SELECT seen FROM trueup.backfills")
        (listed,) = trueup("--json", "backfill").json["backfills"]
        assert ("paused", seen, 300) == (listed["state"], listed["seen"], listed["expected"])
        assert 0 == value(filled, "SELECT n FROM leads WHERE id = 300")

        held.enter_context(stuck(filled, 250))
        assert "goes on" in trueup("backfill", "resume", "2_fill").err
        until(filled, "SELECT max(id) = 249 FROM leads WHERE n = 1")
        assert "ends after the batch at work" in trueup("backfill", "cancel", "2_fill").err
        assert "2_fill failed: it was cancelled after" in process.communicate(timeout=30)[1]
        assert process.returncode == 1

    again = trueup("up")
    assert (1, True) == (again.code, "Go on with `trueup backfill resume 2_fill`" in again.err)
    assert trueup("backfill", "resume", "2_fill").code == 0
    assert trueup("up").code == 0
    assert once(filled)
    assert (2, True) == ((late := trueup("backfill", "pause", "2_fill")).code, "is finished" in late.err)


def test_alone_several_at_once_and_what_depends_on_others_waits(filled: str, folder: Path, run: Run) -> None:
    named = run("--migrations", folder, "backfill", "3_fill_m", DATABASE_URL=filled)
    assert 3 == named.code
    assert "3_fill_m waits for 2_fill, which has to be done before" in named.err

    every = run("--migrations", folder, "backfill", "--all", "--jobs", "2", DATABASE_URL=filled)
    assert 0 == every.code
    assert "3_fill_m waits for 2_leads_n, which `trueup up` does" in every.err
    assert once(filled)
    assert [("2_fill",), ("2_fill_calls",)] == rows(
        filled, "SELECT migration_id FROM trueup.schema_migrations WHERE migration_id LIKE '2%' ORDER BY 1"
    )
    unknown = run("--migrations", folder, "backfill", "2_fill", DATABASE_URL=filled)
    assert (2, True) == (unknown.code, "2_fill: no backfill that has to be done" in unknown.err)

    assert run("--migrations", folder, "up", DATABASE_URL=filled).code == 0
    assert 0 == value(filled, "SELECT count(*) FROM leads WHERE m IS DISTINCT FROM 1")


@pytest.mark.skipif(BINARY is None, reason="no PgBouncer on this machine")
def test_alone_behind_a_pooler_of_transactions(databases: Databases, filled: str, folder: Path, run: Run) -> None:
    with Pooler(databases.server_url, mode="transaction", size=3) as pooler:
        answer = run("--migrations", folder, "backfill", "--all", DATABASE_URL=pooler.url(name_of(filled)))

    assert answer.code == 0, answer.err
    assert once(filled)


def test_plan_says_how_many_rows_and_by_what(filled: str, folder: Path, run: Run) -> None:
    answer = run("--migrations", folder, "plan", DATABASE_URL=filled)

    assert "about 300 rows of public.leads, in batches by id" in answer.err


def test_what_cannot_be_divided_is_refused_when_it_is_locked(chain: MakeChain, run: Run) -> None:
    folder = chain(
        {"1_a.sql": "CREATE TABLE a (x int);\n\n-- backfill\nINSERT INTO a SELECT count(*) FROM pg_class;\n"},
        locked=False,
    )
    answer = run("--migrations", folder, "lock")

    assert 2 == answer.code
    assert "1_a.sql:4: 1_insert_a cannot be run in batches: count() looks at all rows together" in answer.err
