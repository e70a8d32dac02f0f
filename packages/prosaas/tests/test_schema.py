"""The chains, from the inside."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

import trueup
from prosaas.schema.chains import EXTENSIONS, HERE, open_chains
from prosaas.schema.migrate import bring_true
from prosaas.schema.state import look_at_schema


@pytest.mark.unit
def test_the_extensions_are_those_that_the_chain_creates() -> None:
    created = set()
    for file in (HERE / "migrations").glob("*.sql"):
        created |= set(re.findall(r"^CREATE EXTENSION (\w+)", file.read_text(), re.MULTILINE))

    assert created == EXTENSIONS


@pytest.mark.unit
def test_the_queue_s_chain_is_the_installed_package_s() -> None:
    from procrastinate.schema import SchemaManager

    with open_chains() as (_, queue):
        ours = {file.name: file.read_text() for file in queue.path.glob("*.sql")}
    theirs = {file.name: file.read_text() for file in Path(SchemaManager.get_migrations_path()).glob("*.sql")}

    assert ours == theirs
    assert ours
    assert not queue.path.exists()


@pytest.mark.pg
def test_from_empty_to_true_and_then_nothing_to_do(empty_database: str) -> None:
    urls = trueup.urls_from(empty_database)
    first: list[str] = []
    second: list[str] = []

    bring_true(urls, first.append)
    bring_true(urls, second.append)

    assert "done 118_worker_heartbeats_table" in first
    assert "Acquired migration lock" in first
    assert "Migration 104 complete" in first
    assert "schema prosaas: true" in first
    assert "schema procrastinate: true" in first
    assert "Acquired migration lock" not in second
    assert look_at_schema(urls).ok


@pytest.mark.pg
def test_the_queue_s_schema_is_what_procrastinate_itself_would_make(true_database: str, empty_database: str) -> None:
    from procrastinate.schema import SchemaManager

    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute(SchemaManager.get_schema())

    assert _queue_objects(true_database) == _queue_objects(empty_database)


def _queue_objects(url: str) -> tuple[set[str], set[str]]:
    with psycopg.connect(url) as connection:
        columns = connection.execute(
            "SELECT table_name || '.' || column_name || ' ' || data_type FROM information_schema.columns "
            "WHERE table_name LIKE 'procrastinate%'"
        ).fetchall()
        functions = connection.execute(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE proname LIKE 'procrastinate%'"
        ).fetchall()
    return {row[0] for row in columns}, {row[0] for row in functions}
