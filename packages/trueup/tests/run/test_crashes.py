"""What happens when the other end goes away: a frozen holder, a server that is killed, a pooler, a session."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

import trueup
from trueup import api
from trueup.run import blockers
from trueup.run.execute import Limits
from trueup_testing.chains import MakeChain
from trueup_testing.command import clean_environment, run_benchmark
from trueup_testing.databases import Databases, execute, name_of, rows, value
from trueup_testing.pooler import BINARY, Pooler
from trueup_testing.ways import Way

pytestmark = pytest.mark.pg

needs_pooler = pytest.mark.skipif(BINARY is None, reason="PgBouncer is not installed")

HOLDER = """
import sys, trueup
from trueup.run import blockers
from trueup.run.execute import Limits
options = trueup.Options(limits=Limits(lease=1.2, reconnect=20, lock_wait=30))
print(trueup.up(sys.argv[1], sys.argv[2], options=options, on_event=lambda e: print(e.text, flush=True)).true)
"""
SLOW = {
    "001_a.sql": "CREATE TABLE a (n int);\nINSERT INTO a VALUES (1);",
    "002_slow.sql": "INSERT INTO a SELECT 2 FROM pg_sleep(1);\nINSERT INTO a VALUES (3);\nINSERT INTO a VALUES (4);",
}


@pytest.fixture
def started() -> Iterator[Callable[[str, Path], subprocess.Popen[str]]]:
    """A function that starts a run with a short lease in a process of its own."""
    processes: list[subprocess.Popen[str]] = []

    def start(url: str, folder: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, url, str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=clean_environment(),
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return
    pytest.fail(f"it never said {words!r}")


def end_the_sleeper(url: str) -> None:
    """End the session that is in the middle of the slow step, as soon as there is one."""
    asleep = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = "
    for _ in range(1000):
        if rows(url, f"{asleep}current_database()"):
            return
        time.sleep(0.02)


@needs_pooler
@pytest.mark.parametrize("way", [Way("direct"), Way("session", 2), Way("transaction", 2)], ids=str)
def test_a_frozen_holder_that_was_taken_over_changes_nothing_more(
    way: Way,
    databases: Databases,
    database: str,
    chain: MakeChain,
    started: Callable[[str, Path], subprocess.Popen[str]],
) -> None:
    folder = chain(SLOW)
    with way.to(databases, database) as urls:
        frozen = started(urls.default, folder)
        wait_for(frozen, "done 1_insert_a")
        os.kill(frozen.pid, signal.SIGSTOP)
        report = trueup.up(urls, folder, options=trueup.Options(limits=Limits(lease=1.2, lock_wait=30)))
        after = rows(database, "SELECT xmin::text, * FROM a ORDER BY n")
        os.kill(frozen.pid, signal.SIGCONT)
        said, _ = frozen.communicate(timeout=30)

    assert report.true
    assert [1, 2, 3, 4] == [row[-1] for row in after]
    assert after == rows(database, "SELECT xmin::text, * FROM a ORDER BY n")
    assert 0 == frozen.returncode, said
    assert "Another run brought the database up to date" in said or "Lost the connection" in said


@pytest.mark.parametrize("how", ["idle", "during"])
def test_a_session_that_is_ended_is_replaced(how: str, database: str, chain: MakeChain) -> None:
    folder = chain(SLOW)
    events: list[str] = []

    def on_event(event: trueup.Event) -> None:
        events.append(event.text)
        hit = event.text == ("done 1_insert_a" if how == "idle" else "running 2_insert_a")
        if hit and events.count(event.text) == 1:
            if how == "during":
                threading.Thread(target=end_the_sleeper, args=(database,)).start()
                return
            pid = value(database, "SELECT backend_pid FROM trueup.run_lock")
            execute(database, f"SELECT pg_terminate_backend({pid})")

    report = trueup.up(database, folder, on_event=on_event)

    assert report.true
    assert [(1,), (2,), (3,), (4,)] == rows(database, "SELECT n FROM a ORDER BY n")
    assert {"run"} == {step.verdict for step in report.steps}
    assert 1 == sum(text.startswith("Lost the connection") for text in events)


def test_a_person_s_word_outlives_a_session_that_is_ended(database: str, chain: MakeChain) -> None:
    folder = chain(SLOW)
    trueup.up(database, folder, options=trueup.Options(to="1"))
    said: list[str] = []
    threading.Thread(target=end_the_sleeper, args=(database,)).start()
    options = trueup.Options(run=["2_insert_a"])
    api.resolve(database, folder, options=options, on_event=lambda event: said.append(event.text))

    assert [text for text in said if text.startswith("Lost the connection")]
    assert [(1,), (2,)] == rows(database, "SELECT n FROM a ORDER BY n")
    assert trueup.up(database, folder).true
    assert [(1,), (2,), (3,), (4,)] == rows(database, "SELECT n FROM a ORDER BY n")


def test_a_step_that_ends_its_own_connection_is_not_repeated_for_ever(database: str, chain: MakeChain) -> None:
    folder = chain({"001_a.sql": "CREATE TABLE a (n int);"})
    execute(
        database,
        "CREATE FUNCTION die() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
        "PERFORM pg_terminate_backend(pg_backend_pid()); END $$",
        "CREATE EVENT TRIGGER dies ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION die()",
    )
    with pytest.raises(trueup.ConnectionFailed, match="was lost"):
        trueup.up(database, folder, options=trueup.Options(limits=Limits(reconnect=5)))


@needs_pooler
def test_a_pooler_that_comes_back_is_waited_for(databases: Databases, database: str, chain: MakeChain) -> None:
    folder = chain(SLOW)
    with Pooler(databases.server_url, mode="transaction", size=2) as pooler:

        def restart() -> None:
            pooler.kill()
            time.sleep(0.5)
            pooler.start()

        def on_event(event: trueup.Event) -> None:
            if event.text == "running 2_insert_a":
                threading.Timer(0.5, restart).start()

        report = trueup.up(pooler.url(name_of(database)), folder, on_event=on_event)

    assert report.true
    assert [(1,), (2,), (3,), (4,)] == rows(database, "SELECT n FROM a ORDER BY n")


def test_a_server_that_stays_away_is_told_in_the_end(database: str, chain: MakeChain) -> None:
    folder = chain(SLOW)

    def on_event(event: trueup.Event) -> None:
        if event.text == "done 1_insert_a":
            name = name_of(database)
            execute(database.replace(name, "postgres"), f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            execute(
                database.replace(name, "postgres"),
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
            )

    with pytest.raises(trueup.ConnectionFailed, match="none could be had for 1 seconds") as caught:
        trueup.up(database, folder, options=trueup.Options(limits=Limits(reconnect=1)), on_event=on_event)

    assert 5 == caught.value.exit_code


def test_an_interrupted_build_is_cleared_and_done_again(database: str, chain: MakeChain) -> None:
    folder = chain({"001_a.sql": "CREATE TABLE a (n int);", "002_i.sql": "CREATE INDEX CONCURRENTLY i ON a (n);"})
    trueup.up(database, folder, options=trueup.Options(to="1"))
    with psycopg.connect(database) as holder, psycopg.connect(database, autocommit=True) as builder:
        holder.execute("INSERT INTO a VALUES (1)")
        builder.execute("SET statement_timeout = '300ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            builder.execute("CREATE INDEX CONCURRENTLY i ON a (n)")
    assert [(False,)] == rows(database, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass")

    assert trueup.up(database, folder).true
    assert [(True,)] == rows(database, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass")


def test_whom_a_build_waits_for_is_said(database: str, chain: MakeChain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blockers, "TOLD_AFTER", 0.3)
    folder = chain({"001_a.sql": "CREATE TABLE a (n int);", "002_i.sql": "CREATE INDEX CONCURRENTLY i ON a (n);"})
    trueup.up(database, folder, options=trueup.Options(to="1"))
    said: list[str] = []
    with psycopg.connect(database) as reader:
        reader.execute("INSERT INTO a VALUES (1)")
        at_last = threading.Timer(60, reader.commit)  # if nobody is named the build must end all the same
        at_last.start()

        def told(event: trueup.Event) -> None:
            if event.text.startswith("the index build waits for pid"):
                said.append(event.text)
                reader.commit()

        report = trueup.up(database, folder, on_event=told)
        at_last.cancel()

    assert report.true
    assert said
    assert all("INSERT INTO a" in text for text in said)


@needs_pooler
@pytest.mark.acceptance
def test_a_sample_of_points_to_be_killed_at_is_survived() -> None:
    code, lines = run_benchmark("crash", "--quick")

    assert [] == [failure for line in lines for failure in line["failures"]]
    tried = Counter[str]()
    for line in lines:
        tried[line["topology"]] += line["tried"]
    assert {"direct", "session", "transaction"} == {topology for topology, count in tried.items() if count > 20}
    assert {"server", "pooler"} < {line["killed"] for line in lines}
    assert 0 == code
