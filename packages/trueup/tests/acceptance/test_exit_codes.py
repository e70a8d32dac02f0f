"""Bad input and bad luck: every exit code, and what is said."""

from __future__ import annotations

import socket

import psycopg
import pytest

from trueup_testing.chains import MakeChain
from trueup_testing.command import Run
from trueup_testing.databases import execute, name_of, rows, value

pytestmark = pytest.mark.acceptance

LEADS = {"001_leads.sql": "CREATE TABLE leads (id int PRIMARY KEY, name text);"}
CALLS = {"002_calls.sql": "CREATE TABLE calls (id int, lead_id int REFERENCES leads);"}


# --- 2: the migrations cannot be read ---


@pytest.mark.parametrize("command", [["lock"], ["lock", "--check"]])
def test_a_syntax_error_names_file_and_line(run: Run, chain: MakeChain, command: list[str]) -> None:
    folder = chain({"001_a.sql": "CREATE TABLE a ();\n\nCREAT TABLE b ();\n"}, locked=False)

    answer = run("--migrations", folder, *command)

    assert 2 == answer.code
    assert 'error: 001_a.sql:3: syntax error at or near "CREAT"' in answer.err
    assert "hint: Near: CREAT TABLE b ();" in answer.err


def test_a_step_that_does_not_run_on_the_scratch_server_is_named(run: Run, chain: MakeChain) -> None:
    folder = chain({"001_a.sql": "CREATE TABLE a ();\nALTER TABLE b ADD x int;\n"}, locked=False)

    answer = run("--migrations", folder, "lock", "--json")

    assert 2 == answer.code
    assert "1_b_x" == answer.json["error"]["step"]
    assert 'relation "b" does not exist (42P01)' in answer.err
    assert "001_a.sql:2" in answer.err


def test_no_url_says_how_to_give_one(run: Run, chain: MakeChain) -> None:
    answer = run("--migrations", chain(LEADS), "up")

    assert 2 == answer.code
    assert "DATABASE_URL" in answer.err


# --- 3: a person must decide ---


def test_somebody_else_s_database_is_left_alone_until_a_person_says_otherwise(
    run: Run, chain: MakeChain, database: str
) -> None:
    execute(database, "CREATE TABLE somebody_elses (id int)")
    where = ("--migrations", chain(LEADS), "--database-url", database)

    refused, planned = run(*where, "up"), run(*where, "plan")
    assert 3 == refused.code == planned.code
    assert "this database has 1 table, but none that the chain shop makes" in refused.err
    assert "--first-run" in refused.err
    assert [("somebody_elses",)] == rows(database, "SELECT relname::text FROM pg_stat_user_tables")

    assert 0 == run(*where, "plan", "--first-run").code
    assert 0 == run(*where, "up", "--first-run").code
    assert 0 == run(*where, "up").code


def test_a_conflict_stops_before_anything_is_run(run: Run, chain: MakeChain, database: str) -> None:
    first = chain(LEADS)
    assert 0 == run("--migrations", first, "--database-url", database, "up").code
    execute(database, "ALTER TABLE leads ALTER name TYPE varchar(7)")
    folder = chain({**CALLS, "003_name.sql": "ALTER TABLE leads ALTER name TYPE varchar(64);"})

    answer = run("--migrations", folder, "--database-url", database, "up", "--json")

    assert 3 == answer.code
    assert "conflict" == answer.json["error"]["code"]
    (conflict,) = answer.json["error"]["conflicts"]
    (difference,) = conflict["differences"]
    assert "3_leads_name_altercolumntype" == conflict["about"]
    assert ("character varying(64)", "character varying(7)") == (difference["wanted"], difference["found"])
    assert conflict["why"] in answer.err
    assert conflict["hint"] in answer.err
    assert value(database, "SELECT to_regclass('calls')") is None


def test_a_conflict_says_wanted_and_found_in_the_plan(run: Run, chain: MakeChain, database: str) -> None:
    chain(LEADS)
    run("--migrations", chain(LEADS), "--database-url", database, "up")
    execute(database, "ALTER TABLE leads ALTER name TYPE varchar(7)")
    folder = chain({"003_name.sql": "ALTER TABLE leads ALTER name TYPE varchar(64);"})

    answer = run("--migrations", folder, "--database-url", database, "plan")

    assert 0 == answer.code
    assert "character varying(64)" in answer.err
    assert "character varying(7)" in answer.err


