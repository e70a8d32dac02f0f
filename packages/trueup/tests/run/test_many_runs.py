"""Many runs at once, by every way: every statement is sent once, and everybody ends well."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections import Counter
from pathlib import Path

import psycopg
import pytest

import trueup
from trueup.run import ledger
from trueup.run.execute import Limits
from trueup_testing.chains import Files, MakeChain
from trueup_testing.command import run_trueup
from trueup_testing.databases import Databases, execute, name_of, rows, value
from trueup_testing.pooler import BINARY
from trueup_testing.serverlog import ServerLog
from trueup_testing.ways import LEGACY, PROSAAS, WAYS, Way, run_at_once

pytestmark = [pytest.mark.pg, pytest.mark.skipif(BINARY is None, reason="PgBouncer is not installed")]


FILES: Files = {
    "001_a.sql": "CREATE TABLE a (id bigserial PRIMARY KEY, n int NOT NULL);\nCREATE INDEX a_n ON a (n);",
    "002_rows.sql": "INSERT INTO a (n) SELECT 1 FROM generate_series(1, 10);\nUPDATE a SET n = n + 1;",
    "003_b.sql": "CREATE TABLE b (a_id bigint REFERENCES a, at timestamptz DEFAULT now());",
    "004_both.sql": "BEGIN;\nALTER TABLE b ADD COLUMN n int;\nINSERT INTO b (a_id) SELECT id FROM a;\nCOMMIT;",
    "005_more.sql": "UPDATE a SET n = n * 2;\nINSERT INTO a (n) VALUES (5);",
}
BUILDS: Files = {
    "001_a.sql": "CREATE TABLE a (x int);\nINSERT INTO a SELECT generate_series(1, 150000);",
    "002_i.sql": "CREATE INDEX CONCURRENTLY a_x ON a (x);\nCREATE INDEX CONCURRENTLY a_y ON a ((x % 1000));",
}
OPTIONS = trueup.Options(first_run=True, limits=Limits(lock_wait=60))
_OWN = "/* trueup */ "
_ALONE = re.compile(r"(CREATE|DROP) (UNIQUE )?INDEX CONCURRENTLY")


def sent(log: ServerLog, url: str, since: int) -> Counter[str]:
    """How often each statement of the migrations was sent: in a step's message, or alone."""
    found: Counter[str] = Counter()
    for message in log.messages(name_of(url), since):
        if message.startswith(f"{_OWN}BEGIN\n"):
            found.update(part for part in message.split("\n;\n") if not part.startswith(_OWN))
        elif _ALONE.match(message):
            found[message] += 1
    return found


def planned(url: str, folder: Path) -> Counter[str]:
    """How often a single run would send each statement."""
    report = trueup.plan(url, folder, options=OPTIONS)
    return Counter(statement for step in report.steps for statement in step.statements)


