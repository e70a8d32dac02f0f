"""The lock file: written, read, and told apart from one that does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup.chain.grammar import GRAMMAR_VERSION
from trueup.chain.header import lock_path, read_header
from trueup.chain.lockfile import load_locked, read_entries, write_lock
from trueup.chain.model import Effect, LockedChain
from trueup.chain.steps import read_chain
from trueup.errors import LockFileError
from trueup_testing.chains import write_chain

pytestmark = pytest.mark.unit

FILES = {"1_a.sql": "CREATE TABLE a (id int);\nALTER TABLE a ADD b text;", "2_b.sql": "DROP TABLE z;"}
EFFECTS = (
    Effect(set={"table public.a": "", "column public.a.id": "integer"}),
    Effect(set={"column public.a.b": "text", "default public.a.b": "'שלום\n\"x\"'::text"}, locks={"public.a": "AE"}),
    Effect(
        gone=("table public.z",),
        locks={"public.z": "AE"},
        rewritten=("public.z", "public.z_i"),
        scanned=("public.z",),
    ),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = write_chain(tmp_path / "shop" / "migrations", FILES)
    lock(made)
    return made


def lock(folder: Path) -> LockedChain:
    locked = LockedChain(chain=read_chain(folder), effects=EFFECTS, base={"table public.z": ""}, scratch_major=18)
    lock_path(folder).write_text(write_lock(locked, grammar=GRAMMAR_VERSION))
    return locked


def test_what_was_written_is_read(folder: Path) -> None:
    locked = lock(folder)

    assert locked == load_locked(read_chain(folder))


def test_the_first_line_says_what_it_belongs_to(folder: Path) -> None:
    assert {
        "format": "2",
        "files": read_chain(folder).digest,
        "chain": "shop",
        "grammar": GRAMMAR_VERSION,
        "scratch": "18",
    } == read_header(folder)


def test_every_step_has_one_line_and_the_text_is_stable(folder: Path) -> None:
    text = lock_path(folder).read_text()

    assert 2 + len(EFFECTS) == len(text.splitlines())
    assert text == write_lock(lock(folder), grammar=GRAMMAR_VERSION)


def test_no_lock_file_says_how_to_make_one(folder: Path) -> None:
    lock_path(folder).unlink()

    with pytest.raises(LockFileError, match="no lock file at") as caught:
        load_locked(read_chain(folder))

    assert "trueup lock" in caught.value.hint
    assert 8 == caught.value.exit_code


@pytest.mark.parametrize("first", ["", "{}"])
def test_another_first_line_is_not_read(folder: Path, first: str) -> None:
    lock_path(folder).write_text(first + "\n{}\n")

    with pytest.raises(LockFileError, match="is not a lock file"):
        read_header(folder)


def test_a_lock_file_of_another_format_is_to_be_made_anew(folder: Path) -> None:
    lock_path(folder).write_text("trueup.lock 1 files=0 chain=shop grammar=17 scratch=18\n{}\n")

    with pytest.raises(LockFileError, match="has format 1, and this version of trueup reads format 2") as caught:
        read_header(folder)

    assert "trueup lock" in caught.value.hint


@pytest.mark.parametrize(
    "damage",
    [
        "<<<<<<< HEAD\n",
        '{"id":"1_a_table","ha',
    ],
)
def test_a_damaged_line_is_told_and_mended_by_locking_again(folder: Path, damage: str) -> None:
    path = lock_path(folder)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:3], damage, *lines[3:]]))

    with pytest.raises(LockFileError, match=r"is damaged: .* \(line 4\)") as caught:
        read_entries(folder)

    assert "trueup lock" in caught.value.hint


def test_a_lock_file_cut_off_after_its_header_is_damaged(folder: Path) -> None:
    path = lock_path(folder)
    path.write_text(path.read_text().splitlines()[0] + "\n")

    with pytest.raises(LockFileError):
        load_locked(read_chain(folder))


@pytest.mark.parametrize("field", ["id", "hash"])
def test_a_line_without_what_it_needs_is_damaged(folder: Path, field: str) -> None:
    path = lock_path(folder)
    path.write_text(path.read_text().replace(f'"{field}":', '"other":'))

    with pytest.raises(LockFileError):
        load_locked(read_chain(folder))


def test_a_changed_step_is_named_with_its_place(folder: Path) -> None:
    write_chain(folder, {"1_a.sql": "CREATE TABLE a (id int);\n\nALTER TABLE a ADD b varchar;"})

    with pytest.raises(LockFileError, match=r"step 1_a_b \(1_a\.sql:3\) has changed since it was locked") as caught:
        load_locked(read_chain(folder))

    assert "1_a_b" == caught.value.step


def test_a_new_step_at_the_end_is_named(folder: Path) -> None:
    write_chain(folder, {"3_c.sql": "CREATE TABLE c ();"})

    with pytest.raises(LockFileError, match=r"step 3_c_table \(3_c\.sql:1\) is not in the lock file"):
        load_locked(read_chain(folder))


def test_a_new_step_between_is_named_with_what_stands_there(folder: Path) -> None:
    write_chain(folder, {"1_b.sql": "CREATE TABLE c ();"})

    with pytest.raises(LockFileError, match="stands where the lock file has"):
        load_locked(read_chain(folder))


def test_a_removed_step_is_named(folder: Path) -> None:
    (folder / "2_b.sql").unlink()

    with pytest.raises(LockFileError, match="step 2_drop_z of the lock file is in no migration") as caught:
        load_locked(read_chain(folder))

    assert "2_drop_z" == caught.value.step


def test_comments_may_change(folder: Path) -> None:
    write_chain(folder, {"2_b.sql": "-- no longer used\nDROP  TABLE z;"})

    assert EFFECTS == load_locked(read_chain(folder)).effects


def test_steps_that_change_places_do_not_fit(folder: Path) -> None:
    chain = read_chain(folder)
    swapped = chain._replace(steps=(chain.steps[1], chain.steps[0], chain.steps[2]))

    with pytest.raises(LockFileError, match=r"step 1_a_b .* stands where the lock file has 1_a_table"):
        load_locked(swapped)
