"""Bringing a lock file up to date."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from trueup.chain.header import lock_path, read_header
from trueup.chain.lockfile import load_locked
from trueup.chain.model import LockedChain, Step
from trueup.chain.steps import read_chain
from trueup.errors import ScratchError
from trueup.scratch.binaries import ICU
from trueup.scratch.lock import learn, may_need, needs_of, save, unexplained
from trueup_testing.chains import Files, write_chain
from trueup_testing.databases import Databases, rows

pytestmark = pytest.mark.pg

Learn = Callable[..., tuple[LockedChain, list[str]]]


@pytest.fixture
def learnt(databases: Databases, tmp_path: Path) -> Learn:
    """Writes files into a chain and brings its lock file up to date; the locked chain and the ids learnt anew."""

    def lock(files: Files, *, setup: str = "") -> tuple[LockedChain, list[str]]:
        seen: list[Step] = []
        chain = read_chain(write_chain(tmp_path / "shop" / "migrations", files))
        locked = learn(chain, scratch_url=databases.server_url, setup=setup, on_step=seen.append)
        save(locked)
        return locked, [step.id for step in seen]

    return lock


ONE = {"1_a.sql": "CREATE TABLE a (id int);", "2_b.sql": "CREATE TABLE b (id int);"}


def test_what_is_saved_fits_and_says_on_which_server(learnt: Learn) -> None:
    locked, seen = learnt(ONE)

    assert ["1_a_table", "2_b_table"] == seen
    assert locked == load_locked(read_chain(locked.chain.folder))
    assert str(locked.scratch_major) == read_header(locked.chain.folder)["scratch"]


def test_only_what_is_new_is_learnt(learnt: Learn) -> None:
    learnt(ONE)

    locked, seen = learnt({"3_c.sql": "ALTER TABLE a ADD x int;"})

    assert ["3_a_x"] == seen
    assert {"column public.a.x": "integer"} == locked.effects[2].set


def test_nothing_is_learnt_twice(learnt: Learn) -> None:
    first, _ = learnt(ONE)
    text = lock_path(first.chain.folder).read_text()

    second, seen = learnt({})

    assert [] == seen
    assert text == lock_path(second.chain.folder).read_text()


def test_from_a_changed_step_on_everything_is_learnt(learnt: Learn) -> None:
    learnt(ONE)

    locked, seen = learnt({"1_a.sql": "CREATE TABLE a (id bigint);"})

    assert ["1_a_table", "2_b_table"] == seen
    assert "bigint" == locked.effects[0].set["column public.a.id"]


def test_a_step_that_is_put_between_is_learnt_where_it_stands(learnt: Learn) -> None:
    learnt(ONE)

    locked, seen = learnt({"1_z.sql": "CREATE TABLE z (id int);"})

    assert 3 == len(locked.effects)
    assert ["table public.a", "table public.z", "table public.b"] == [next(reversed(e.keys)) for e in locked.effects]
    assert seen[-1] == "2_b_table"


def test_a_lock_of_another_major_version_is_learnt_anew(learnt: Learn) -> None:
    locked, _ = learnt(ONE)
    path = lock_path(locked.chain.folder)
    path.write_text(path.read_text().replace(f"scratch={locked.scratch_major}", "scratch=12", 1))

    _, seen = learnt({})

    assert ["1_a_table", "2_b_table"] == seen


def test_a_damaged_lock_is_learnt_anew(learnt: Learn) -> None:
    locked, _ = learnt(ONE)
    lock_path(locked.chain.folder).write_text("<<<<<<< HEAD\n")

    _, seen = learnt({})

    assert ["1_a_table", "2_b_table"] == seen


SETUP = "CREATE SCHEMA auth; CREATE TABLE auth.users (id int PRIMARY KEY, name text)"


def test_what_setup_makes_is_expected_and_not_managed(learnt: Learn) -> None:
    files = {"1_a.sql": "CREATE TABLE a (u int REFERENCES auth.users);\nALTER TABLE auth.users DROP name;"}

    locked, _ = learnt(files, setup=SETUP)

    assert {"column auth.users.name": "text"} == locked.base


def test_another_setup_is_learnt_anew(learnt: Learn) -> None:
    files = {"1_a.sql": "ALTER TABLE auth.users DROP name;", "2_b.sql": "CREATE TABLE b ();"}
    learnt(files, setup=SETUP)

    locked, seen = learnt({"3_c.sql": "CREATE TABLE c ();"}, setup=SETUP.replace("name text", "name varchar"))

    assert {"column auth.users.name": "character varying"} == locked.base
    assert "1_users_name_dropcolumn" in seen


def test_scratch_databases_do_not_stay(learnt: Learn, databases: Databases) -> None:
    learnt(ONE)
    with pytest.raises(ScratchError):
        learnt({"3_c.sql": "CREATE TABLE a (id int);"})

    query = "SELECT datname FROM pg_database WHERE datname LIKE 'trueup\\_scratch%'"
    assert [] == rows(databases.server_url, query)


def test_a_failing_step_leaves_the_lock_file_as_it_was(learnt: Learn) -> None:
    locked, _ = learnt(ONE)
    before = lock_path(locked.chain.folder).read_text()

    with pytest.raises(ScratchError, match="step 3_a_table does not run"):
        learnt({"3_c.sql": "CREATE TABLE a (id int);"})

    assert before == lock_path(locked.chain.folder).read_text()


def test_a_scratch_server_that_cannot_be_reached_is_told(tmp_path: Path) -> None:
    chain = read_chain(write_chain(tmp_path, ONE))

    with pytest.raises(ScratchError) as caught:
        learn(chain, scratch_url=f"postgresql://u:s3cret@/postgres?host={tmp_path}")

    assert "no connection to the scratch server postgresql://u:***@" in caught.value.message
    assert "s3cret" not in str(caught.value.to_json())
    assert "TRUEUP_SCRATCH_URL" in caught.value.hint


def test_a_setup_that_fails_is_told(learnt: Learn) -> None:
    with pytest.raises(ScratchError, match="setup"):
        learnt(ONE, setup="CREATE TABEL x ()")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE PUBLICATION p FOR ALL TABLES",
        "CREATE CAST (text AS integer) WITH INOUT AS ASSIGNMENT",
        "DO $$ BEGIN IF false THEN DROP TABLE a; END IF; END $$",
    ],
)
def test_ddl_that_leaves_no_fact_is_named(learnt: Learn, statement: str) -> None:
    locked, _ = learnt({"1_a.sql": f"CREATE TABLE a (id int);\n{statement};"})

    assert [locked.steps[1]] == unexplained(locked)


@pytest.mark.parametrize(
    "statement",
    [
        "-- done when: SELECT true\nCREATE PUBLICATION p FOR ALL TABLES",
        "INSERT INTO a VALUES (1)",
        "DROP TABLE IF EXISTS gone",
        "GRANT SELECT ON a TO PUBLIC",
        "VACUUM a",
        "COMMENT ON TABLE a IS 'x'",
        "ALTER TABLE a ALTER id DROP NOT NULL",
    ],
)
def test_other_steps_are_explained(learnt: Learn, statement: str) -> None:
    locked, _ = learnt({"1_a.sql": f"CREATE TABLE a (id int);\n{statement};"})

    assert [] == unexplained(locked)


@pytest.mark.parametrize(
    "sql, needs",
    [
        ('CREATE TABLE a (x text COLLATE "nb-NO-x-icu");', {ICU}),
        ("CREATE COLLATION c (provider = icu, locale = 'de');", {ICU}),
        ("CREATE COLLATION c (provider = libc, locale = 'C');", set()),
    ],
)
def test_collations_of_icu_need_a_server_that_was_built_with_it(tmp_path: Path, sql: str, needs: set[str]) -> None:
    assert needs == needs_of(read_chain(write_chain(tmp_path, {"1_a.sql": sql})))


def test_extensions_are_found_wherever_they_are_created(tmp_path: Path) -> None:
    files = {
        "1_a.sql": 'CREATE EXTENSION IF NOT EXISTS pg_trgm;\nBEGIN;\nCREATE EXTENSION "uuid-ossp";\nCOMMIT;',
        "2_b.sql": "COMMENT ON EXTENSION plpgsql IS 'x';\nCREATE TABLE extension ();",
    }

    assert {"pg_trgm", "uuid-ossp"} == needs_of(read_chain(write_chain(tmp_path, files)))


def test_blocks_that_may_create_extensions_are_told(tmp_path: Path) -> None:
    block = """DO $$ BEGIN EXECUTE 'CREATE EXTENSION "uuid-ossp"'; END $$;"""
    chain = read_chain(write_chain(tmp_path, {"1_a.sql": f"DO $$ BEGIN EXECUTE 'DROP TABLE a'; END $$;\n{block}"}))

    assert set() == needs_of(chain)
    assert [block.rstrip(";")] == [text.rstrip(";") for text in may_need(chain)]
