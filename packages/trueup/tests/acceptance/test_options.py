"""What can be asked of a run, and a person's word."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup_testing.chains import MakeChain
from trueup_testing.command import Answer, Run
from trueup_testing.databases import execute, rows, value

pytestmark = pytest.mark.acceptance

Where = tuple[object, ...]

FILES = {
    "001_leads.sql": "CREATE TABLE leads (id int PRIMARY KEY, tel text);",
    "002_phone.sql": "ALTER TABLE leads ADD phone text;\nUPDATE leads SET phone = tel;",
    "003_calls.sql": "CREATE TABLE calls (id int);",
    "004_tel.sql": "-- phase: contract\nALTER TABLE leads DROP tel;",
    "005_notes.sql": "CREATE TABLE notes (id int);",
}


@pytest.fixture
def where(chain: MakeChain, database: str) -> Where:
    return "--migrations", chain(FILES), "--database-url", database


def done(url: str) -> list[str]:
    return [str(name) for (name,) in rows(url, "SELECT migration_id FROM trueup.schema_migrations ORDER BY position")]


def verdicts(answer: Answer) -> dict[str, str]:
    return {step["id"]: step["verdict"] for step in answer.json["steps"]}


# --- --to ---


@pytest.mark.parametrize(
    "target, last",
    [
        ("2", "2_update_leads"),
        ("002_phone", "2_update_leads"),
        ("2_leads_phone", "2_leads_phone"),
        ("1_leads_table", "1_leads_table"),
    ],
)
def test_to_a_step_or_a_migration(run: Run, where: Where, database: str, target: str, last: str) -> None:
    answer = run(*where, "up", "--to", target, "--json")

    assert 0 == answer.code, answer.err
    assert (True, target) == (answer.json["true"], answer.json["to"])
    assert last == done(database)[-1]
    assert f"is what shop describes up to {target}" in run(*where, "up", "--to", target).err
    assert 0 == run(*where, "up", "--strict").code
    assert "5_notes_table" == done(database)[-1]


def test_to_something_unknown_is_a_wrong_call(run: Run, where: Where, database: str) -> None:
    answer = run(*where, "up", "--to", "99_nothing")

    assert 2 == answer.code
    assert "no step is called 99_nothing" in answer.err
    assert [] == rows(database, "SELECT 1 FROM pg_stat_user_tables")


def test_to_what_is_done_already_undoes_nothing(run: Run, where: Where, database: str) -> None:
    assert 0 == run(*where, "up").code

    answer = run(*where, "up", "--to", "1", "--json")

    assert 0 == answer.code, answer.err
    assert [] == [step for step in answer.json["steps"] if step["statements"]]
    assert value(database, "SELECT to_regclass('notes')::text") == "notes"


# --- --phase ---


def test_contract_steps_wait_until_they_are_asked_for(run: Run, where: Where, database: str) -> None:
    first = run(*where, "up", "--json")

    assert (0, True) == (first.code, first.json["true"])
    assert "blocked" == verdicts(first)["4_leads_tel_dropcolumn"]
    assert "5_notes_table" in done(database)
    assert 0 == run(*where, "check").code
    assert 6 == run(*where, "check", "--phase", "contract").code

    second = run(*where, "up", "--phase", "contract", "--json")

    assert (0, True) == (second.code, second.json["true"])
    assert "run" == verdicts(second)["4_leads_tel_dropcolumn"]
    assert [("id",), ("phone",)] == rows(
        database,
        "SELECT attname::text FROM pg_attribute WHERE attrelid = 'leads'::regclass AND attnum > 0 AND NOT attisdropped",
    )
    assert 0 == run(*where, "check", "--phase", "contract").code
    assert 0 == run(*where, "up", "--strict").code
    assert 0 == run(*where, "check").code


# --- data steps ---


def test_data_steps_run_once(run: Run, where: Where, database: str) -> None:
    execute(database, FILES["001_leads.sql"], "INSERT INTO leads VALUES (1, '03-1')")
    assert 0 == run(*where, "up").code
    execute(database, "UPDATE leads SET phone = 'changed'")
    execute(database, "DROP TABLE notes")
    execute(database, "CREATE TABLE notes (id int)")

    assert 0 == run(*where, "up", "--strict").code

    assert [("03-1", "changed")] == rows(database, "SELECT tel, phone FROM leads")


def test_on_a_database_without_a_ledger_they_are_assumed_where_all_around_is_there(
    run: Run, where: Where, database: str
) -> None:
    execute(database, *(sql for name, sql in FILES.items() if name < "004"))
    execute(database, "INSERT INTO leads VALUES (1, '03-1', 'mine')")

    answer = run(*where, "up", "--json")

    assert 0 == answer.code, answer.err
    assert "assume" == verdicts(answer)["2_update_leads"]
    assert [("mine",)] == rows(database, "SELECT phone FROM leads")


def test_a_done_when_query_decides(run: Run, chain: MakeChain, database: str) -> None:
    files = {
        "001_a.sql": "CREATE TABLE a (x int, y int);",
        "002_b.sql": "-- done when: SELECT NOT EXISTS (SELECT FROM a WHERE y IS NULL)\nUPDATE a SET y = x;",
        "003_c.sql": "CREATE TABLE c (id int);",
    }
    where = ("--migrations", chain(files), "--database-url", database)
    execute(database, files["001_a.sql"], files["003_c.sql"], "INSERT INTO a VALUES (1, NULL)")

    pending = run(*where, "plan", "--json")
    execute(database, "UPDATE a SET y = 7")
    finished = run(*where, "plan", "--json")

    assert ("run", "reconcile") == (verdicts(pending)["2_update_a"], verdicts(finished)["2_update_a"])
    assert "done when" in next(s["reason"] for s in pending.json["steps"] if s["id"] == "2_update_a")
    assert 0 == run(*where, "up", "--strict").code
    assert [(1, 7)] == rows(database, "SELECT x, y FROM a")


# --- resolve ---


@pytest.fixture
def doubtful(chain: MakeChain, database: str) -> Where:
    """A data step of which nobody can say from the catalog whether it ran."""
    files = {
        "001_a.sql": "CREATE TABLE a (x int, y int);",
        "002_b.sql": "CREATE TABLE b (id int);",
        "003_c.sql": "UPDATE a SET x = x + 1, y = 0;",
        "004_d.sql": "CREATE TABLE d (id int);",
        "005_e.sql": "CREATE TABLE e (id int);",
    }
    execute(database, *(sql for name, sql in files.items() if name != "003_c.sql"))
    execute(database, "ALTER TABLE a DROP y", "INSERT INTO a VALUES (1)")
    return "--migrations", chain(files), "--database-url", database


def test_a_conflict_names_the_command_that_resolves_it(run: Run, doubtful: Where, database: str) -> None:
    answer = run(*doubtful, "up")

    assert 3 == answer.code
    assert "trueup resolve 3_update_a --applied" in answer.err
    assert [] == rows(database, "SELECT nspname FROM pg_namespace WHERE nspname = 'trueup'")


def test_a_person_says_that_it_is_applied(run: Run, doubtful: Where, database: str) -> None:
    resolved = run(*doubtful, "resolve", "3_update_a", "--applied")

    assert 0 == resolved.code, resolved.err
    assert 0 == run(*doubtful, "up", "--strict").code
    assert [(1, None)] == rows(database, "SELECT x, y FROM a")
    notes = value(database, "SELECT notes FROM trueup.schema_migrations WHERE migration_id = '3_update_a'")
    assert "a person said" in str(notes)


def test_a_person_says_that_it_has_to_run(run: Run, doubtful: Where, database: str) -> None:
    execute(database, "ALTER TABLE a ADD y int")

    resolved = run(*doubtful, "resolve", "3_update_a", "--run")

    assert 0 == resolved.code, resolved.err
    assert [(2, 0)] == rows(database, "SELECT x, y FROM a")
    assert 0 == run(*doubtful, "up", "--strict").code
    assert [(2, 0)] == rows(database, "SELECT x, y FROM a")


def test_what_is_marked_is_not_run_again_on_a_word(run: Run, doubtful: Where, database: str) -> None:
    run(*doubtful, "resolve", "3_update_a", "--applied")

    again = run(*doubtful, "resolve", "3_update_a", "--run")

    assert 2 == again.code
    assert "3_update_a: marked in the ledger as done; nothing was run" in again.err
    assert "DELETE FROM trueup.schema_migrations" in again.err
    assert [(1,)] == rows(database, "SELECT x FROM a")


def test_what_was_marked_runs_again_on_a_word_once_its_mark_is_taken_back(
    run: Run, doubtful: Where, database: str
) -> None:
    run(*doubtful, "resolve", "3_update_a", "--applied")
    run(*doubtful, "up")
    execute(database, "DELETE FROM trueup.schema_migrations WHERE migration_id = '3_update_a'")

    again = run(*doubtful, "resolve", "3_update_a", "--run")

    assert 0 == again.code, again.err
    assert [(2,)] == rows(database, "SELECT x FROM a")


def test_all_data_steps_can_be_said_to_be_applied_at_once(run: Run, doubtful: Where, database: str) -> None:
    resolved = run(*doubtful, "resolve", "--all-data", "--applied", "--json")

    assert 0 == resolved.code, resolved.err
    assert resolved.json["steps"]
    assert 0 == run(*doubtful, "up", "--strict").code
    assert [(1, None)] == rows(database, "SELECT x, y FROM a")


@pytest.mark.parametrize(
    "arguments", [["3_update_a"], ["--applied"], ["no_such_step", "--applied"], ["3_update_a", "--applied", "--walk"]]
)
def test_a_word_that_says_nothing_is_a_wrong_call(run: Run, doubtful: Where, arguments: list[str]) -> None:
    answer = run(*doubtful, "resolve", *arguments)

    assert 2 == answer.code
    assert answer.err


# --- accept ---


def test_known_drift_is_accepted_by_name_and_value(run: Run, where: Where, database: str) -> None:
    assert 0 == run(*where, "up").code
    execute(database, "ALTER TABLE calls ALTER id TYPE bigint", "ALTER TABLE notes ALTER id SET DEFAULT 7")
    assert 6 == run(*where, "check").code

    accepted = run(*where, "accept", "column public.calls.id", "--because", "a partner's export needs it", "--json")
    assert 0 == accepted.code, accepted.err
    path = Path(accepted.json["file"])
    assert path.parent == Path(str(where[1]))
    assert "a partner's export needs it" in path.read_text()
    left = run(*where, "check", "--json")
    assert (6, ["default public.notes.id"]) == (left.code, [d["fact"] for d in left.json["drift"]])
    assert ["column public.calls.id"] == [d["fact"] for d in left.json["accepted"]]

    assert 0 == run(*where, "accept", "default public.notes.id", "--because", "so be it").code
    assert 0 == run(*where, "check").code
    assert 0 == run(*where, "up", "--strict").code

    execute(database, "ALTER TABLE calls ALTER id TYPE numeric")
    assert 7 == run(*where, "up", "--strict").code
    assert 6 == run(*where, "check").code


def test_only_what_differs_can_be_accepted(run: Run, where: Where) -> None:
    run(*where, "up")

    answer = run(*where, "accept", "table public.leads", "--because", "x")

    assert 2 == answer.code
    assert "nothing differs that is called 'table public.leads'" in answer.err


# --- older ledgers, other chains ---


def test_marks_of_an_older_ledger_are_taken_over(run: Run, chain: MakeChain, database: str) -> None:
    files = {
        "001_a.sql": "CREATE TABLE a (x int);",
        "002_b.sql": "-- step: fill (was 2b)\nUPDATE a SET x = x + 1;",
        "003_c.sql": "CREATE TABLE c (id int);",
    }
    execute(
        database,
        files["001_a.sql"],
        "INSERT INTO a VALUES (1)",
        "CREATE TABLE schema_migrations (migration_id text, applied_at timestamptz, success boolean, "
        "reconciled boolean, notes text)",
        "INSERT INTO schema_migrations VALUES ('1_a_table', now(), true, false, ''), ('2b', now(), true, false, ''),"
        " ('3_c_table', now(), false, false, 'it failed')",
    )
    where = ("--migrations", chain(files), "--database-url", database)

    assert 0 == run(*where, "up", "--strict").code

    assert [(1,)] == rows(database, "SELECT x FROM a")
    assert [("1_a_table", "adopted"), ("2_fill", "adopted"), ("3_c_table", "run")] == rows(
        database, "SELECT migration_id, verdict FROM trueup.schema_migrations ORDER BY position"
    )
    assert [(3,)] == rows(database, "SELECT count(*) FROM schema_migrations")


def test_two_chains_live_in_one_database(run: Run, chain: MakeChain, database: str) -> None:
    one = ("--migrations", chain({"001_a.sql": "CREATE TABLE a (x int);"}, name="one"), "--database-url", database)
    two = ("--migrations", chain({"001_b.sql": "CREATE TABLE b (x int);"}, name="two"), "--database-url", database)

    assert 0 == run(*one, "up", "--strict").code
    assert 3 == run(*two, "up", "--strict").code
    assert 0 == run(*two, "up", "--strict", "--first-run").code
    assert (0, 0) == (run(*one, "check").code, run(*two, "check").code)
    assert ["a_table"] == [entry["id"][2:] for entry in run(*one, "history", "--json").json["history"]]


def test_a_configuration_beside_the_migrations_is_used(run: Run, chain: MakeChain, database: str) -> None:
    folder = chain({"001_a.sql": "CREATE TABLE auth.a (x int REFERENCES auth.users);"}, locked=False)
    (folder.parent / "setup.sql").write_text("CREATE SCHEMA auth; CREATE TABLE auth.users (id int PRIMARY KEY);")
    (folder.parent / "trueup.toml").write_text('[trueup]\nname = "crm"\n[scratch]\nsetup = "setup.sql"\n')
    execute(database, "CREATE SCHEMA auth", "CREATE TABLE auth.users (id int PRIMARY KEY)")
    where = ("--migrations", folder, "--database-url", database)

    assert 0 == run(*where, "lock").code
    answer = run(*where, "up", "--strict", "--first-run", "--json")

    assert 0 == answer.code, answer.err
    assert "crm" == answer.json["chain"]
    assert "crm" == run("--database-url", database, "check", "--json", cwd=folder.parent).json["chain"]