def wait_until(url: str, question: str) -> None:
    """Ask until the answer is yes. What it asks about may not be there yet."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(psycopg.errors.UndefinedTable):  # not made yet
            if value(url, question):
                return
        time.sleep(0.02)
    pytest.fail(f"never true: {question}")


def assert_all_end_well(count: int, way: Way, databases: Databases, url: str, folder: Path, log: ServerLog) -> None:
    """So many runs at once: none fails, one at least does the work, and every statement is sent once."""
    wanted, since = planned(url, folder), log.mark()
    with way.to(databases, url) as urls:
        outcomes = run_at_once(count, urls, folder, OPTIONS)

    assert [] == [outcome.error for outcome in outcomes if outcome.error]
    assert count == sum(outcome.report is not None and outcome.report.up_to_date for outcome in outcomes)
    assert 1 <= sum("Released migration lock" in outcome.said for outcome in outcomes)
    assert wanted == sent(log, url, since)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_twenty_first_runs_at_once(
    way: Way, databases: Databases, database: str, server_log: ServerLog, chain: MakeChain
) -> None:
    assert_all_end_well(20, way, databases, database, chain(FILES), server_log)

    assert [(11, 45)] == rows(database, "SELECT count(*), sum(n) FROM a")
    assert 10 == value(database, "SELECT count(*) FROM b")
    assert [] == rows(database, "SELECT 1 FROM trueup.run_lock")


@pytest.mark.parametrize("way", [Way("direct"), Way("session", 2), Way("transaction", 2)], ids=str)
def test_twenty_runs_of_a_real_chain_from_a_legacy_database(
    way: Way, databases: Databases, server_log: ServerLog
) -> None:
    url = databases.copy_of("legacy", lambda made: execute(made, LEGACY.read_text()))

    assert_all_end_well(20, way, databases, url, PROSAAS, server_log)

    marks = "SELECT count(*), count(DISTINCT migration_id) FROM trueup.schema_migrations WHERE chain = 'prosaas'"
    ((all_marks, different),) = rows(url, marks)
    assert all_marks == different


@pytest.mark.parametrize("way", [Way("direct"), Way("session", 20)], ids=str)
def test_an_index_is_built_while_ten_wait(
    way: Way, databases: Databases, database: str, server_log: ServerLog, chain: MakeChain
) -> None:
    folder = chain(BUILDS)
    started = time.monotonic()

    assert_all_end_well(11, way, databases, database, folder, server_log)

    assert time.monotonic() - started < 20
    assert 2 == value(database, "SELECT count(*) FROM pg_index WHERE indrelid = 'a'::regclass AND indisvalid")
    assert 0 == value(database, "SELECT count(*) FROM pg_index WHERE NOT indisvalid")


def test_no_index_is_built_behind_a_pool_of_transactions(databases: Databases, database: str, chain: MakeChain) -> None:
    folder = chain(BUILDS)
    with Way("transaction", 2).to(databases, database) as urls:
        with pytest.raises(trueup.DecisionNeeded, match="cannot run in a transaction") as caught:
            trueup.up(urls, folder)
        assert value(database, "SELECT to_regclass('a')") is None
        report = trueup.up(urls._replace(direct=database), folder)

    assert "DATABASE_URL_DIRECT" in caught.value.hint
    assert ("DIRECT", True) == (report.chosen, report.true)


def test_nothing_leaks_through_a_pool_of_transactions(databases: Databases, database: str, chain: MakeChain) -> None:
    settings = "SELECT name, setting FROM pg_settings WHERE name <> 'application_name' ORDER BY name"
    with (
        Way("transaction", 1).to(databases, database) as urls,
        psycopg.connect(urls.default, autocommit=True, prepare_threshold=None) as other,
    ):
        before = other.execute(settings).fetchall()
        folder = chain(FILES)
        run_at_once(5, urls, folder, OPTIONS)
        for _ in range(2):
            execute(database, "DROP TABLE b; DELETE FROM trueup.schema_migrations WHERE migration_id ~ '^[345]_'")
            trueup.plan(urls, folder)
            trueup.check(urls, folder)
            run_at_once(5, urls, folder, OPTIONS)

        assert before == other.execute(settings).fetchall()
        assert [] == other.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'").fetchall()
        assert [] == other.execute("SELECT 1 FROM pg_prepared_statements").fetchall()


def test_who_waits_too_long_names_the_holder_and_its_step(database: str, chain: MakeChain) -> None:
    folder = chain({"001_a.sql": "CREATE TABLE a (x int);\nINSERT INTO a SELECT 1 FROM pg_sleep(2);"})
    beats_often = trueup.Options(limits=Limits(lease=1.5))
    slow = threading.Thread(target=trueup.up, args=(database, folder), kwargs={"options": beats_often})
    slow.start()
    wait_until(database, "SELECT step = '1_insert_a' FROM trueup.run_lock")  # a heartbeat has named it
    with pytest.raises(trueup.RunLockTaken, match=r"pid \d+, since .* UTC, at step 1_insert_a"):
        trueup.up(database, folder, options=trueup.Options(limits=Limits(lock_wait=0.2)))
    slow.join()

    assert trueup.check(database, folder).true


def test_who_waits_too_long_is_content_with_what_another_run_did(database: str, chain: MakeChain) -> None:
    folder = chain(FILES)
    with psycopg.connect(database, autocommit=True) as conn:
        ledger.ensure(conn)
    hold = (
        "INSERT INTO trueup.run_lock (chain, token, holder, backend_pid, acquired_at, expires_at) VALUES "
        "('shop', nextval('trueup.run_lock_token'), 'elsewhere pid 1', 0, now(), now() + interval '1 hour')"
    )
    execute(database, hold)
    said: list[str] = []

    def on_event(event: trueup.Event) -> None:
        said.append(event.text)
        if event.text.startswith("Waiting for the migration lock, held by elsewhere pid 1, since"):
            execute(database, "DELETE FROM trueup.run_lock")
            trueup.up(database, folder)
            execute(database, hold)

    report = trueup.up(database, folder, options=trueup.Options(limits=Limits(lock_wait=0.1)), on_event=on_event)

    assert report.true
    assert "Another run brought the database up to date" in said
    assert [(11, 45)] == rows(database, "SELECT count(*), sum(n) FROM a")


def test_a_person_frees_the_lock_of_a_holder_that_is_gone(database: str, chain: MakeChain) -> None:
    folder = chain(FILES)
    with psycopg.connect(database, autocommit=True) as conn:
        ledger.ensure(conn)
    execute(
        database,
        "INSERT INTO trueup.run_lock (chain, token, holder, backend_pid, acquired_at, expires_at) VALUES "
        "('shop', 7, 'elsewhere pid 1', 0, now(), now() + interval '1 hour')",
    )
    answer = run_trueup("--migrations", folder, "--database-url", database, "release-run-lock")

    assert 0 == answer.code
    assert "released: it was held by elsewhere pid 1, since" in answer.err
    assert trueup.up(database, folder, options=trueup.Options(limits=Limits(lock_wait=0))).true
