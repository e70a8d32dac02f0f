"""The run lock: one run at a time, and none that can commit once it was taken over."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from trueup.connect.connection import connect
from trueup.errors import RunLockTaken
from trueup.run import lease, ledger
from trueup.run.lease import Lease, current_holder, release, run_lock
from trueup_testing.databases import execute, rows, value

pytestmark = pytest.mark.pg

Open = Callable[[], psycopg.Connection]
Take = Callable[..., Lease]


@pytest.fixture
def url(database: str) -> str:
    with connect(database) as conn:
        ledger.ensure(conn)
    return database


@pytest.fixture
def opened(url: str) -> Iterator[Open]:
    """A function that opens a connection for the test's time."""
    made: list[psycopg.Connection] = []

    def connection() -> psycopg.Connection:
        made.append(connect(url))
        return made[-1]

    yield connection
    for one in made:
        one.close()


def expire(url: str) -> None:
    execute(url, "UPDATE trueup.run_lock SET expires_at = clock_timestamp() - interval '1 s'")


def insert(conn: psycopg.Connection, held: Lease, number: int) -> None:
    """A step's transaction, without its end."""
    conn.execute("BEGIN")
    conn.execute(held.fence.encode())
    conn.execute("INSERT INTO a VALUES (%s)", (number,))


@pytest.fixture
def take(opened: Open) -> Iterator[Take]:
    """A function that takes the lock and keeps it until somebody takes it over, or the test ends."""
    with contextlib.ExitStack() as stack:
        yield lambda conn, wait=0.0: stack.enter_context(run_lock(conn, "shop", wait_seconds=wait, reconnect=opened))


def test_it_is_held_for_the_block_and_given_back(url: str, opened: Open) -> None:
    conn = opened()
    with run_lock(conn, "shop", wait_seconds=0, reconnect=opened):
        assert "pid" in current_holder(conn, "shop")
        assert [("shop",)] == rows(url, "SELECT chain FROM trueup.run_lock")

    assert not current_holder(conn, "shop")
    assert [] == rows(url, "SELECT chain FROM trueup.run_lock")


def test_it_is_given_back_after_an_error(opened: Open) -> None:
    conn = opened()
    with pytest.raises(KeyError), run_lock(conn, "shop", wait_seconds=0, reconnect=opened):
        raise KeyError

    assert not current_holder(conn, "shop")


def test_a_second_run_names_the_holder(opened: Open) -> None:
    with run_lock(opened(), "shop", wait_seconds=0, reconnect=opened):
        with pytest.raises(RunLockTaken) as caught, run_lock(opened(), "shop", wait_seconds=0, reconnect=opened):
            pytest.fail("two at once")

        assert "pid" in caught.value.holder
        assert "since" in caught.value.message
        assert "release-run-lock" in caught.value.hint
        assert 4 == caught.value.exit_code


def test_every_chain_has_a_lock_of_its_own(opened: Open) -> None:
    with (
        run_lock(opened(), "shop", wait_seconds=0, reconnect=opened) as one,
        run_lock(opened(), "queue", wait_seconds=0, reconnect=opened) as other,
    ):
        assert one.token != other.token


def test_whoever_waits_gets_it_and_is_told_once_who_holds_it(opened: Open) -> None:
    told: list[str] = []
    holding, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with run_lock(opened(), "shop", wait_seconds=0, reconnect=opened):
            holding.set()
            go_on.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(10)
    threading.Timer(0.4, go_on.set).start()
    with run_lock(opened(), "shop", wait_seconds=20, reconnect=opened, on_wait=told.append):
        thread.join()

    assert 1 == len(told)
    assert "since" in told[0]


def test_whoever_waits_holds_nothing_that_a_concurrent_build_would_wait_for(url: str, opened: Open) -> None:
    execute(url, "CREATE TABLE a (x int)")
    waiting, stopped = threading.Event(), threading.Event()

    def wait() -> None:
        conn = opened()
        try:
            with run_lock(conn, "shop", wait_seconds=20, reconnect=opened, on_wait=lambda _: waiting.set()):
                stopped.set()
        except psycopg.Error:
            stopped.set()

    holder = opened()
    with run_lock(holder, "shop", wait_seconds=0, reconnect=opened):
        thread = threading.Thread(target=wait)
        thread.start()
        waiting.wait(10)
        holder.execute("SET statement_timeout = '5s'")
        holder.execute("CREATE INDEX CONCURRENTLY ON a (x)")
        assert not stopped.is_set()
    thread.join()

    assert stopped.is_set()


