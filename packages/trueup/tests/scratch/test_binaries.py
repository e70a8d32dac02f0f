"""Finding PostgreSQL binaries, and choosing among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup.errors import ScratchError
from trueup.scratch.binaries import BIN_VARIABLE, ICU, Installation, choose, find_installations

pytestmark = pytest.mark.unit


def installation(tmp_path: Path, version: str, *extensions: str) -> Installation:
    bin_dir = tmp_path / version / "bin"
    bin_dir.mkdir(parents=True)
    for program in ("postgres", "initdb"):
        (bin_dir / program).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version} (Somewhere)'\n")
        (bin_dir / program).chmod(0o755)
    share = tmp_path / version / "share"
    (share / "extension").mkdir(parents=True)
    (share / "postgres.bki").touch()
    for name in extensions:
        (share / "extension" / f"{name}.control").touch()
    return Installation(bin_dir=bin_dir, version=version, major=int(version.split(".", maxsplit=1)[0]))


def test_the_named_folder_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = installation(tmp_path, "99.1", "citext")
    monkeypatch.setenv(BIN_VARIABLE, str(named.bin_dir))

    first = find_installations()[0]

    assert named == first
    assert frozenset({"citext"}) == first.extensions


def test_a_named_folder_without_a_server_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BIN_VARIABLE, str(tmp_path))

    with pytest.raises(ScratchError, match="wanted a folder with `postgres` and `initdb`") as caught:
        find_installations()

    assert BIN_VARIABLE in caught.value.hint


def test_binaries_that_cannot_run_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = installation(tmp_path, "98.0")
    (broken.bin_dir / "postgres").write_text("#!/bin/sh\nexit 127\n")
    monkeypatch.setenv(BIN_VARIABLE, str(broken.bin_dir))

    assert broken.bin_dir not in [one.bin_dir for one in find_installations()]


def test_each_installation_is_found_once() -> None:
    found = [(one.bin_dir / "postgres").resolve() for one in find_installations()]

    assert len(set(found)) == len(found)


def test_the_first_with_all_the_extensions_is_chosen(tmp_path: Path) -> None:
    poor = installation(tmp_path, "18.0", "citext")
    rich = installation(tmp_path, "17.0", "citext", "pgcrypto")

    assert poor == choose([poor, rich], {"citext"})
    assert rich == choose([poor, rich], {"citext", "pgcrypto"})


def test_among_them_that_with_most_of_what_the_setup_mentions_is_chosen(tmp_path: Path) -> None:
    poor = installation(tmp_path, "18.0", "citext")
    rich = installation(tmp_path, "17.0", "citext", "uuid-ossp")

    assert rich == choose([poor, rich], {"citext"}, 'CREATE EXTENSION "uuid-ossp";')
    assert poor == choose([poor, rich], {"citext"}, "CREATE SCHEMA auth;")


def test_one_that_was_built_with_icu_is_chosen_where_that_is_needed(tmp_path: Path) -> None:
    without, built_with = installation(tmp_path / "18", "18.6"), installation(tmp_path / "15", "15.9")
    with (built_with.bin_dir / "postgres").open("a") as server:
        server.write("# ucol_open_76\n")

    assert built_with == choose([without, built_with], {ICU})
    with pytest.raises(ScratchError, match="lacks ICU"):
        choose([without], {ICU})


def test_a_missing_extension_is_named_for_each_installation(tmp_path: Path) -> None:
    here = installation(tmp_path, "18.0", "citext")

    with pytest.raises(ScratchError, match=rf"18\.0 in {here.bin_dir} lacks postgis, vector") as caught:
        choose([here], {"vector", "citext", "postgis"})

    assert "TRUEUP_SCRATCH_URL" in caught.value.hint
    assert "[scratch] url" in caught.value.hint


def test_no_binaries_at_all_says_what_to_install() -> None:
    with pytest.raises(ScratchError, match="no PostgreSQL server binaries") as caught:
        choose([])

    assert "trueup[embedded]" in caught.value.hint


def test_share_files_that_are_missing_are_an_error(tmp_path: Path) -> None:
    here = installation(tmp_path, "18.0")
    (tmp_path / "18.0" / "share" / "postgres.bki").unlink()

    with pytest.raises(ScratchError, match=r"has no postgres\.bki"):
        _ = here.extensions
