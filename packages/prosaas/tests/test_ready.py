"""`/api/health` and `/api/ready`, against real databases in every state."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from starlette.testclient import TestClient

from prosaas.api.app import create_app
from prosaas.settings import Settings

pytestmark = [pytest.mark.pg, pytest.mark.usefixtures("no_database")]


@contextmanager
def client_of(url: str, **settings: object) -> Iterator[TestClient]:
    with TestClient(create_app(Settings.model_validate({"database_url": url, **settings}))) as client:
        yield client


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def beat(url: str, *, age: str = "0 s") -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO worker_heartbeats (worker_id, hostname, pid, last_beat_at) "
            "VALUES (%s, 'here', 1, now() - %s::interval)",
            (age, age),
        )


def test_health_says_alive_whatever_the_database_is() -> None:
    with client_of("postgresql://nobody@127.0.0.1:1/none") as client:
        answer = client.get("/api/health")

    assert answer.status_code == 200
    assert answer.json() == {"status": "alive"}


def test_ready(true_database: str) -> None:
    beat(true_database, age="300 s")
    beat(true_database, age="30 s")
    with client_of(true_database) as client:
        answer = client.get("/api/ready")

    assert answer.status_code == 200
    assert answer.json()["ready"] is True
    assert answer.json()["schema"]["ok"] is True


def test_no_worker_was_ever_there(true_database: str) -> None:
    with client_of(true_database) as client:
        answer = client.get("/api/ready")

    assert answer.status_code == 503
    assert answer.json()["schema"]["ok"] is True
    assert "no heartbeat was ever written" in answer.json()["worker"]["missing"][0]
    assert answer.json()["worker"]["mend"] == "prosaas worker"


def test_a_worker_that_is_silent_for_more_than_90_seconds_is_gone(true_database: str) -> None:
    beat(true_database, age="95 s")
    with client_of(true_database) as client:
        answer = client.get("/api/ready")

    assert answer.status_code == 503
    assert re.search(r"the last heartbeat is \d+ s old", answer.json()["worker"]["missing"][0])


def test_an_empty_database_is_missing_everything(empty_database: str) -> None:
    with client_of(empty_database, prosaas_deployment="compose") as client:
        answer = client.get("/api/ready")

    schema = answer.json()["schema"]
    assert answer.status_code == 503
    assert "115_business_calendars_table" in schema["missing"]
    assert any(name.endswith("procrastinate_jobs_table") for name in schema["missing"])
    assert schema["mend"].endswith("docker-compose.prod.yml run --rm migrate")
    assert not answer.json()["worker"]["ok"]


def test_a_table_that_was_dropped_is_named_and_mended(true_database: str) -> None:
    beat(true_database)
    with client_of(true_database) as client:
        assert client.get("/api/ready").status_code == 200
        execute(true_database, "ALTER TABLE leads DROP COLUMN notes")
        time.sleep(1.1)  # an answer is kept for a second
        answer = client.get("/api/ready")

    assert answer.status_code == 503
    assert any("public.leads.notes" in one for one in answer.json()["schema"]["missing"])


def test_a_difference_is_told_but_does_not_stop_the_service(true_database: str) -> None:
    beat(true_database)
    execute(true_database, "ALTER TABLE business ALTER COLUMN address TYPE text")
    with client_of(true_database) as client:
        answer = client.get("/api/ready")

    assert answer.status_code == 200
    assert any("public.business.address" in one for one in answer.json()["schema"]["differs"])


def test_an_unreachable_database_is_told_without_its_password() -> None:
    with client_of("postgresql://app:s3cret@127.0.0.1:1/none") as client:
        answer = client.get("/api/ready")

    assert answer.status_code == 503
    assert answer.json()["schema"]["error"]
    assert answer.json()["worker"]["error"]
    assert "s3cret" not in answer.text


def test_the_api_migrates_where_it_is_told_to(empty_database: str) -> None:
    with client_of(empty_database, run_migrations=True) as client:
        assert client.get("/api/health").status_code == 200
        deadline = time.monotonic() + 60
        while not (schema := client.get("/api/ready").json()["schema"])["ok"] and time.monotonic() < deadline:
            time.sleep(0.2)

    assert schema["ok"]


def test_a_failed_migration_leaves_the_api_up_and_is_told(empty_database: str) -> None:
    execute(empty_database, "CREATE TABLE somebody_elses (id int)")
    with client_of(empty_database, run_migrations=True) as client:
        deadline = time.monotonic() + 30
        while "failed" not in (schema := client.get("/api/ready").json()["schema"])["error"]:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert client.get("/api/health").status_code == 200

    assert "none that the chain prosaas makes" in schema["error"]
    assert schema["mend"] == "prosaas migrate"
