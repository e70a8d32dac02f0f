"""The worker, as a process."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import psycopg
import pytest

import trueup
from prosaas.schema.migrate import bring_true
from prosaas.worker.app import make_connector, queue
from prosaas_testing.processes import Running, clean_environment

pytestmark = pytest.mark.acceptance


def ask(url: str, query: str) -> list[object]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute(query.encode()).fetchall()]


def wait_until(url: str, query: str, wanted: list[object], seconds: float = 30) -> list[object]:
    deadline = time.monotonic() + seconds
    while (found := ask(url, query)) != wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def worker(url: str, **variables: str) -> Running:
    return Running("worker", environment=clean_environment(DATABASE_URL=url, **variables))


def missing(running: Running, table: str) -> bool:
    return any(f"what={table} " in f"{line} " for line in running.err)


def test_it_beats_takes_work_and_stops(true_database: str) -> None:
    with worker(true_database, HEARTBEAT_SECONDS="0.5") as running:
        running.wait_for("worker started")
        assert wait_until(true_database, "SELECT pid FROM worker_heartbeats", [running.pid]) == [running.pid]
        first = ask(true_database, "SELECT last_beat_at::text FROM worker_heartbeats")
        with queue.replace_connector(make_connector(true_database).get_sync_connector()), queue.open():
            queue.configure_task("prosaas.forget_old_heartbeats", allow_unknown=True, queue="maintenance").defer()
        running.wait_for("forgot old heartbeats")
        assert wait_until(true_database, "SELECT status::text FROM procrastinate_jobs", ["succeeded"]) == ["succeeded"]
        time.sleep(1)
        assert ask(true_database, "SELECT last_beat_at::text FROM worker_heartbeats") > first

        running.send(signal.SIGTERM)
        assert running.end() == 0

    assert ask(true_database, "SELECT pid FROM worker_heartbeats") == []
    assert "worker stopped" in running.said


def test_it_consumes_all_eight_queues_whatever_the_schedulers_setting(true_database: str) -> None:
    with worker(true_database, ENABLE_SCHEDULERS="0") as running:
        line = running.wait_for("worker started")

    for name in ("high", "default", "low", "receipts", "receipts_sync", "maintenance", "recordings", "broadcasts"):
        assert name in line
    assert "periodically" not in running.said


def test_an_empty_database_is_refused_by_name(empty_database: str) -> None:
    with worker(empty_database, RUN_MIGRATIONS="1") as running:  # which is the API's affair
        assert running.end() == 1
    with psycopg.connect(empty_database) as connection:
        made = connection.execute("SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace").fetchall()

    assert made == []
    for table in ("business", "leads", "receipts", "gmail_receipts"):
        assert missing(running, table)
    assert "prosaas migrate" in running.said
    assert "worker started" not in running.said


def test_one_missing_table_is_enough(true_database: str) -> None:
    with psycopg.connect(true_database, autocommit=True) as connection:
        connection.execute("DROP TABLE gmail_receipts CASCADE")
    with worker(true_database, PROSAAS_DEPLOYMENT="compose") as running:
        assert running.end() == 1

    assert missing(running, "gmail_receipts")
    assert not missing(running, "business")
    assert "docker compose -f docker-compose.yml -f docker-compose.prod.yml run --rm migrate" in running.said


def test_a_schema_of_yesterday_is_refused(true_database: str) -> None:
    with psycopg.connect(true_database, autocommit=True) as connection:
        connection.execute("DELETE FROM trueup.schema_migrations WHERE migration_id LIKE '126%'")
        connection.execute("DROP FUNCTION touch_updated_at CASCADE")
    with worker(true_database) as running:
        assert running.end() == 1

    assert "126_touch_updated_at_function" in running.said


def test_the_queue_s_tables_are_needed_too(true_database: str) -> None:
    with psycopg.connect(true_database, autocommit=True) as connection:
        connection.execute("DROP TABLE procrastinate_jobs CASCADE")
    with worker(true_database) as running:
        assert running.end() == 1

    assert missing(running, "procrastinate_jobs")


def test_without_a_database_it_says_what_to_set() -> None:
    with Running("worker", environment=clean_environment()) as running:
        assert running.end() == 2

    assert "error: no database" in running.said
    assert "hint: Set DATABASE_URL" in running.said


def test_it_waits_for_a_database_that_is_away_and_survives_its_restart(open_folder: Path) -> None:
    installation = trueup.find_installations()[0]
    folder = open_folder / "data"
    with trueup.Server.start(installation, folder, durable=True) as server:
        url = server.url()
        bring_true(trueup.urls_from(url), lambda _: None)

    with worker(url) as running:
        running.wait_for("could not check the schema; going on")
        running.wait_for("no connection to the queue; trying again")
        with trueup.Server.start(installation, folder, durable=True):
            running.wait_for("worker started")
            assert wait_until(url, "SELECT pid FROM worker_heartbeats", [running.pid]) == [running.pid]
        with trueup.Server.start(installation, folder, durable=True):
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("TRUNCATE worker_heartbeats")
            assert wait_until(url, "SELECT pid FROM worker_heartbeats", [running.pid]) == [running.pid]
            running.send(signal.SIGTERM)
            assert running.end() == 0
