"""Which files are migrations, in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup.chain.files import digest, read_files
from trueup.errors import UsageError
from trueup_testing.chains import write_chain

pytestmark = pytest.mark.unit

LAYOUTS = {
    "flat": (
        ["003_c.sql", "001_a.sql", "002_b.sql", "README.md", ".hidden.sql", "_draft.sql", "trueup.lock"],
        ["001_a", "002_b", "003_c"],
    ),
    "numbers that are not padded": (["10_k.sql", "9_j.sql", "1_a.sql", "100_z.sql"], ["1_a", "9_j", "10_k", "100_z"]),
    "duplicate numbers go by name": (["7_b.sql", "7_a.sql", "6_z.sql"], ["6_z", "7_a", "7_b"]),
    "golang-migrate": (
        ["000002_b.up.sql", "000002_b.down.sql", "000001_a.up.sql", "000001_a.down.sql"],
        ["000001_a", "000002_b"],
    ),
    "underscored up and down": (["2_b_up.sql", "2_b_down.sql", "1_a_up.sql", "1_a_down.sql"], ["1_a", "2_b"]),
    "Prisma": (
        ["20240202000000_b/migration.sql", "20240101000000_a/migration.sql", "migration_lock.toml"],
        ["20240101000000_a", "20240202000000_b"],
    ),
    "Diesel": (
        [
            "00000000000000_diesel_initial_setup/up.sql",
            "00000000000000_diesel_initial_setup/down.sql",
            "2024-02-01-101500_b/up.sql",
            "2024-02-01-101500_b/down.sql",
            "2023-12-31-235959_a/up.sql",
        ],
        ["00000000000000_diesel_initial_setup", "2023-12-31-235959_a", "2024-02-01-101500_b"],
    ),
    "Prisma goes by name, not by number": (
        ["20_c/migration.sql", "19_a/migration.sql", "20240520173759_b/migration.sql", "9_d/migration.sql"],
        ["19_a", "20240520173759_b", "20_c", "9_d"],
    ),
    "Flyway": (
        ["V2__b.sql", "V10__d.sql", "V1.1__a2.sql", "V1__a.sql", "U2__b.sql", "R__views.sql", "R__functions.sql"],
        ["V1__a", "V1.1__a2", "V2__b", "V10__d", "R__functions", "R__views"],
    ),
    "timestamps": (["20240301120000_b.sql", "20230301120000_a.sql"], ["20230301120000_a", "20240301120000_b"]),
    "dates of one digit": (
        ["2020-12-7-190800_b.sql", "2018-07-10-061642_a.sql"],
        ["2018-07-10-061642_a", "2020-12-7-190800_b"],
    ),
    "a date among timestamps": (["20240301_b.sql", "20240201120000_a.sql"], ["20240201120000_a", "20240301_b"]),
    "a timestamp with a digit too many": (
        ["202401016134308_b.up.sql", "20240331000000_a.up.sql"],
        ["20240331000000_a", "202401016134308_b"],
    ),
    "and with some too few": (
        ["V202404010930__a.sql", "V20240331000000__b.sql"],
        ["V202404010930__a", "V20240331000000__b"],
    ),
    "some of them of golang-migrate": (
        ["202507010800_b.up.sql", "201807122132_a.sql"],
        ["201807122132_a", "202507010800_b"],
    ),
    "no numbers at all": (["b.sql", "a.sql"], ["a", "b"]),
    "numbered before named": (["zebra.sql", "2_b.sql", "apple.sql"], ["2_b", "apple", "zebra"]),
    "folders called like files": (["2_b.sql/migration.sql", "1_a/migration.sql"], ["1_a", "2_b.sql"]),
    "a loose file beside folders is something else": (
        ["seed.sql", "20240101000000_a/migration.sql"],
        ["20240101000000_a"],
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_read_in_its_own_order(tmp_path: Path, layout: str) -> None:
    paths, names = LAYOUTS[layout]
    write_chain(tmp_path, dict.fromkeys(paths, "SELECT 1"))

    assert names == [file.name for file in read_files(tmp_path)]


@pytest.mark.parametrize(
    "path, number",
    [
        ("115_calendars.sql", "115"),
        ("0007_x.sql", "0007"),
        ("V1.2__x.sql", "1.2"),
        ("2024-02-01-101500_b/up.sql", "20240201101500"),
        ("views.sql", ""),
    ],
)
def test_the_number_is_what_stands_in_front(tmp_path: Path, path: str, number: str) -> None:
    write_chain(tmp_path, {path: "SELECT 1"})

    (file,) = read_files(tmp_path)

    assert number == file.number


def test_flyway_s_repeatable_files_are_known_as_such(tmp_path: Path) -> None:
    write_chain(tmp_path, {"V1__a.sql": "SELECT 1", "R__v.sql": "SELECT 1"})

    assert [("V1__a", False), ("R__v", True)] == [(file.name, file.repeatable) for file in read_files(tmp_path)]


def test_the_digest_depends_on_names_and_bytes_only(tmp_path: Path) -> None:
    files = {"1_a.sql": "SELECT 1", "2_b.sql": "SELECT 2"}
    here = digest(read_files(write_chain(tmp_path / "here", files)))
    there = digest(read_files(write_chain(tmp_path / "there", files)))
    renamed = digest(read_files(write_chain(tmp_path / "c", {"1_a.sql": "SELECT 1", "2_c.sql": "SELECT 2"})))
    moved = digest(read_files(write_chain(tmp_path / "d", {"1_a.sql": "SELECT 1SELECT 2", "2_b.sql": ""})))

    assert here == there
    assert 3 == len({here, renamed, moved})


def test_no_folder_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder of migrations") as caught:
        read_files(tmp_path / "nowhere")

    assert "--migrations" in caught.value.hint


def test_an_empty_folder_says_how_to_start(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no migrations in") as caught:
        read_files(tmp_path)

    assert "trueup new" in caught.value.hint
