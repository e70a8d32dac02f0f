"""The run lock: one run at a time, and none that can commit once it was taken over."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from trueup.connect.connection import connect
from trueup.connect.link import Link
from trueup.connect.topology import Topology
from trueup.errors import RunLockTaken
from trueup.run import acquire, ledger
from trueup.run.acquire import free, run_lock
from trueup.run.lease import Lease, current_holder
from trueup_testing.databases import execute, rows, value

pytestmark = pytest.mark.pg

Open = Callable[[], Link]
Take = Callable[..., Lease]


@pytest.fixture
def url(database: str) -> str:
    with connect(database) as conn:
        ledger.ensure(conn)
    return database


@pytest.fixture(params=[Topology.DIRECT, Topology.TRANSACTION])
def topology(request: pytest.FixtureRequest) -> Topology:
    """With a session's lock beside the lease, and without."""
    found: Topology = request.param
    return found


@pytest.fixture
def opened(url: str, topology: Topology) -> Iterator[Open]:
    """A function that opens a way to the database for the test's time."""
    made: list[Link] = []

    def link() -> Link:
        made.append(Link(url, "DATABASE_URL", topology=topology))
        return made[-1]

    yield link
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
def take(opened: Open) -> Iterator[Take]:  # noqa: ARG001 - its connections must outlive the locks
    """A function that takes the lock and keeps it until somebody takes it over, or the test ends."""
    with contextlib.ExitStack() as stack:
        yield lambda link, wait=10.0: stack.enter_context(run_lock(link, "shop", wait_seconds=wait))


def test_it_is_held_for_the_block_and_given_back(url: str, opened: Open) -> None:
    conn = opened()
    with run_lock(conn, "shop", wait_seconds=0):
        assert "pid" in current_holder(conn.conn, "shop")
        assert [("shop",)] == rows(url, "SELECT chain FROM trueup.run_lock")

    assert not current_holder(conn.conn, "shop")
    assert [] == rows(url, "SELECT chain FROM trueup.run_lock")


def test_it_is_given_back_after_an_error(opened: Open) -> None:
    conn = opened()
    with pytest.raises(KeyError), run_lock(conn, "shop", wait_seconds=0):
        raise KeyError

    assert not current_holder(conn.conn, "shop")


def test_a_second_run_names_the_holder(opened: Open) -> None:
    with run_lock(opened(), "shop", wait_seconds=0):
        with pytest.raises(RunLockTaken) as caught, run_lock(opened(), "shop", wait_seconds=0):
            pytest.fail("two at once")

        assert "pid" in caught.value.holder
        assert "since" in caught.value.message
        assert "release-run-lock" in caught.value.hint
        assert 4 == caught.value.exit_code


def test_every_chain_has_a_lock_of_its_own(opened: Open) -> None:
    with (
        run_lock(opened(), "shop", wait_seconds=0) as one,
        run_lock(opened(), "queue", wait_seconds=0) as other,
    ):
        assert one.token != other.token


def test_whoever_waits_gets_it_and_is_told_once_who_holds_it(opened: Open) -> None:
    told: list[str] = []
    holding, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with run_lock(opened(), "shop", wait_seconds=0):
            holding.set()
            go_on.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(10)
    threading.Timer(0.4, go_on.set).start()
    with run_lock(opened(), "shop", wait_seconds=20, on_wait=told.append):
        thread.join()

    assert 1 == len(told)
    assert "since" in told[0]


def test_whoever_waits_holds_nothing_that_a_concurrent_build_would_wait_for(url: str, opened: Open) -> None:
    execute(url, "CREATE TABLE a (x int)")
    waiting, stopped = threading.Event(), threading.Event()

    def wait() -> None:
        conn = opened()
        try:
            with run_lock(conn, "shop", wait_seconds=20, on_wait=lambda _: waiting.set()):
                stopped.set()
        except psycopg.Error:
            stopped.set()

    holder = opened()
    with run_lock(holder, "shop", wait_seconds=0):
        thread = threading.Thread(target=wait)
        thread.start()
        waiting.wait(10)
        holder.conn.execute("SET statement_timeout = '5s'")
        holder.conn.execute("CREATE INDEX CONCURRENTLY ON a (x)")
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

    with pytest.raises((psycopg.errors.DivisionByZero, psycopg.OperationalError)):  # its session may be ended, too
        insert(holder.conn, old, 1)
    holder.close()
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
    insert(holder.conn, old, 1)
    expire(url)
    taken: list[Lease] = []
    thread = threading.Thread(target=lambda: taken.append(take(opened(), wait=10)))
    thread.start()
    time.sleep(0.5)
    assert [] == taken
    holder.conn.execute("COMMIT")
    thread.join()

    assert old.token < taken[0].token
    assert 1 == value(url, "SELECT count(*) FROM a")


