"""Every command: its help, its one JSON document, and what it says to people."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from trueup import __version__
from trueup.cli.app import COMMANDS
from trueup_testing.chains import Files, MakeChain
from trueup_testing.command import Run
from trueup_testing.databases import execute, rows, value

pytestmark = pytest.mark.acceptance


CHAIN: Files = {
    "001_leads.sql": "CREATE TABLE leads (id serial PRIMARY KEY, name text NOT NULL);",
    "002_phone.sql": "ALTER TABLE leads ADD phone text;\nCREATE INDEX leads_phone ON leads (phone);",
}


@pytest.fixture
def shop(chain: MakeChain) -> Path:
    return chain(CHAIN)


def test_the_command_tells_its_version_and_its_commands(run: Run) -> None:
    version, listed = run("--version"), run("--help")

    assert (0, f"trueup {__version__}\n") == (version.code, version.out)
    assert 0 == listed.code
    assert all(re.search(rf"^  {name} ", listed.out, re.MULTILINE) for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(run: Run, name: str) -> None:
    answer = run(name, "--help")

    assert 0 == answer.code
    assert answer.out.startswith(f"Usage: trueup {name} ")
    assert len(answer.out.splitlines()) > 3
    assert not answer.err


@pytest.mark.parametrize(
    "arguments", [["fly"], ["up", "--fast"], ["accept"], ["new"], ["plan", "--phase", "x"], ["--migrations"], []]
)
def test_a_wrong_call_is_2_and_says_so_on_standard_error(run: Run, arguments: list[str]) -> None:
    answer = run(*arguments)

    assert 2 == answer.code
    assert answer.err
    assert not answer.out


DOCUMENTS: dict[str, tuple[list[str], set[str]]] = {
    "plan": (["plan"], {"steps", "conflicts", "drift", "true", "anchor"}),
    "up": (["up"], {"steps", "conflicts", "drift", "true", "anchor", "topology", "chosen", "ms"}),
    "backfill": (["backfill"], {"backfills"}),
    "backfill --all": (["backfill", "--all"], {"steps", "true"}),
    "index": (["index"], {"steps", "true"}),
    "status": (["status"], {"steps", "true"}),
    "check": (["check"], {"true"}),
    "history": (["history"], {"chain", "history"}),
    "lock": (["lock"], {"lock_file", "steps"}),
    "lock --check": (["lock", "--check"], {"fits"}),
    "new": (["new", "more"], {"file"}),
    "release-run-lock": (["release-run-lock"], {"chain", "released"}),
    "resolve": (["resolve", "2_leads_phone", "--applied"], {"steps"}),
    "lint": (["lint", "--all"], {"findings"}),
    "init": (["init"], {"migrations", "config"}),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_json_is_one_document_and_nothing_else(run: Run, shop: Path, database: str, name: str, tmp_path: Path) -> None:
    arguments, members = DOCUMENTS[name]
    where = ["--migrations", str(tmp_path / "fresh")] if name == "init" else ["--migrations", str(shop)]

    answer = run(*where, "--database-url", database, *arguments, "--json")

    assert answer.code in (0, 6)
    document, end = json.JSONDecoder().raw_decode(answer.out)
    assert "\n" == answer.out[end:]
    assert members <= document.keys()


def test_every_command_is_asked_for_its_document() -> None:
    asked = {name.split(maxsplit=1)[0] for name in DOCUMENTS} | {"accept"}  # which needs a difference: see below

    assert asked == set(COMMANDS)


@pytest.mark.parametrize(
    "arguments, code, kind",
    [
        (["--database-url", "postgresql:///x?host=/nowhere", "up"], 5, "connection_failed"),
        (["up"], 2, "usage"),
        (["--config", "nowhere.toml", "up"], 2, "usage"),
        (["--migrations", "nowhere", "--database-url", "postgresql:///x", "up"], 8, "lock_file"),
    ],
)
def test_an_error_is_one_document_too(run: Run, shop: Path, arguments: list[str], code: int, kind: str) -> None:
    where = [] if "--migrations" in arguments else ["--migrations", str(shop)]

    answer = run(*where, *arguments, "--json")

    assert code == answer.code
    error = answer.json["error"]
    assert (kind, code) == (error["code"], error["exit_code"])
    assert error["message"] in answer.err
    assert "hint" in error


@pytest.mark.parametrize("arguments", [["fly"], ["up", "--fast"]])
def test_a_wrong_call_is_one_document_too(run: Run, arguments: list[str]) -> None:
    answer = run("--json", *arguments)

    assert 2 == answer.code
    assert 2 == answer.json["error"]["exit_code"]


def test_standard_output_is_only_for_what_can_be_piped(run: Run, shop: Path, database: str) -> None:
    for command in ("plan", "up", "status", "history", "check", "lock"):
        answer = run("--migrations", shop, "--database-url", database, command)

        assert not answer.out, command
        assert answer.err, command
        assert "\x1b" not in answer.err, command


# --- a project from its beginning ---


def test_from_nothing_to_true(run: Run, database: str, tmp_path: Path) -> None:
    made = run("init")
    assert (0, True, True) == (made.code, (tmp_path / "trueup.toml").is_file(), (tmp_path / "migrations").is_dir())
    assert "trueup new" in made.err

    named = run("new", "Add leads & phones!")
    path = tmp_path / "migrations" / "001_add_leads_phones.sql"
    assert str(path.relative_to(tmp_path)) in named.err
    path.write_text(path.read_text() + "CREATE TABLE leads (id int);\n")
    assert "002_more" in run("new", "more").err

    locked = run("lock")
    assert (0, True) == (locked.code, (tmp_path / "migrations" / "trueup.lock").is_file())

    up = run("--database-url", database, "up")
    assert 0 == up.code
    assert "done 1_leads_table" in " ".join(up.err.split())
    assert "true: the database is what" in up.err
    assert value(database, "SELECT to_regclass('leads')::text") == "leads"


def test_init_touches_nothing_that_is_there(run: Run, tmp_path: Path) -> None:
    (tmp_path / "trueup.toml").write_text('[trueup]\nname = "mine"\n')

    assert 0 == run("init").code
    again = run("init")

    assert 2 == again.code
    assert "trueup new" in again.err
    assert 'name = "mine"' in (tmp_path / "trueup.toml").read_text()


@pytest.mark.parametrize(
    "there, name",
    [
        ("0009_x.sql", "0010_more.sql"),
        ("99_x.sql", "100_more.sql"),
        ("x.sql", "001_more.sql"),
    ],
)
def test_a_new_file_is_numbered_behind_the_last_one(run: Run, tmp_path: Path, there: str, name: str) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / there).write_text("SELECT 1;\n")

    assert 0 == run("new", "more").code

    assert (tmp_path / "migrations" / name).is_file()


def test_a_name_of_nothing_is_refused(run: Run) -> None:
    answer = run("new", "!!!")

    assert 2 == answer.code
    assert "nothing to make a file name of" in answer.err


def test_lock_starts_a_server_of_its_own_where_none_is_named(run: Run, chain: MakeChain) -> None:
    folder = chain(CHAIN, locked=False)

    answer = run("--migrations", folder, "lock", "--json", TRUEUP_SCRATCH_URL="")

    assert 0 == answer.code
    assert {"steps": 3, "learnt": 3} == {name: answer.json[name] for name in ("steps", "learnt")}


def test_lock_names_what_leaves_nothing_to_read(run: Run, chain: MakeChain) -> None:
    folder = chain({"1_a.sql": "CREATE TABLE a ();\nCREATE PUBLICATION p FOR ALL TABLES;"}, locked=False)

    answer = run("--migrations", folder, "lock")
    (warning,) = run("--migrations", folder, "lock", "--json").json["warnings"]

    assert 0 == answer.code
    assert "1_a.sql:2" in answer.err
    assert "done when" in answer.err
    assert ("1_a.sql", 2) == (warning["path"], warning["line"])
    assert "done when" in warning["message"]


# --- looking ---


def test_plan_and_status_and_check_write_nothing(run: Run, shop: Path, database: str) -> None:
    for command in ("plan", "status", "check", "history"):
        run("--migrations", shop, "--database-url", database, command)

    assert [] == rows(database, "SELECT nspname FROM pg_namespace WHERE nspname = 'trueup'")
    assert [(0,)] == rows(database, "SELECT count(*) FROM pg_stat_user_tables")


def test_plan_says_where_it_stands_what_will_be_sent_and_why(run: Run, shop: Path, database: str) -> None:
    execute(database, CHAIN["001_leads.sql"])

    answer = run("--migrations", shop, "--database-url", database, "plan")

    said = " ".join(answer.err.split())
    assert 0 == answer.code
    assert "stands after 1_leads_table (1 of 3 steps)" in said
    assert "run 2_leads_phone nothing of it is there ALTER TABLE leads ADD phone text;" in said


def test_plan_can_tell_by_its_exit_code(run: Run, shop: Path, database: str) -> None:
    where = ("--migrations", shop, "--database-url", database)

    assert 6 == run(*where, "plan", "--exit-code").code
    assert 0 == run(*where, "up").code
    assert 0 == run(*where, "plan", "--exit-code").code


def test_status_names_what_is_not_done(run: Run, shop: Path, database: str) -> None:
    where = ("--migrations", shop, "--database-url", database)
    before = run(*where, "status")
    run(*where, "up")
    after = run(*where, "status")

    assert "not up to date" in before.err
    assert "run       2_leads_phone" in before.err
    assert "true: the database is what shop describes" in after.err
    assert 0 == before.code == after.code


def test_history_tells_what_was_run_when_by_whom_how_long(run: Run, shop: Path, database: str) -> None:
    where = ("--migrations", shop, "--database-url", database)
    nothing = run(*where, "history")
    run(*where, "up")
    all_of_it, last = run(*where, "history", "--json").json, run(*where, "history", "--last", "1", "--json").json

    assert "nothing was run here" in nothing.err
    assert ["1_leads_table", "2_leads_phone", "2_leads_phone_2"] == [entry["id"] for entry in all_of_it["history"]]
    assert {"id", "verdict", "applied_at", "by", "run", "ms", "notes"} == set(all_of_it["history"][0])
    assert ["2_leads_phone_2"] == [entry["id"] for entry in last["history"]]
