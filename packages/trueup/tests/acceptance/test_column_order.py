"""Columns in another order than the chain's, and statements that depend on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup_testing.chains import MakeChain
from trueup_testing.command import Run
from trueup_testing.databases import Databases, execute, rows

pytestmark = pytest.mark.acceptance

TABLE = "CREATE TABLE leads (id int, name text, phone text);"
MADE = "CREATE TABLE leads (id int, phone text, name text); INSERT INTO leads VALUES (1, '7', 'a')"


def made_by_hand(chain: MakeChain, databases: Databases, pending: str) -> tuple[Path, str]:
    """A chain with a pending step, and a database in which the order of the table's columns is another one."""
    folder = chain({"001_leads.sql": TABLE, "002_marker.sql": "CREATE TABLE m ();", "003.sql": pending})
    url = databases.create()
    execute(url, *MADE.split(";"))
    return folder, url


SELECTED = "SELECT id, name, phone FROM leads"


@pytest.mark.parametrize(
    "pending, asked, wanted",
    [
        ("INSERT INTO leads VALUES (2, 'b', '8');", SELECTED, [(1, "a", "7"), (2, "b", "8")]),
        ("INSERT INTO leads SELECT 2, 'b';", SELECTED, [(1, "a", "7"), (2, "b", None)]),
        ("CREATE TABLE copy AS SELECT l.* FROM leads l;", "SELECT * FROM copy", [(1, "a", "7")]),
        ("SELECT * INTO copy FROM m RIGHT JOIN leads ON true;", "SELECT * FROM copy", [(1, "a", "7")]),
        ("INSERT INTO leads SELECT * FROM leads;", SELECTED, [(1, "a", "7"), (1, "a", "7")]),
        (
            "ALTER TABLE leads RENAME name TO title;\nINSERT INTO leads VALUES (2, 'b', '8');",
            "SELECT id, title, phone FROM leads",
            [(1, "a", "7"), (2, "b", "8")],
        ),
        (
            "BEGIN; ALTER TABLE leads DROP COLUMN name, ADD COLUMN n int; CREATE TABLE copy AS SELECT * FROM leads; COMMIT;",
            "SELECT * FROM copy",
            [(1, "7", None)],
        ),
    ],
)
def test_a_step_is_sent_with_the_columns_that_it_leaves_to_the_table(
    run: Run, chain: MakeChain, databases: Databases, pending: str, asked: str, wanted: list[tuple[object, ...]]
) -> None:
    folder, url = made_by_hand(chain, databases, pending)

    answer = run("--migrations", folder, "--database-url", url, "up", "--strict")

    assert 0 == answer.code, answer.err
    assert wanted == rows(url, asked)


@pytest.mark.parametrize(
    "pending",
    [
        "INSERT INTO leads SELECT * FROM (SELECT 2, 'b', '8') AS one;",
        "CREATE TABLE copy AS SELECT * FROM leads JOIN (SELECT 1 AS id) AS l USING (id);",
    ],
)
def test_a_step_that_depends_on_it_is_a_persons_matter(
    run: Run, chain: MakeChain, databases: Databases, pending: str
) -> None:
    folder, url = made_by_hand(chain, databases, pending)

    answer = run("--migrations", folder, "--database-url", url, "up", "--json")

    assert 3 == answer.code, answer.err
    (conflict,) = answer.json["error"]["conflicts"]
    assert "depends on which columns public.leads has, in their order" in conflict["why"]
    assert [(1, "7", "a")] == rows(url, "SELECT * FROM leads")
    assert [(None,)] == rows(url, "SELECT to_regclass('m')")


@pytest.mark.parametrize(
    "pending",
    [
        "INSERT INTO leads (id, name, phone) VALUES (2, 'b', '8');",
        "CREATE VIEW named AS SELECT name FROM leads;",
        "CREATE VIEW everything AS SELECT * FROM leads;",
        "CREATE MATERIALIZED VIEW everything AS SELECT leads.* FROM leads;",
        "CREATE TABLE other (a int, b int);\nINSERT INTO other VALUES (1, 2);\nCREATE VIEW v AS SELECT * FROM other;",
        "CREATE VIEW v AS SELECT count(*) AS n FROM leads;",
    ],
)
def test_others_run(run: Run, chain: MakeChain, databases: Databases, pending: str) -> None:
    folder, url = made_by_hand(chain, databases, pending)

    assert 0 == run("--migrations", folder, "--database-url", url, "up", "--strict").code


