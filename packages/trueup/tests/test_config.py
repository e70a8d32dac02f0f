"""The configuration file, its flags and variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup.config import _VARIABLES, Config, load, seconds
from trueup.errors import UsageError

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def nothing_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _VARIABLES.values():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_without_a_file_the_defaults_hold() -> None:
    config = load(None)

    assert Config() == config
    assert Path("migrations") == config.folder
    assert (120.0, 0.15, 600.0) == (config.statement_timeout, config.lock_timeout, config.lock_wait)
    assert "on" == config.heal


def test_every_key_is_read_and_paths_are_the_file_s(tmp_path: Path) -> None:
    write(tmp_path / "app/setup.sql", "CREATE ROLE app;")
    path = write(
        tmp_path / "app/trueup.toml",
        """
        [trueup]
        name = "crm"
        migrations = "db/migrations"
        [scratch]
        url = "postgresql://scratch"
        setup = "setup.sql"
        [run]
        statement_timeout = "2min"
        lock_timeout = "100ms"
        lock_wait = "1h"
        heal = "off"
        """,
    )

    assert Config(
        folder=tmp_path / "app/db/migrations",
        name="crm",
        scratch_url="postgresql://scratch",
        setup="CREATE ROLE app;",
        statement_timeout=120.0,
        lock_timeout=0.1,
        lock_wait=3600.0,
        heal="off",
    ) == load(path)


@pytest.mark.parametrize("place", ["trueup.toml", "db/trueup.toml", "db/migrations/trueup.toml"])
def test_a_file_beside_the_migrations_is_found(tmp_path: Path, place: str) -> None:
    write(tmp_path / place, '[trueup]\nname = "found"')

    found = load(None, migrations="" if place == "trueup.toml" else "db/migrations")

    assert "found" == found.name


def test_the_flag_wins_over_variable_and_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "trueup.toml", '[trueup]\nmigrations = "a"')
    assert tmp_path / "a" == load(path).folder

    monkeypatch.setenv("TRUEUP_MIGRATIONS", "b")
    assert Path("b") == load(path).folder
    assert Path("c") == load(path, migrations="c").folder


def test_every_key_has_a_variable_that_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(
        tmp_path / "app/trueup.toml",
        """
        [trueup]
        name = "file"
        migrations = "file"
        [scratch]
        url = "file"
        setup = "file.sql"
        [run]
        statement_timeout = "1s"
        lock_timeout = "1s"
        lock_wait = "1s"
        lock_budget = "1s"
        big_rows = "1"
        big_size = "1"
        heal = "on"
        """,
    )
    write(tmp_path / "setup.sql", "SELECT 1;")
    texts = ["crm", "db", "postgresql://scratch", "setup.sql", "2s", "3s", "4s", "5s", "600", "7MB", "off"]
    for name, text in zip(_VARIABLES.values(), texts, strict=True):
        monkeypatch.setenv(name, text)

    assert Config(
        folder=Path("db"),
        name="crm",
        scratch_url="postgresql://scratch",
        setup="SELECT 1;",
        statement_timeout=2.0,
        lock_timeout=3.0,
        lock_wait=4.0,
        lock_budget=5.0,
        big_rows=600,
        big_size=7 << 20,
        heal="off",
    ) == load(path)


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUEUP_HEAL", "maybe")

    with pytest.raises(UsageError, match="TRUEUP_HEAL: heal is on, new, off, not 'maybe'"):
        load(None)


@pytest.mark.parametrize(
    "text, says",
    [
        ("[trueup", "trueup.toml: "),
        ("[trueup]\nmigration = 'x'", "nothing is called migration"),
        ("[database]\nurl = 'x'", "nothing is called database"),
        ("[run]\nlock_timeout = 'soon'", "'soon' is no duration"),
        ("[run]\nbig_size = '8 elephants'", "'8 elephants' is no number"),
        ("[scratch]\nsetup = 'gone.sql'", "gone.sql"),
        ("[scratch]\nsetup = 'firebase'", "firebase"),
        ("trueup = 1", "trueup"),
        ("[run]\nheal = 'maybe'", "maybe"),
        ("[trueup]\nmigrations = 5", "migrations"),
    ],
)
def test_a_wrong_file_is_told_in_plain_words(tmp_path: Path, text: str, says: str) -> None:
    path = write(tmp_path / "trueup.toml", text)

    with pytest.raises(UsageError, match=says) as caught:
        load(path)

    assert 2 == caught.value.exit_code


def test_a_named_file_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no configuration file at"):
        load(tmp_path / "other.toml")


@pytest.mark.parametrize(
    "text, expected", [("200ms", 0.2), ("120s", 120.0), ("10min", 600.0), ("1h", 3600.0), ("1.5 s", 1.5), (30, 30.0)]
)
def test_durations(text: str | int, expected: float) -> None:
    assert expected == seconds(text)


@pytest.mark.parametrize("text", ["", "soon", "-5s", "5 weeks", "s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError, match="is no duration") as caught:
        seconds(text)

    assert "120s" in caught.value.hint
