"""`prosaas up`, as a user runs it: what it says, what it starts, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import urllib.request
from pathlib import Path

import psycopg
import pytest

from prosaas_testing.processes import Running, clean_environment, unused_port

pytestmark = pytest.mark.acceptance


def up(folder: Path, port: int, **variables: str) -> Running:
    return Running("up", cwd=folder, environment=clean_environment(PORT=str(port), **variables))


def processes_in(folder: Path) -> dict[int, str]:
    """Every process that works in the folder, or on a server whose data lies there: pid and command."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                belongs = (entry / "cwd").readlink().is_relative_to(folder) or str(folder) in command
            except OSError:  # it has ended meanwhile
                continue
            if belongs and command:
                found[int(entry.name)] = command
    return found


def wait_until_gone(folder: Path, seconds: float = 30) -> dict[int, str]:
    deadline = time.monotonic() + seconds
    while (left := processes_in(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def get(url: str) -> tuple[int, dict[str, object]]:
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - our own address
        return answer.status, json.loads(answer.read())


def test_from_nothing_to_ready_and_back_and_again(open_folder: Path) -> None:
    port = unused_port()
    with up(open_folder, port) as running:
        assert running.wait_for("ready ") == f"ready http://127.0.0.1:{port}"
        assert running.out == [f"ready http://127.0.0.1:{port}"]  # progress goes to standard error
        assert get(f"http://127.0.0.1:{port}/api/health") == (200, {"status": "alive"})
        status, ready = get(f"http://127.0.0.1:{port}/api/ready")
        assert status == 200
        assert ready["ready"] is True
        assert "done 115_business_calendars_table" in running.err
        assert len(processes_in(open_folder)) >= 3

        running.send(signal.SIGINT)
        assert running.end() == 0

    assert wait_until_gone(open_folder) == {}
    assert (open_folder / ".data" / "postgres" / "PG_VERSION").exists()

    with up(open_folder, port) as running:
        running.wait_for("ready ")
        assert not any(line.startswith("done ") for line in running.err)
        running.send(signal.SIGTERM)
        assert running.end() == 0

    assert wait_until_gone(open_folder) == {}


def test_a_database_that_is_named_is_used(open_folder: Path, empty_database: str) -> None:
    port = unused_port()
    with up(open_folder, port, DATABASE_URL=empty_database) as running:
        running.wait_for("ready ")
        with psycopg.connect(empty_database) as connection:
            assert connection.execute("SELECT count(*) FROM worker_heartbeats").fetchone() == (1,)
        running.send(signal.SIGTERM)
        assert running.end() == 0

    assert not (open_folder / ".data").exists()


@pytest.mark.parametrize("victim", ["api", "worker", "postgres"])
def test_a_killed_child_ends_everything(victim: str, open_folder: Path, true_database: str) -> None:
    own = victim == "postgres"
    with up(open_folder, unused_port(), **({} if own else {"DATABASE_URL": true_database})) as running:
        running.wait_for("ready ")
        marker = "bin/postgres -D" if own else f"-m prosaas {victim} "
        pid = next(pid for pid, command in processes_in(open_folder).items() if marker in command)
        os.kill(pid, signal.SIGKILL)
        assert running.end() == 1

    name = {"api": "the API", "worker": "the worker", "postgres": "PostgreSQL"}[victim]
    assert f"error: {name} was ended by signal 9" in running.said
    assert wait_until_gone(open_folder) == {}


def test_killed_itself_it_takes_everything_along(open_folder: Path) -> None:
    with up(open_folder, unused_port()) as running:
        running.wait_for("ready ")
        running.send(signal.SIGKILL)
        running.end()

        assert wait_until_gone(open_folder, 60) == {}


def test_ctrl_c_while_it_starts_leaves_nothing(open_folder: Path) -> None:
    with up(open_folder, unused_port()) as running:
        running.wait_for("Acquired migration lock")
        running.send(signal.SIGINT)
        assert running.end() == 130

    assert "ready" not in running.out
    assert wait_until_gone(open_folder) == {}

    with up(open_folder, unused_port()) as running:  # what was done before is kept, the rest is done now
        running.wait_for("ready ")


def test_a_port_in_use_is_told_before_anything_starts(open_folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with up(open_folder, port) as running:
            assert running.end() == 2

    assert f"error: port {port} on 127.0.0.1 is in use" in running.said
    assert f"hint: Stop that program, or choose another port: PORT={port + 1}" in running.said
    assert not (open_folder / ".data").exists()


def test_an_unreachable_database_is_told_without_its_password(open_folder: Path) -> None:
    url = f"postgresql://app:s3cret@127.0.0.1:{unused_port()}/none"
    with up(open_folder, unused_port(), DATABASE_URL=url) as running:
        assert running.end() == 5

    assert "error: " in running.said
    assert "127.0.0.1" in running.said
    assert "s3cret" not in running.said


def test_a_second_one_on_the_same_folder_is_refused(open_folder: Path) -> None:
    with up(open_folder, unused_port()) as first:
        first.wait_for("ready ")
        with up(open_folder, unused_port()) as second:
            assert second.end() == 2
        assert "Another server is running" in second.said
        first.send(signal.SIGTERM)
        assert first.end() == 0


def test_somebody_else_s_database_is_left_alone(open_folder: Path, empty_database: str) -> None:
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("CREATE TABLE somebody_elses (id int)")
    with up(open_folder, unused_port(), DATABASE_URL=empty_database) as running:
        assert running.end() == 3

    with psycopg.connect(empty_database) as connection:
        assert connection.execute("SELECT count(*) FROM pg_stat_user_tables").fetchone() == (1,)


def test_migrate_twice(empty_database: str) -> None:
    environment = clean_environment(DATABASE_URL=empty_database)
    with Running("migrate", environment=environment) as first:
        assert first.end() == 0
    with Running("migrate", environment=environment) as second:
        assert second.end() == 0

    assert "MIGRATIONS COMPLETE" in first.err
    assert not any(line.startswith("done ") for line in second.err)


def test_migrate_into_a_database_of_others_needs_a_word(empty_database: str) -> None:
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("CREATE TABLE somebody_elses (id int)")
    environment = clean_environment(DATABASE_URL=empty_database)
    with Running("migrate", environment=environment) as refused:
        assert refused.end() == 3
    with Running("migrate", "--first-run", environment=environment) as done:
        assert done.end() == 0

    assert "--first-run" in refused.said