def test_the_heartbeat_does_not_wait_for_a_step_in_flight(url: str, opened: Open, take: Take) -> None:
    holder = opened()
    held = take(holder)
    holder.conn.execute(f"BEGIN; {held.fence}".encode())
    before = value(url, "SELECT expires_at FROM trueup.run_lock")
    with connect(url) as conn:
        conn.execute("SET lock_timeout = '1s'")
        held.extend(conn)
    holder.conn.execute("ROLLBACK")

    assert str(before) < str(value(url, "SELECT expires_at FROM trueup.run_lock"))


def test_a_run_that_takes_long_keeps_its_lock(opened: Open) -> None:
    with run_lock(opened(), "shop", wait_seconds=0, lease_seconds=0.6):
        time.sleep(1.5)
        with pytest.raises(RunLockTaken), run_lock(opened(), "shop", wait_seconds=0):
            pytest.fail("two at once")


def test_many_at_once_take_turns(url: str, opened: Open) -> None:
    execute(url, "CREATE TABLE inside (n int)", "INSERT INTO inside VALUES (0)")
    connections = [opened() for _ in range(8)]
    seen: list[int] = []

    def run(link: Link) -> None:
        conn = link.conn
        with run_lock(link, "shop", wait_seconds=60):
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
        assert "pid" in free(conn, "shop").holder
        assert not free(conn, "shop").holder
        with pytest.raises(psycopg.errors.DivisionByZero):
            conn.execute(held.fence.encode())


def test_without_a_ledger_nobody_holds_it(database: str) -> None:
    with connect(database) as conn:
        assert ("", 0) == free(conn, "shop")


def test_a_holder_whose_process_is_gone_is_taken_over_from_at_once(url: str, opened: Open, take: Take) -> None:
    old = take(opened())
    execute(url, "UPDATE trueup.run_lock SET process = regexp_replace(process, ' [0-9]+ ', ' 4194305 ')")
    started = time.monotonic()

    assert old.token < take(opened()).token
    assert time.monotonic() - started < 2


def test_a_process_of_another_machine_may_still_live(url: str, opened: Open, take: Take) -> None:
    take(opened())
    execute(url, "UPDATE trueup.run_lock SET process = regexp_replace(process, '^[^ ]+', 'elsewhere')")

    with pytest.raises(RunLockTaken):
        take(opened(), wait=0.3)


@pytest.mark.parametrize("topology", [Topology.DIRECT], indirect=True)
def test_a_lost_session_is_waited_for_a_little(opened: Open, take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acquire, "GRACE_SECONDS", 1.0)
    holder = opened()
    take(holder)
    holder.close()

    with pytest.raises(RunLockTaken):
        take(opened(), wait=0.3)
    take(opened(), wait=5)


@pytest.mark.parametrize("topology", [Topology.DIRECT], indirect=True)
def test_a_holder_that_connects_again_has_its_lock_back(url: str, opened: Open) -> None:
    link = opened()
    with run_lock(link, "shop", wait_seconds=0, identity="ours") as old:
        link.close()
    assert 1 == value(url, "SELECT count(*) FROM trueup.run_lock")

    with run_lock(opened(), "shop", wait_seconds=5, identity="ours") as new:
        assert old.token < new.token


@pytest.mark.parametrize("topology", [Topology.DIRECT], indirect=True)
def test_whoever_waits_behind_a_frozen_session_ends_it(url: str, opened: Open, take: Take) -> None:
    holder = opened()
    old = take(holder)
    expire(url)

    assert old.token < take(opened()).token
    with pytest.raises(psycopg.OperationalError):
        holder.conn.execute("SELECT 1")


def test_the_step_at_work_is_named(opened: Open, take: Take) -> None:
    held = take(opened())
    held.step = "7_index"
    held.extend(opened().conn)

    with pytest.raises(RunLockTaken, match=r"since .* UTC, at step 7_index"):
        take(opened(), wait=0)


def test_no_lock_of_a_session_is_left(url: str, opened: Open) -> None:
    link = opened()
    with run_lock(link, "shop", wait_seconds=0):
        pass

    assert 0 == value(url, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
