"""Real chains with the installed command: what `plan` shows is what the server's log has; afterwards it is true."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from trueup_testing.chains import Locksmith
from trueup_testing.command import Answer, Run
from trueup_testing.databases import Databases, execute, name_of, value
from trueup_testing.schema import dump
from trueup_testing.serverlog import ServerLog

pytestmark = pytest.mark.acceptance

PROSAAS = Path(__file__).resolve().parents[3] / "prosaas" / "src" / "prosaas" / "migrations"


def queue_folder() -> Path:
    """The SQL migrations that the installed package `procrastinate` ships."""
    spec = find_spec("procrastinate")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "sql" / "migrations"


QUEUE_FILES = sorted(queue_folder().glob("*.sql"))
STARTS = [0, 1, 7, 11, len(QUEUE_FILES) // 2, 24, len(QUEUE_FILES) - 5, len(QUEUE_FILES)]
"""After how many files the command is run; the library from every one: see the tests of prosaas."""


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory, locksmith: Locksmith) -> Path:
    """A copy of the queue's migrations, locked."""
    folder = tmp_path_factory.mktemp("queue") / "migrations"
    folder.mkdir()
    for file in QUEUE_FILES:
        shutil.copy(file, folder)
    return locksmith.lock(folder)


def statements(plan: Answer) -> list[str]:
    """Everything that a plan says will be sent, in order."""
    return [statement for step in plan.json["steps"] for statement in step["statements"]]


def brought_true(run: Run, folder: Path, url: str, log: ServerLog) -> tuple[Answer, Answer]:
    """The plan and the first run; asserts what must hold for every start."""
    where = ("--migrations", folder, "--database-url", url)
    database = name_of(url)

    before = log.mark()
    plan = run(*where, "plan", "--json")
    assert 0 == plan.code, plan.err
    assert [] == log.sent(database, before)

    before = log.mark()
    first = run(*where, "up", "--json")
    assert 0 == first.code, first.err
    assert first.json["true"]
    assert statements(plan) == log.sent(database, before)

    before = log.mark()
    second = run(*where, "up", "--json")
    assert (0, True, []) == (second.code, second.json["true"], statements(second))
    assert [] == log.sent(database, before)
    return plan, first


def test_prosaas_from_empty(run: Run, database: str, server_log: ServerLog) -> None:
    plan, first = brought_true(run, PROSAAS, database, server_log)

    assert {"run"} == {step["verdict"] for step in plan.json["steps"]}
    assert "MIGRATIONS COMPLETE" in first.err
    assert "Migration 115 complete" in first.err
    assert len(first.json["steps"]) == value(database, "SELECT count(*) FROM trueup.schema_migrations")


def test_prosaas_is_what_psql_would_make_of_it(run: Run, databases: Databases, database: str) -> None:
    by_hand = databases.create()
    for file in sorted(PROSAAS.glob("*.sql")):
        execute(by_hand, file.read_text())

    assert 0 == run("--migrations", PROSAAS, "--database-url", database, "up").code

    assert dump(by_hand) == dump(database)


@pytest.mark.parametrize("count", STARTS)
def test_the_queue_from_each_file(
    run: Run, queue: Path, databases: Databases, server_log: ServerLog, count: int
) -> None:
    def by_hand(url: str) -> None:
        execute(url, *(file.read_text() for file in QUEUE_FILES[:count]))

    url = databases.copy_of(f"queue {count}", by_hand)

    plan, _ = brought_true(run, queue, url, server_log)

    whole = databases.copy_of("queue whole", lambda url: execute(url, *(f.read_text() for f in QUEUE_FILES)))
    assert dump(whole) == dump(url)
    assert {"reconcile", "run", "assume"} >= {step["verdict"] for step in plan.json["steps"]}
