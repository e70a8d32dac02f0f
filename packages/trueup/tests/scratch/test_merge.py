"""Lock files in git: two branches that both add migrations are merged without a conflict."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import trueup
from trueup.chain.lockfile import load_locked
from trueup.chain.steps import read_chain
from trueup_testing.chains import Files, Locksmith, write_chain
from trueup_testing.command import Answer, Run
from trueup_testing.databases import Databases

pytestmark = pytest.mark.pg


class Repository:
    """A repository with a chain in `shop/migrations`."""

    def __init__(self, root: Path, scratch_url: str, locksmith: Locksmith) -> None:
        self.root = root
        self.folder = root / "shop" / "migrations"
        self._locksmith = locksmith
        self._environment = {
            **os.environ,
            "TRUEUP_SCRATCH_URL": scratch_url,
            "GIT_CONFIG_GLOBAL": os.devnull,
            **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }

    def git(self, *arguments: str) -> Answer:
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, env=self._environment, capture_output=True, text=True, check=False
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def commit(self, files: Files) -> None:
        self._locksmith.lock(write_chain(self.folder, files))
        self.git("add", "--all")
        assert self.git("commit", "--quiet", "--message", "more").code == 0


@pytest.fixture
def repository(tmp_path: Path, databases: Databases, locksmith: Locksmith, run: Run) -> Repository:
    """Its branch `other` has added to it; so may `main`, which is checked out."""
    made = Repository(tmp_path, databases.server_url, locksmith)
    made.git("init", "--quiet", "--initial-branch", "main")
    write_chain(made.folder, {"1_a.sql": "CREATE TABLE a (id int);"})
    assert run("--migrations", made.folder, "lock", "--merge-driver", cwd=tmp_path).code == 0
    made.commit({})
    made.git("checkout", "--quiet", "-b", "other")
    made.commit({"3_c.sql": "ALTER TABLE a ADD c int;"})
    made.git("checkout", "--quiet", "main")
    return made


def test_both_sides_are_in_the_merged_lock_file(repository: Repository, database: str) -> None:
    repository.commit({"2_b.sql": "ALTER TABLE a ADD b int;", "4_d.sql": "CREATE INDEX a_b ON a (b);"})

    merged = repository.git("merge", "--quiet", "--message", "merged", "other")

    assert merged.code == 0, merged.out + merged.err
    locked = load_locked(read_chain(repository.folder))
    assert ["1_a_table", "2_a_b", "3_a_c", "4_a_b"] == [step.id for step in locked.steps]
    assert locked.effects[2].set == {"column public.a.c": "integer"}
    assert trueup.up(database, repository.folder).true
    assert repository.git("status", "--porcelain").out == ""


def test_where_both_have_changed_a_migration_a_person_settles_it(repository: Repository, run: Run) -> None:
    repository.commit({"3_c.sql": "ALTER TABLE a ADD c text;"})

    merged = repository.git("merge", "--quiet", "--message", "merged", "other")
    repository.git("checkout", "--theirs", "shop/migrations/3_c.sql")

    assert merged.code == 1
    assert "both sides have changed shop/migrations/3_c.sql" in merged.err
    assert "trueup lock" in merged.err
    assert run("--migrations", repository.folder, "lock").code == 0
    assert run("--migrations", repository.folder, "lock", "--check").code == 0


def test_outside_of_a_repository_there_is_nothing_to_install(run: Run, tmp_path: Path) -> None:
    folder = write_chain(tmp_path / "migrations", {"1_a.sql": "SELECT 1;"})

    answer = run("--migrations", folder, "lock", "--merge-driver")

    assert answer.code == 2
    assert "git init" in answer.err
