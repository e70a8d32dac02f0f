"""The job queue's own migrations, from empty and from each of its files: another tool's plain SQL, as it stands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from procrastinate.schema import SchemaManager
from sqlalchemy import make_url

import trueup
from prosaas.schema.chains import QUEUE_LOCK, write_queue_chain
from trueup.api import plan

pytestmark = pytest.mark.pg

FILES = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
STEPS = QUEUE_LOCK.read_text().count('{"id":')


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("queue") / "procrastinate" / "migrations"
    write_queue_chain(made)
    return made


@pytest.fixture(scope="session")
def database_after(create_database: Callable[[str], str]) -> Callable[[int], str]:
    """A function that returns a database on which the first so many files were run, by hand and without a ledger."""
    bases = [create_database("template0")]

    def after(count: int) -> str:
        while len(bases) <= count:
            base = create_database(str(make_url(bases[-1]).database))
            with psycopg.connect(base, autocommit=True) as connection:
                connection.execute(FILES[len(bases) - 1].read_bytes())
            bases.append(base)
        return create_database(str(make_url(bases[count]).database))

    return after


@pytest.mark.parametrize("count", range(len(FILES) + 1), ids=lambda count: FILES[count - 1].stem if count else "empty")
def test_from_each_file_to_true(count: int, database_after: Callable[[int], str], folder: Path) -> None:
    urls = trueup.urls_from(database_after(count))

    planned = plan(urls, folder)
    first = trueup.up(urls, folder)
    second = trueup.up(urls, folder)

    assert first.true
    assert [step.id for step in planned.sent] == [step.id for step in first.sent]
    assert len(first.sent) <= STEPS - count  # what was there was not done again
    assert second.true
    assert second.sent == []
