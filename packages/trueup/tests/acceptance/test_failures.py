"""Steps that fail, and what is there afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from trueup_testing.chains import Locksmith, MakeChain
from trueup_testing.command import TRUEUP, Run, clean_environment
from trueup_testing.databases import execute, rows, value
from trueup_testing.schema import dump

pytestmark = pytest.mark.acceptance

FILES = {
    "001_leads.sql": "CREATE TABLE leads (id int PRIMARY KEY, phone text);",
    "002_calls.sql": "CREATE TABLE calls (id int);",
    "003_phone.sql": "ALTER TABLE leads ADD fax text;\n\nALTER TABLE leads ADD CONSTRAINT dialled CHECK (phone <> '');",
    "004_notes.sql": "CREATE TABLE notes (id int);",
    "005_view.sql": "CREATE VIEW dialled AS SELECT id FROM leads WHERE phone <> '';",
}


@pytest.fixture
def url(run: Run, chain: MakeChain, database: str) -> str:
    """A database with the first file done and a row that the third one cannot bear."""
    folder = chain({"001_leads.sql": FILES["001_leads.sql"]})
    assert 0 == run("--migrations", folder, "--database-url", database, "up").code
    execute(database, "INSERT INTO leads VALUES (1, '')")
    return database


def tables(url: str) -> list[str]:
    query = "SELECT relname FROM pg_stat_user_tables WHERE schemaname = 'public' ORDER BY 1"
    return [str(name) for (name,) in rows(url, query)]


def test_a_step_that_fails_keeps_what_was_before_and_is_itself_undone(run: Run, chain: MakeChain, url: str) -> None:
    answer = run("--migrations", chain(FILES), "--database-url", url, "up", "--json")

    assert 1 == answer.code
    error = answer.json["error"]
    assert ("step_failed", "3_dialled", "23514") == (error["code"], error["step"], error["sqlstate"])
    assert "CHECK (phone <> '')" in error["statement"]
    assert "3_dialled (003_phone.sql:3) failed" in answer.err
    assert "[23514]" in answer.err
    assert "CHECK (phone <> '')" in answer.err
    assert "hint: Rows that are there break what the step wants" in answer.err
    assert ["calls", "leads"] == tables(url)
    assert [("1_leads_table",), ("2_calls_table",), ("3_leads_fax",)] == rows(
        url, "SELECT migration_id FROM trueup.schema_migrations ORDER BY position"
    )
    assert [(1, "", None)] == rows(url, "SELECT * FROM leads")


def test_a_run_after_mending_goes_on_from_there(run: Run, chain: MakeChain, url: str) -> None:
    where = ("--migrations", chain(FILES), "--database-url", url)
    assert 1 == run(*where, "up").code
    assert 1 == run(*where, "up").code
    execute(url, "UPDATE leads SET phone = '1'")

    answer = run(*where, "up", "--json")

    assert 0 == answer.code, answer.err
    assert answer.json["true"]
    sent = [step["id"] for step in answer.json["steps"] if step["statements"]]
    assert ["3_dialled", "4_notes_table", "5_dialled_view"] == sent


def test_what_a_later_step_has_made_early_and_rows_do_not_fit_is_a_persons_matter(
    run: Run, chain: MakeChain, database: str
) -> None:
    steps = [
        "CREATE TABLE calls (id int);",
        "INSERT INTO leads VALUES (1, '1'), (2, '1');",
        "DELETE FROM leads WHERE id = 2;",
        "CREATE UNIQUE INDEX one ON leads (phone);",
    ]
    where = ("--database-url", database, "up")
    assert 0 == run("--migrations", chain({"001_leads.sql": FILES["001_leads.sql"]}), *where).code
    folder = chain({"001_leads.sql": FILES["001_leads.sql"], "002_one.sql": "\n".join(steps)})
    execute(database, steps[-1])
    assert 3 == run("--migrations", folder, *where).code

    refused = run("--migrations", folder, *where, "--json")  # no mark of what is there says that it has run

    assert 3 == refused.code, refused.err
    conflict = refused.json["error"]["conflicts"][0]
    assert "2_insert_leads" == conflict["about"]
    assert ["index public.one", "2_one"] == [conflict["differences"][0][name] for name in ("fact", "origin")]
    execute(database, conflict["hint"].split("`")[1])
    answer = run("--migrations", folder, *where)
    assert 0 == answer.code, answer.err
    assert [(1, "1")] == rows(database, "SELECT * FROM leads")


def test_rows_refused_behind_what_is_only_taken_as_done_are_a_persons_matter(
    run: Run, chain: MakeChain, database: str
) -> None:
    needs = "UPDATE plans SET seats = (SELECT seats FROM plans WHERE id = 1);"
    files = {
        "001_plans.sql": "CREATE TABLE plans (id int PRIMARY KEY, seats int NOT NULL);",
        "002_first.sql": "INSERT INTO plans VALUES (1, 5);",
        "003_others.sql": "\n".join(f"CREATE TABLE other_{n} ();" for n in range(9)),
        "004_copy.sql": f"CREATE TABLE calls (id int);\n{needs}",
    }
    where = ("--migrations", chain(files), "--database-url", database)
    execute(database, files["001_plans.sql"], "INSERT INTO plans VALUES (7, 7)", files["003_others.sql"])

    for refused in (run(*where, "up", "--json") for _ in "12"):
        assert 3 == refused.code, refused.err
        conflict = refused.json["error"]["conflicts"][0]
        assert "4_update_plans" == conflict["about"]
        assert conflict["why"].startswith(
            "2_insert_plans, on its tables, is only taken as done, and the server refuses"
        )
    assert ["calls", *(f"other_{n}" for n in range(9)), "plans"] == tables(database)
    assert 0 == run(*where, "resolve", "4_update_plans", "--applied").code
    assert 0 == run(*where, "up", "--strict").code
    more = chain({**files, "005_again.sql": needs})  # what was proved since is as good as run
    assert 1 == run("--migrations", more, "--database-url", database, "up").code


KEY = "CREATE TABLE plans (id int PRIMARY KEY, seats int);\nCREATE TABLE shops (plan int);"
HANGS = {
    "a generated column": (
        "ALTER TABLE plans ALTER seats TYPE bigint;",
        "ALTER TABLE plans ADD COLUMN more bigint GENERATED ALWAYS AS (seats + 1) STORED;",
    ),
    "an identity": (
        "ALTER TABLE plans ALTER id SET DEFAULT 7;\nALTER TABLE plans ALTER id DROP DEFAULT;",
        "ALTER TABLE plans ALTER id ADD GENERATED BY DEFAULT AS IDENTITY;",
    ),
    "a foreign key": (
        "ALTER TABLE plans DROP CONSTRAINT plans_pkey;\nALTER TABLE plans ADD CONSTRAINT plans_pkey PRIMARY KEY (id);",
        "ALTER TABLE shops ADD CONSTRAINT shops_plan FOREIGN KEY (plan) REFERENCES plans (id);",
    ),
}


@pytest.mark.parametrize("what", HANGS)
def test_what_hangs_on_what_a_step_changes_is_named(run: Run, chain: MakeChain, database: str, what: str) -> None:
    change, late = HANGS[what]
    others = "\n".join(f"CREATE TABLE other_{n} ();" for n in range(5))
    folder = chain({"001_key.sql": KEY, "002_change.sql": f"{others}\n{change}", "003_late.sql": late})
    execute(database, KEY, late)

    refused = run("--migrations", folder, "--database-url", database, "up", "--json")

    assert 3 == refused.code, refused.err
    execute(database, refused.json["error"]["conflicts"][0]["hint"].split("`")[1])
    assert 0 == run("--migrations", folder, "--database-url", database, "up", "--strict").code


def test_mending_the_migration_goes_on_from_there_too(
    run: Run, chain: MakeChain, url: str, locksmith: Locksmith
) -> None:
    folder = chain(FILES)
    assert 1 == run("--migrations", folder, "--database-url", url, "up").code
    path = folder / "003_phone.sql"
    path.write_text(path.read_text().replace("CHECK (phone <> '')", "CHECK (phone IS NOT NULL)"))
    locksmith.lock(folder)

    assert 0 == run("--migrations", folder, "--database-url", url, "up", "--strict").code


def test_keep_going_does_what_does_not_depend_on_it(run: Run, chain: MakeChain, url: str) -> None:
    where = ("--migrations", chain(FILES), "--database-url", url)

    answer = run(*where, "up", "--keep-going")

    assert 1 == answer.code
    assert "going on with what does not depend on it" in answer.err
    assert "not run: 5_dialled" in answer.err
    assert ["calls", "leads", "notes"] == tables(url)
    assert value(url, "SELECT to_regclass('dialled')") is None
    execute(url, "UPDATE leads SET phone = '1'")
    assert 0 == run(*where, "up", "--strict").code


def test_a_block_that_fails_is_undone_as_a_whole(run: Run, chain: MakeChain, url: str) -> None:
    block = "BEGIN;\nCREATE TABLE a (id int);\nINSERT INTO a SELECT 1 / length(phone) FROM leads;\nCOMMIT;"
    folder = chain({"001_leads.sql": FILES["001_leads.sql"], "002_block.sql": block})

    answer = run("--migrations", folder, "--database-url", url, "up", "--json")

    assert (1, "22012") == (answer.code, answer.json["error"]["sqlstate"])
    assert ["leads"] == tables(url)


def test_a_concurrent_build_that_failed_is_finished_later(run: Run, chain: MakeChain, url: str) -> None:
    folder = chain(
        {
            "001_leads.sql": FILES["001_leads.sql"],
            "002_index.sql": "CREATE UNIQUE INDEX CONCURRENTLY leads_phone ON leads (phone);",
            "003_notes.sql": FILES["004_notes.sql"],
        }
    )
    where = ("--migrations", folder, "--database-url", url)
    execute(url, "INSERT INTO leads VALUES (2, '')")

    first = run(*where, "up", "--json")
    assert (1, "23505") == (first.code, first.json["error"]["sqlstate"])
    assert 6 == run(*where, "check").code

    execute(url, "UPDATE leads SET phone = id")
    assert 0 == run(*where, "up", "--strict").code
    assert [(True,)] == rows(url, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'leads_phone'::regclass")


def test_ctrl_c_undoes_the_step_and_frees_the_lock(run: Run, chain: MakeChain, database: str) -> None:
    folder = chain(
        {
            "001_a.sql": "CREATE TABLE a (id int);",
            "002_b.sql": "CREATE TABLE b AS SELECT id FROM a WHERE pg_sleep(id) IS NOT NULL;",
            "003_c.sql": "CREATE TABLE c (id int);",
        }
    )
    where = ["--migrations", str(folder), "--database-url", database]
    assert 0 == run(*where, "up", "--to", "1").code
    execute(database, "INSERT INTO a VALUES (60)")
    with subprocess.Popen(
        [TRUEUP, *where, "up"],
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - ignored in background jobs
    ) as running:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
        wait_until(lambda: value(database, query) == 1)
        os.kill(running.pid, signal.SIGINT)
        _, said = running.communicate(timeout=30)

    assert 130 == running.returncode
    assert "interrupted" in said
    assert "Traceback" not in said
    wait_until(lambda: value(database, query) == 0)
    assert ["a"] == tables(database)
    assert [] == rows(database, "SELECT holder FROM trueup.run_lock")
    execute(database, "DELETE FROM a")
    assert 0 == run(*where, "up", "--strict").code


def test_a_run_that_was_killed_is_taken_over_when_its_lease_is_over(run: Run, chain: MakeChain, database: str) -> None:
    folder = chain({"001_a.sql": "CREATE TABLE a (id int);", "002_b.sql": "CREATE TABLE b (id int);"})
    where = ("--migrations", folder, "--database-url", database)
    assert 0 == run(*where, "up", "--to", "1").code
    execute(
        database,
        "INSERT INTO trueup.run_lock (chain, token, holder, backend_pid, acquired_at, expires_at) "
        "VALUES ('shop', 99, 'gone pid 7', 1, now() - interval '1 h', now() + interval '6 s')",
    )

    started = time.monotonic()
    answer = run(*where, "up")

    assert 0 == answer.code, answer.err
    assert "held by gone pid 7" in answer.err
    assert time.monotonic() - started < 60


def test_ten_first_runs_at_once_all_end_well(chain: MakeChain, database: str) -> None:
    folder = chain({f"{n:03}_t.sql": f"CREATE TABLE t{n} (id int);" for n in range(1, 6)})
    command = [str(TRUEUP), "--migrations", str(folder), "--database-url", database, "up"]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=clean_environment()) for _ in range(10)]
    said = [process.communicate(timeout=120)[1] for process in running]

    assert [0] * 10 == [process.returncode for process in running], said
    assert 5 == len(tables(database))
    assert [(5,)] == rows(database, "SELECT count(*) FROM trueup.schema_migrations")
    assert 5 == sum(text.count("done      ") for text in said)


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for something, but not for ever."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


BESIDE = {
    "ALTER TABLE a DROP COLUMN x": "view public.report",
    "ALTER TABLE a ADD y int;\nALTER TABLE a ALTER x TYPE varchar(9)": "view public.report",
    "BEGIN;\nALTER TABLE a ADD y int;\nALTER TABLE a DROP x;\nCOMMIT": "view public.report",
    "DROP TABLE a": "table public.mine by its foreign key",
}


@pytest.mark.parametrize("pending", BESIDE)
def test_what_somebody_made_beside_the_chain_is_named_before_anything_is_run(
    run: Run, chain: MakeChain, database: str, pending: str
) -> None:
    first = "CREATE TABLE a (id int PRIMARY KEY, x text, z text);"
    execute(database, first, "CREATE VIEW report AS SELECT x FROM a", "CREATE TABLE mine (a int REFERENCES a)")
    before = dump(database)

    answer = run(
        "--migrations", chain({"001_a.sql": first, "002_b.sql": f"{pending};"}), "--database-url", database, "up"
    )

    assert 3 == answer.code
    assert f"{BESIDE[pending]}, which no step makes, hangs on it" in " ".join(answer.err.split())
    assert before == dump(database)


def test_what_hangs_beside_what_goes_is_nobodys_matter(run: Run, chain: MakeChain, database: str) -> None:
    files = {
        "001_a.sql": "CREATE TABLE a (id int PRIMARY KEY, x text, z text);\nCREATE VIEW v AS SELECT z FROM a;",
        "002_b.sql": "ALTER TABLE a DROP COLUMN x;\nALTER TABLE a RENAME id TO key;\nDROP VIEW v;",
        "003_c.sql": "ALTER TABLE a DROP COLUMN z CASCADE;",
    }
    execute(database, files["001_a.sql"], "CREATE VIEW report AS SELECT id FROM a")

    answer = run("--migrations", chain(files), "--database-url", database, "up", "--strict")

    assert 0 == answer.code, answer.err


ADDED = {
    "an index": (
        "CREATE UNIQUE INDEX mine ON a (x)",
        "INSERT INTO a VALUES (2, 'b');",
        "by index public.mine, which no",
    ),
    "a column": (
        "ALTER TABLE a ADD mine int NOT NULL",
        "INSERT INTO a (id) VALUES (2);",
        "value to public.a.mine, which no",
    ),
    "a partition": (
        "CREATE TABLE mine PARTITION OF p FOR VALUES IN (1)",
        "CREATE TABLE p_1 PARTITION OF p FOR VALUES IN (1);",
        "public.mine, which no step makes, has its bounds",
    ),
    "a name": (
        "ALTER TABLE a RENAME TO mine",
        "ALTER TABLE a ADD y int;",
        "public.mine, which no step makes, has its columns",
    ),
}


@pytest.mark.parametrize("what", ADDED)
def test_what_somebody_added_is_named_before_anything_is_run(
    run: Run, chain: MakeChain, database: str, what: str
) -> None:
    first = "CREATE TABLE a (id int PRIMARY KEY, x text);\nCREATE TABLE p (id int) PARTITION BY LIST (id);"
    added, pending, said = ADDED[what]
    execute(database, first, added, "INSERT INTO a VALUES (1, 'b')" if what == "an index" else "SELECT")
    before = dump(database)
    files = {"001_a.sql": first, "002_b.sql": f"CREATE TABLE b (id int);\n{pending}"}

    answer = run("--migrations", chain(files), "--database-url", database, "up")

    assert 3 == answer.code
    assert said in " ".join(answer.err.split())
    assert before == dump(database)


REFUSES = {
    "a trigger": "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'never'; END $$;\n"
    "CREATE TRIGGER no BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION no();",
    "a rule": "ALTER TABLE a ADD CONSTRAINT mine CHECK (x = 1);",
    "a type": "ALTER TABLE a ALTER x TYPE json USING to_json(x);",
}


@pytest.mark.parametrize("what", REFUSES)
def test_what_refuses_a_step_and_is_no_step_s_is_a_persons_matter(
    run: Run, chain: MakeChain, database: str, what: str
) -> None:
    first = "CREATE TABLE a (id int PRIMARY KEY, x int);"
    where = ("--database-url", database, "up")
    assert 0 == run("--migrations", chain({"001_a.sql": first}), *where).code
    execute(database, "INSERT INTO a VALUES (1, 1)", REFUSES[what])

    answer = run("--migrations", chain({"001_a.sql": first, "002_b.sql": "UPDATE a SET x = x + 1;"}), *where, "--json")

    assert 3 == answer.code, answer.err
    assert "2_update_a" == answer.json["error"]["conflicts"][0]["about"]