def test_an_older_chain_on_a_newer_database_touches_nothing(run: Run, chain: MakeChain, database: str) -> None:
    newer = chain({**LEADS, **CALLS}, name="newer/shop")
    older = chain(LEADS, name="older/shop")
    assert 0 == run("--migrations", newer, "--database-url", database, "up").code
    execute(database, "DROP TABLE calls")

    for command in ("up", "plan", "check"):
        answer = run("--migrations", older, "--database-url", database, command)
        assert 3 == answer.code, command
        assert "ahead of this code" in answer.err
        assert "2_calls_table" in answer.err
    assert value(database, "SELECT to_regclass('calls')") is None


# --- 4: somebody else is at it ---


def test_a_lock_held_by_another_run_is_4_and_names_the_holder(run: Run, chain: MakeChain, database: str) -> None:
    folder = chain({**LEADS, **CALLS})
    (folder.parent / "trueup.toml").write_text('[run]\nlock_wait = "300ms"\n')
    assert 0 == run("--migrations", folder, "--database-url", database, "up", "--to", "1").code
    execute(
        database,
        "INSERT INTO trueup.run_lock (chain, token, holder, backend_pid, acquired_at, expires_at) "
        "VALUES ('shop', 99, 'elsewhere pid 7', pg_backend_pid(), now(), now() + interval '1 hour')",
    )

    answer = run("--migrations", folder, "--database-url", database, "up", "--json")

    assert 4 == answer.code
    assert answer.json["error"]["holder"].startswith("elsewhere pid 7")
    assert "Waiting for the migration lock, held by elsewhere pid 7" in answer.err
    assert "release-run-lock" in answer.err

    freed = run("--migrations", folder, "--database-url", database, "release-run-lock")
    assert "elsewhere pid 7" in freed.err
    assert 0 == run("--migrations", folder, "--database-url", database, "up").code
    assert "nobody holds" in run("--migrations", folder, "--database-url", database, "release-run-lock").err


# --- 5: no connection ---


def test_an_unreachable_server_is_5_and_its_url_has_no_password(run: Run, chain: MakeChain) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # bound, but nobody listens
        port = probe.getsockname()[1]
        url = f"postgresql://app:s3cret@127.0.0.1:{port}/shop"
        for command in (["up"], ["plan"], ["check"], ["status"], ["history"], ["up", "--json"]):
            answer = run("--migrations", chain(LEADS), "--database-url", url, *command)

            assert 5 == answer.code, command
            assert f"postgresql://app:***@127.0.0.1:{port}/shop" in answer.err
            assert "s3cret" not in answer.err + answer.out
            assert "hint:" in answer.err


def test_a_url_in_the_environment_is_shown_without_password_too(run: Run, chain: MakeChain) -> None:
    url = "postgresql://app:s3@cret@127.0.0.1:1/shop"
    answer = run("--migrations", chain(LEADS), "up", DATABASE_URL=url)

    assert 5 == answer.code
    assert "cret" not in answer.err


# --- 6: findings ---


def test_check_is_6_until_it_is_true(run: Run, chain: MakeChain, database: str) -> None:
    where = ("--migrations", chain(LEADS), "--database-url", database)

    before = run(*where, "check", "--json")
    run(*where, "up")
    after = run(*where, "check", "--json")
    execute(database, "ALTER TABLE leads ALTER name TYPE varchar(7)")
    drifted = run(*where, "check", "--json")

    assert [(6, False), (0, True), (6, False)] == [(a.code, a.json["true"]) for a in (before, after, drifted)]
    assert [True] == [drifted.json["up_to_date"]]
    assert ["column public.leads.name"] == [d["fact"] for d in drifted.json["drift"]]
    assert ("text", "character varying(7)") == tuple(drifted.json["drift"][0][k] for k in ("wanted", "found"))


@pytest.mark.parametrize(
    "change", [{"001_leads.sql": "CREATE TABLE leads (id bigint);"}, CALLS, {"001_leads.sql": "-- x"}]
)
def test_lock_check_is_6_where_the_lock_file_does_not_fit(run: Run, chain: MakeChain, change: dict[str, str]) -> None:
    assert 0 == run("--migrations", chain({**LEADS, "000_z.sql": "SELECT 1;"}), "lock", "--check").code
    folder = chain(change, locked=False)

    answer = run("--migrations", folder, "lock", "--check", "--json")

    assert 6 == answer.code
    assert not answer.json["fits"]
    assert answer.json["why"] in answer.err