def test_a_lock_that_has_expired_is_taken_over_with_a_larger_token(url: str, opened: Open, take: Take) -> None:
    old = take(opened())
    expire(url)

    new = take(opened())

    assert old.token < new.token


def test_a_holder_that_was_taken_over_can_commit_nothing(url: str, opened: Open, take: Take) -> None:
    execute(url, "CREATE TABLE a (x int)")
    holder = opened()
    old = take(holder)
    expire(url)
    new = take(opened())

    with pytest.raises(psycopg.errors.DivisionByZero):
        insert(holder, old, 1)
    holder.execute("ROLLBACK")
    with connect(url) as conn:
        insert(conn, new, 2)
        conn.execute("COMMIT")

    assert [(2,)] == rows(url, "SELECT x FROM a")


def test_a_holder_that_was_taken_over_does_not_free_the_other_s_lock(url: str, opened: Open, take: Take) -> None:
    old = take(opened())
    expire(url)
    new = take(opened())
    with connect(url) as conn:
        old.extend(conn)
        old.release(conn)

    assert [(new.token,)] == rows(url, "SELECT token FROM trueup.run_lock")


def test_a_takeover_waits_for_a_step_in_flight(url: str, opened: Open, take: Take) -> None:
    execute(url, "CREATE TABLE a (x int)")
    holder = opened()
    old = take(holder)
    insert(holder, old, 1)
    expire(url)
    taken: list[Lease] = []
    thread = threading.Thread(target=lambda: taken.append(take(opened(), wait=10)))
    thread.start()
    time.sleep(0.5)
    assert [] == taken
    holder.execute("COMMIT")
    thread.join()

    assert old.token < taken[0].token
    assert 1 == value(url, "SELECT count(*) FROM a")


def test_the_heartbeat_does_not_wait_for_a_step_in_flight(url: str, opened: Open, take: Take) -> None:
    holder = opened()
    held = take(holder)
    holder.execute(f"BEGIN; {held.fence}".encode())
    before = value(url, "SELECT expires_at FROM trueup.run_lock")
    with connect(url) as conn:
        conn.execute("SET lock_timeout = '1s'")
        held.extend(conn)
    holder.execute("ROLLBACK")

    assert str(before) < str(value(url, "SELECT expires_at FROM trueup.run_lock"))


def test_a_run_that_takes_long_keeps_its_lock(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LEASE_SECONDS", 0.6)
    with run_lock(opened(), "shop", wait_seconds=0, reconnect=opened):
        time.sleep(1.5)
        with pytest.raises(RunLockTaken), run_lock(opened(), "shop", wait_seconds=0, reconnect=opened):
            pytest.fail("two at once")


def test_many_at_once_take_turns(url: str, opened: Open) -> None:
    execute(url, "CREATE TABLE inside (n int)", "INSERT INTO inside VALUES (0)")
    connections = [opened() for _ in range(8)]
    seen: list[int] = []

    def run(conn: psycopg.Connection) -> None:
        with run_lock(conn, "shop", wait_seconds=60, reconnect=opened):
            row = conn.execute("UPDATE inside SET n = n + 1 RETURNING n").fetchone()
            time.sleep(0.01)
            conn.execute("UPDATE inside SET n = n - 1")
            seen.append(row[0] if row else -1)

    threads = [threading.Thread(target=run, args=(conn,)) for conn in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [1] * 8 == seen


def test_a_person_can_free_it(url: str, opened: Open, take: Take) -> None:
    held = take(opened())

    with connect(url) as conn:
        assert "pid" in release(conn, "shop")
        assert not release(conn, "shop")
        with pytest.raises(psycopg.errors.DivisionByZero):
            conn.execute(held.fence.encode())


def test_without_a_ledger_nobody_holds_it(database: str) -> None:
    with connect(database) as conn:
        assert not release(conn, "shop")
