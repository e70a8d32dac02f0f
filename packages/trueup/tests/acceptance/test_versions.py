"""Locked on one PostgreSQL, true on every other."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup_testing.chains import Locksmith, write_chain
from trueup_testing.command import Run
from trueup_testing.databases import Databases, execute
from trueup_testing.every_kind import EVERY_KIND

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, locksmith: Locksmith) -> Path:
    """A chain with every kind of object, locked on the session's server."""
    return locksmith.lock(write_chain(tmp_path_factory.mktemp("every") / "migrations", EVERY_KIND))


def test_a_database_brought_up_is_true(run: Run, folder: Path, each_server: Databases) -> None:
    where = ("--migrations", folder, "--database-url", each_server.create())

    up, check, again = run(*where, "up", "--strict"), run(*where, "check"), run(*where, "up", "--json")

    assert (0, 0, 0) == (up.code, check.code, again.code), up.err
    assert again.json["true"]


def test_a_database_made_by_hand_is_true(run: Run, folder: Path, each_server: Databases) -> None:
    url = each_server.create()
    execute(url, *EVERY_KIND.values())

    plan = run("--migrations", folder, "--database-url", url, "plan", "--json")

    assert 0 == plan.code, plan.err
    assert {"reconcile"} == {step["verdict"] for step in plan.json["steps"]}
    assert [] == plan.json["drift"]
    assert 0 == run("--migrations", folder, "--database-url", url, "up", "--strict").code