# --- 7: drift under --strict ---


def test_drift_is_told_and_is_7_only_under_strict(run: Run, chain: MakeChain, database: str) -> None:
    where = ("--migrations", chain(LEADS), "--database-url", database)
    run(*where, "up")
    execute(database, "ALTER TABLE leads ALTER name SET DEFAULT 'x'")

    lenient, strict = run(*where, "up"), run(*where, "up", "--strict")

    assert (0, 7) == (lenient.code, strict.code)
    for answer in (lenient, strict):
        assert "default public.leads.name" in answer.err
        assert "'x'::text" in answer.err
        assert "up to date: every step is done, but 1 fact differs" in answer.err


def test_strict_is_0_where_it_is_true(run: Run, chain: MakeChain, database: str) -> None:
    where = ("--migrations", chain(LEADS), "--database-url", database)

    assert 0 == run(*where, "up", "--strict").code
    assert 0 == run(*where, "up", "--strict").code


# --- 8: the lock file ---


@pytest.mark.parametrize("command", ["up", "plan", "check", "status", "history"])
def test_a_missing_lock_file_is_8_and_names_the_command(
    run: Run, chain: MakeChain, database: str, command: str
) -> None:
    answer = run("--migrations", chain(LEADS, locked=False), "--database-url", database, command)

    assert 8 == answer.code
    assert "no lock file at" in answer.err
    assert "hint: Run `trueup lock`" in answer.err


@pytest.mark.parametrize("command", ["up", "plan", "check", "status"])
@pytest.mark.parametrize(
    "change, step",
    [
        ({"001_leads.sql": "CREATE TABLE leads (id bigint);"}, "1_leads_table"),
        (CALLS, "2_calls_table"),
    ],
)
def test_a_stale_lock_file_is_8_and_names_the_step(
    run: Run, chain: MakeChain, database: str, command: str, change: dict[str, str], step: str
) -> None:
    chain(LEADS)
    folder = chain(change, locked=False)

    answer = run("--migrations", folder, "--database-url", database, command, "--json")

    assert 8 == answer.code
    assert step == answer.json["error"]["step"]
    assert step in answer.err
    assert "trueup lock" in answer.err
    assert [] == rows(database, "SELECT 1 FROM pg_stat_user_tables")


@pytest.mark.parametrize("text", ["<<<<<<< HEAD\n", "", "trueup.lock 2 files=0 chain=shop grammar=17 scratch=18\n{}\n"])
def test_a_damaged_lock_file_is_8(run: Run, chain: MakeChain, database: str, text: str) -> None:
    folder = chain(LEADS)
    (folder / "trueup.lock").write_text(text)

    answer = run("--migrations", folder, "--database-url", database, "up")

    assert 8 == answer.code
    assert "trueup lock" in answer.err


# --- and not 70 ---


def test_a_table_that_somebody_holds_is_told_and_is_no_fault_of_ours(run: Run, chain: MakeChain, database: str) -> None:
    folder = chain({**LEADS, "002_v.sql": "CREATE VIEW v AS SELECT name FROM leads;"})
    assert 0 == run("--migrations", folder, "--database-url", database, "up").code
    execute(database, "COMMENT ON VIEW v IS 'x'")
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE leads IN ACCESS EXCLUSIVE MODE")
        answer = run("--migrations", folder, "--database-url", database, "check")

    assert answer.code not in (0, 70)
    assert "hint:" in answer.err


def test_a_role_that_may_do_nothing_is_told(run: Run, chain: MakeChain, database: str) -> None:
    execute(
        database,
        "DO $$ BEGIN CREATE ROLE trueup_test_nobody LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    )
    url = psycopg.conninfo.make_conninfo(database, user="trueup_test_nobody")

    answer = run("--migrations", chain(LEADS), "--database-url", url, "up")

    assert 3 == answer.code
    assert "trueup_test_nobody may make nothing in the schema public" in answer.err
    assert "hint: GRANT CREATE ON SCHEMA public TO trueup_test_nobody" in answer.err
    assert name_of(database) in url
