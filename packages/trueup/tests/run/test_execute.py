"""Sending actions: each in its own transaction with its ledger row."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from trueup.connect.link import Link
from trueup.connect.topology import Topology
from trueup.errors import RunLockTaken, StepFailed
from trueup.planning.model import Action
from trueup.run import ledger
from trueup.run.acquire import run_lock
from trueup.run.execute import Executor, Limits, lock_timeout_at
from trueup_testing.databases import execute, rows, value
from trueup_testing.facts import chain_of, step

pytestmark = pytest.mark.pg

MakeExecutor = Callable[..., Executor]

CHAIN = chain_of(
    step("CREATE TABLE a (x int)", {"table public.a": ""}),
    step("CREATE INDEX CONCURRENTLY i ON t (x)", {"index public.i": ""}),
    step("UPDATE t SET x = 1"),
).chain


def action(*statements: str, index: int | None = 0, **more: Any) -> Action:
    usual = {
        "id": CHAIN.steps[index].id if index is not None else "heal x",
        "verdict": "run",
        "reason": "because",
        "locks": {"public.t": "AE"},
    }
    return Action(step=index, statements=statements, **usual | more)


@pytest.fixture
def executor(database: str) -> Iterator[MakeExecutor]:
    """A function that makes an executor under a lease of its own; its messages to people go to `said`."""
    execute(database, "CREATE TABLE t (x int)", "INSERT INTO t VALUES (0)")
    with contextlib.ExitStack() as stack:

        def make(said: list[str] | None = None, topology: Topology = Topology.DIRECT, **limits: Any) -> Executor:
            link = Link(database, "DATABASE_URL", topology=topology)
            stack.callback(link.close)
            ledger.ensure(link.conn)
            lease = stack.enter_context(run_lock(link, "shop", wait_seconds=5))
            return Executor(
                link,
                CHAIN,
                lease,
                run_id="r1",
                by="me@here",
                limits=Limits(**limits),
                on_wait=(said if said is not None else []).append,
            )

        yield make


def marks(url: str) -> list[tuple[object, ...]]:
    return rows(url, "SELECT migration_id, verdict FROM trueup.schema_migrations ORDER BY position")


def test_a_step_and_its_mark_are_there_together(executor: MakeExecutor, database: str) -> None:
    took = executor().run(action("CREATE TABLE a (x int)", "INSERT INTO a VALUES (7)"))

    assert [("1_a_table", "run")] == marks(database)
    assert [(7,)] == rows(database, "SELECT x FROM a")
    assert took > 0


def test_a_step_that_fails_is_undone_with_its_mark(executor: MakeExecutor, database: str) -> None:
    with pytest.raises(StepFailed) as caught:
        executor().run(action("CREATE TABLE a (x int)", "INSERT INTO t VALUES (1)", "SELECT 1/0"))

    assert [] == marks(database)
    assert value(database, "SELECT to_regclass('a')") is None
    assert [(0,)] == rows(database, "SELECT x FROM t")
    assert ("1_a_table", "22012") == (caught.value.step, caught.value.sqlstate)
    assert "SELECT 1/0" in caught.value.statement
    assert "1_a_table (1.sql:1) failed: division by zero [22012]" == caught.value.message


def test_after_a_failure_the_next_step_runs(executor: MakeExecutor, database: str) -> None:
    running = executor()
    with pytest.raises(StepFailed):
        running.run(action("SELECT nonsense"))
    running.run(action("UPDATE t SET x = 5", index=2))

    assert [("3_update_t", "run")] == marks(database)
    assert [(5,)] == rows(database, "SELECT x FROM t")


@pytest.mark.parametrize(
    "statement, sqlstate, hint",
    [
        ("ALTER TABLE t ADD CHECK (x > 0)", "23514", "Rows that are there"),
        ("INSERT INTO t SELECT 1 FROM pg_sleep(5)", "57014", "statement_timeout"),
        ("SELECT no_such()", "42883", "Everything before it is committed"),
    ],
)
def test_a_failure_says_what_to_do(executor: MakeExecutor, statement: str, sqlstate: str, hint: str) -> None:
    with pytest.raises(StepFailed) as caught:
        executor(statement_timeout_ms=300).run(action(statement))

    assert sqlstate == caught.value.sqlstate
    assert hint in caught.value.hint


def test_the_server_s_detail_is_told(executor: MakeExecutor, database: str) -> None:
    execute(database, "ALTER TABLE t ADD UNIQUE (x)")

    with pytest.raises(StepFailed, match=r"Key \(x\)=\(0\) already exists"):
        executor().run(action("INSERT INTO t VALUES (0)"))


def test_healing_has_no_mark(executor: MakeExecutor, database: str) -> None:
    executor().run(action("CREATE TABLE a ()", index=None, verdict="heal", marks=False))

    assert [] == marks(database)
    assert value(database, "SELECT to_regclass('a')::text") == "a"


def test_settings_hold_for_their_step_only(executor: MakeExecutor, database: str) -> None:
    execute(database, "CREATE SCHEMA s")
    running = executor()
    running.run(action("CREATE TABLE a ()", context=("SET LOCAL search_path TO s",)))
    running.run(action("CREATE TABLE b ()", index=2))

    assert [("a", "s"), ("b", "public")] == rows(
        database, "SELECT relname::text, relnamespace::regnamespace::text FROM pg_class WHERE relname IN ('a', 'b')"
    )


def test_constants_are_stored_in_utc_and_bodies_are_not_checked(executor: MakeExecutor, database: str) -> None:
    execute(
        database, f"ALTER DATABASE {database.split('dbname=')[1].split(maxsplit=1)[0]} SET TimeZone = 'Asia/Jerusalem'"
    )
    executor().run(
        action(
            "CREATE TABLE a (at timestamptz DEFAULT '2024-01-01 00:00')",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT id FROM made_later'",
        )
    )
    execute(database, "INSERT INTO a DEFAULT VALUES")

    assert value(database, "SELECT extract(epoch FROM at)::int FROM a") == 1704067200


def test_what_refuses_a_transaction_is_sent_by_itself(executor: MakeExecutor, database: str) -> None:
    running = executor()
    running.run(action("CREATE INDEX CONCURRENTLY i ON t (x)", index=1, transaction=False))
    running.run(action("UPDATE t SET x = 1", index=2))

    assert [("2_i", "run"), ("3_update_t", "run")] == marks(database)


def test_what_refuses_a_transaction_has_no_mark_when_it_fails(executor: MakeExecutor, database: str) -> None:
    execute(database, "INSERT INTO t VALUES (0)")

    with pytest.raises(StepFailed, match="could not create unique index"):
        executor().run(action("CREATE UNIQUE INDEX CONCURRENTLY i ON t (x)", index=1, transaction=False))

    assert [] == marks(database)


def test_a_table_in_use_is_waited_for_in_short_tries(executor: MakeExecutor, database: str) -> None:
    said: list[str] = []
    with psycopg.connect(database) as user:
        user.execute("SELECT * FROM t")
        threading.Timer(0.8, user.rollback).start()
        executor(said).run(action("ALTER TABLE t ADD y int"))

    assert [("1_a_table", "run")] == marks(database)
    assert 1 == len(said)
    assert re.fullmatch(
        r"1_a_table waits: pid \d+ \(idle in transaction for \d s\) holds t: SELECT \* FROM t; trying again", said[0]
    )


def test_while_it_waits_others_are_not_kept_waiting(executor: MakeExecutor, database: str) -> None:
    running = executor()
    longest = 0.0
    with psycopg.connect(database) as user, psycopg.connect(database, autocommit=True) as other:
        user.execute("SELECT * FROM t")
        thread = threading.Thread(target=running.run, args=(action("ALTER TABLE t ADD y int"),))
        thread.start()
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            started = time.monotonic()
            other.execute("SELECT * FROM t")
            longest = max(longest, time.monotonic() - started)
        user.rollback()
        thread.join()

    assert longest < 0.7


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
def test_what_the_server_asks_to_repeat_is_repeated(executor: MakeExecutor, database: str, sqlstate: str) -> None:
    execute(database, "CREATE SEQUENCE tries")  # a sequence keeps what an undone transaction took
    text = f"DO $$ BEGIN IF nextval('tries') < 3 THEN RAISE SQLSTATE '{sqlstate}'; END IF; INSERT INTO t VALUES (7); END $$"

    executor().run(action(text))

    assert [(7,)] == rows(database, "SELECT x FROM t WHERE x = 7")
    assert [("1_a_table", "run")] == marks(database)


def test_a_step_that_somebody_cancels_is_told_as_such(executor: MakeExecutor, database: str) -> None:
    running = executor()
    cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"

    def cancelled() -> None:
        for _ in range(1000):
            if rows(database, cancel):
                return
            time.sleep(0.02)

    threading.Thread(target=cancelled).start()
    with pytest.raises(StepFailed) as caught:
        running.run(action("SELECT pg_sleep(20)"))

    assert "57014" == caught.value.sqlstate
    assert "cancelled" in caught.value.hint


def test_it_does_not_wait_for_ever(executor: MakeExecutor, database: str) -> None:
    with psycopg.connect(database) as user:
        user.execute("SELECT * FROM t")
        with pytest.raises(StepFailed) as caught:
            executor(lock_budget=0.3).run(action("ALTER TABLE t ADD y int"))

    assert "55P03" == caught.value.sqlstate
    assert "end that transaction" in caught.value.hint
    assert [] == marks(database)


@pytest.mark.parametrize(
    "limit, timeouts", [(150, [50, 100, 150, 150]), (30, [30, 30, 30, 30]), (80, [50, 80, 80, 80])]
)
def test_the_wait_for_a_lock_grows_up_to_its_limit(limit: int, timeouts: list[int]) -> None:
    assert timeouts == [lock_timeout_at(attempt, Limits(lock_timeout_ms=limit)) for attempt in (0, 1, 2, 500)]


def test_a_run_that_was_taken_over_commits_nothing_more(executor: MakeExecutor, database: str) -> None:
    running = executor(topology=Topology.TRANSACTION)
    running.run(action("CREATE TABLE a ()"))
    execute(database, "UPDATE trueup.run_lock SET expires_at = clock_timestamp() - interval '1 s'")
    executor()

    with pytest.raises(RunLockTaken, match="taken over"):
        running.run(action("UPDATE t SET x = 9", index=2))

    assert [("1_a_table", "run")] == marks(database)
    assert [(0,)] == rows(database, "SELECT x FROM t")


def test_a_run_that_was_taken_over_builds_no_index_either(executor: MakeExecutor, database: str) -> None:
    running = executor(topology=Topology.TRANSACTION)
    execute(database, "UPDATE trueup.run_lock SET expires_at = clock_timestamp() - interval '1 s'")
    executor()

    with pytest.raises(RunLockTaken):
        running.run(action("CREATE INDEX CONCURRENTLY i ON t (x)", index=1, transaction=False))

    assert value(database, "SELECT to_regclass('i')") is None


def test_a_step_s_own_division_by_zero_is_no_takeover(executor: MakeExecutor) -> None:
    with pytest.raises(StepFailed, match="division by zero"):
        executor().run(action("SELECT 1 / 0"))


def test_a_connection_that_breaks_is_for_the_run_to_mend(executor: MakeExecutor, database: str) -> None:
    running = executor()
    pid = running.conn.info.backend_pid
    threading.Timer(0.4, execute, (database, f"SELECT pg_terminate_backend({pid})")).start()

    with pytest.raises(psycopg.OperationalError):
        running.run(action("UPDATE t SET x = 3", "SELECT pg_sleep(10)"))

    assert [(0,)] == rows(database, "SELECT x FROM t")
    assert [] == marks(database)


def test_many_marks_are_written_at_once(executor: MakeExecutor, database: str) -> None:
    executor().mark([(0, "reconcile", "its effect is there"), (2, "assume", "everything around it is there")])

    assert [("1_a_table", "reconcile"), ("3_update_t", "assume")] == marks(database)