ADDED = {
    "INSERT INTO leads SELECT * FROM calls;": [(1, "a"), (2, "b")],
    "INSERT INTO leads VALUES (3, 'c');": [(1, "a"), (3, "c")],
    "CREATE VIEW more AS SELECT * FROM calls;\nINSERT INTO leads SELECT id, name FROM more;": [(1, "a"), (2, "b")],
}


@pytest.mark.parametrize("pending", ADDED)
def test_a_column_that_somebody_added_is_none_of_the_chain_s(
    run: Run, chain: MakeChain, database: str, pending: str
) -> None:
    first = "CREATE TABLE leads (id int, name text);\nCREATE TABLE calls (id int, name text);"
    execute(
        database,
        "CREATE TABLE leads (id int, mine text DEFAULT 'x', name text)",
        "CREATE TABLE calls (id int, name text)",
        "ALTER TABLE calls ADD mine int",
        "INSERT INTO leads (id, name) VALUES (1, 'a')",
        "INSERT INTO calls VALUES (2, 'b', 7)",
    )
    folder = chain({"001_leads.sql": first, "002_marker.sql": "CREATE TABLE m ();", "003.sql": pending})

    answer = run("--migrations", folder, "--database-url", database, "up")

    assert 0 == answer.code, answer.err
    assert ADDED[pending] == rows(database, "SELECT id, name FROM leads ORDER BY id")


def test_a_renamed_column_keeps_its_place(run: Run, chain: MakeChain, databases: Databases) -> None:
    files = {
        "001_leads.sql": TABLE,
        "002_rename.sql": "ALTER TABLE leads RENAME name TO title;\nALTER TABLE leads ADD age int;",
        "003_rows.sql": "CREATE TABLE m ();\nINSERT INTO leads VALUES (2, 'b', '8', 3);\nCREATE VIEW v AS SELECT * FROM leads;",
    }
    for there in ([TABLE], [TABLE, files["002_rename.sql"]]):
        url = databases.create()
        execute(url, *there)
        assert 0 == run("--migrations", chain(files), "--database-url", url, "up", "--strict").code
        assert [(2, "b", "8", 3)] == rows(url, "SELECT * FROM v")


_COLUMNS_OF_V = "SELECT column_name FROM information_schema.columns WHERE table_name = 'v' ORDER BY ordinal_position"


def test_a_view_has_the_columns_that_the_chain_gave_it(run: Run, chain: MakeChain, databases: Databases) -> None:
    age = "ALTER TABLE leads ADD COLUMN age int;"
    folder = chain({"001.sql": TABLE, "002.sql": "CREATE VIEW v AS SELECT l.* FROM leads l;", "003.sql": age})
    url = databases.create()
    execute(url, TABLE, age)

    assert 0 == run("--migrations", folder, "--database-url", url, "up", "--strict").code
    assert ["id", "name", "phone"] == [name for (name,) in rows(url, _COLUMNS_OF_V)]


def test_a_view_that_a_step_makes_anew_has_them_too(run: Run, chain: MakeChain, databases: Databases) -> None:
    view = "CREATE VIEW v AS SELECT q.* FROM (SELECT * FROM leads) q;"
    later = ["ALTER TABLE leads ADD COLUMN age int;", "ALTER TABLE leads ADD COLUMN fax text;", f"DROP VIEW v;\n{view}"]
    files = {f"{n:03}.sql": text for n, text in enumerate([TABLE, view, *later], 1)}
    folder, url = chain(files), databases.create()
    execute(url, TABLE, view, later[1])

    assert 0 == run("--migrations", folder, "--database-url", url, "up", "--strict").code
    assert ["id", "name", "phone", "age", "fax"] == [name for (name,) in rows(url, _COLUMNS_OF_V)]


def test_a_column_that_was_healed_is_filled_by_its_name(run: Run, chain: MakeChain, databases: Databases) -> None:
    folder = chain(
        {"001_leads.sql": TABLE, "002_rows.sql": "CREATE TABLE m ();\nINSERT INTO leads VALUES (2, 'b', '8');"}
    )
    url = databases.create()
    execute(url, TABLE, "ALTER TABLE leads DROP COLUMN name")

    answer = run("--migrations", folder, "--database-url", url, "up")

    assert 0 == answer.code, answer.err
    assert [(2, "8", "b")] == rows(url, "SELECT * FROM leads")


def test_the_order_behind_a_call_that_takes_and_adds_columns_is_not_known(
    run: Run, chain: MakeChain, database: str
) -> None:
    def calling(*statements: str) -> str:
        body = " ".join(f"EXECUTE '{one}';" for one in statements)
        make = f"CREATE FUNCTION m() RETURNS void LANGUAGE plpgsql AS $$ BEGIN {body} END $$;"
        return f"{make}\nSELECT m();\nDROP FUNCTION m();"

    files = {
        "001_e.sql": "CREATE TABLE e (id int PRIMARY KEY, entropy text, p int);",
        "002_m.sql": calling("ALTER TABLE e ADD COLUMN extra text", "ALTER TABLE e DROP COLUMN entropy"),
        "003_m.sql": calling("ALTER TABLE e ADD COLUMN zz text", "CREATE TABLE q (id int)"),
    }
    where = ("--migrations", chain(files), "--database-url", database)

    assert 0 == run(*where, "up", "--to", "2").code
    assert 0 == run(*where, "up").code


def test_the_order_of_a_table_that_comes_in_this_run_is_the_one_of_now(
    run: Run, chain: MakeChain, database: str
) -> None:
    files = {
        "001_a.sql": "CREATE TABLE a (id int);",
        "002_t.sql": "CREATE TABLE t (id int, description text, n int);",
        "003_v.sql": "CREATE TABLE copy AS SELECT * FROM t;",
        "004_t.sql": "ALTER TABLE t RENAME description TO sidebar;\nALTER TABLE t ADD COLUMN short text;",
        "005_t.sql": "ALTER TABLE t RENAME short TO description;",
    }
    where = ("--migrations", chain(files), "--database-url", database)

    assert 0 == run(*where, "up", "--to", "1").code
    assert 0 == run(*where, "up").code


def test_a_part_that_a_call_makes_has_the_columns_of_its_table(run: Run, chain: MakeChain, database: str) -> None:
    texts = "'CREATE TABLE few (LIKE calls)', 'ALTER TABLE calls ATTACH PARTITION few DEFAULT'"
    body = f"DECLARE t text; BEGIN FOREACH t IN ARRAY ARRAY[{texts}] LOOP EXECUTE t; END LOOP; END"
    files = {
        "001_calls.sql": "CREATE TABLE calls (id int, n int) PARTITION BY RANGE (id);\n"
        f"CREATE FUNCTION divide() RETURNS void LANGUAGE plpgsql AS $${body}$$;",
        "002_few.sql": "SELECT divide();",
        "003_length.sql": "ALTER TABLE calls ADD COLUMN length int NOT NULL DEFAULT 1;",
    }
    where = ("--migrations", chain(files), "--database-url", database, "up")
    assert 0 == run(*where, "--to", "1").code
    execute(database, files["003_length.sql"])

    answer = run(*where, "--strict")

    assert 0 == answer.code, answer.err


LISTING = """CREATE FUNCTION audit(named text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE names text := (SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
  WHERE attrelid = named::regclass AND attnum > 0 AND NOT attisdropped);
BEGIN
  EXECUTE format('CREATE TABLE %s_log AS SELECT %s FROM %s WHERE false', named, names, named);
  EXECUTE format('CREATE FUNCTION %s_log() RETURNS trigger LANGUAGE plpgsql AS %L', named,
    format('BEGIN INSERT INTO %s_log (%s) SELECT %s FROM (SELECT NEW) q; END', named, names, names));
END $$;"""


def test_a_function_that_a_call_makes_of_columns_names_them_as_in_the_chain(
    run: Run, chain: MakeChain, database: str
) -> None:
    files = {
        "001_people.sql": TABLE.replace("leads", "people"),
        "002_leads.sql": "ALTER TABLE people RENAME TO leads;\nALTER TABLE leads DROP COLUMN phone, ADD COLUMN fax text;",
        "003_audit.sql": LISTING,
        "004_log.sql": "SELECT audit('leads');",
    }
    where = ("--migrations", chain(files), "--database-url", database, "up")
    assert 0 == run(*where, "--to", "3").code
    execute(database, "ALTER TABLE leads DROP COLUMN name")

    answer = run(*where, "--strict")

    assert 0 == answer.code, answer.err
    assert rows(database, "SELECT prosrc LIKE '%(id, name, fax)%' FROM pg_proc WHERE proname = 'leads_log'") == [
        (True,)
    ]
