"""Steps that are half there, or there early, or there under another name."""

from __future__ import annotations

import pytest

from trueup_testing.chains import MakeChain
from trueup_testing.command import Run
from trueup_testing.databases import Databases, execute, rows, value
from trueup_testing.schema import columns, dump, row_digests

pytestmark = pytest.mark.acceptance

FIRST = {"001_leads.sql": "CREATE TABLE leads (id serial PRIMARY KEY, name text NOT NULL, phone text);"}
ROWS = "INSERT INTO leads (name, phone) SELECT 'lead ' || n, n::text FROM generate_series(1, 20) n"

HALVES = {
    "a table without some of its columns": (
        (
            "CREATE TABLE calls (id serial PRIMARY KEY, lead_id int NOT NULL REFERENCES leads, "
            "at timestamptz DEFAULT now(), note text NOT NULL DEFAULT '', UNIQUE (lead_id, note));"
        ),
        (
            "CREATE TABLE calls (id serial PRIMARY KEY, lead_id int NOT NULL REFERENCES leads);"
            "INSERT INTO calls (lead_id) SELECT n FROM generate_series(1, 9) n"
        ),
    ),
    "a block that ends as it began": (
        (
            "BEGIN;\nALTER TABLE leads ALTER name DROP NOT NULL;\nUPDATE leads SET phone = NULL WHERE phone = 'none';\n"
            "ALTER TABLE leads ALTER name SET NOT NULL;\nCOMMIT;"
        ),
        "ALTER TABLE leads ALTER name DROP NOT NULL",
    ),
    "a table without any of its constraints": (
        (
            "CREATE TABLE calls (id serial PRIMARY KEY, lead_id int NOT NULL REFERENCES leads ON DELETE CASCADE, "
            "n int CHECK (n > 0));"
        ),
        "CREATE TABLE calls (id serial, lead_id int, n int); INSERT INTO calls (lead_id, n) VALUES (1, 1), (2, 2)",
    ),
    "an ALTER TABLE of several parts": (
        "ALTER TABLE leads ADD COLUMN fax text, ADD COLUMN age int DEFAULT 7 CHECK (age > 0), ALTER phone SET NOT NULL;",
        "ALTER TABLE leads ADD COLUMN age int",
    ),
    "a column without its default": (
        "ALTER TABLE leads ADD COLUMN kind varchar(16) NOT NULL DEFAULT 'cold';",
        "ALTER TABLE leads ADD COLUMN kind varchar(16); UPDATE leads SET kind = 'hot'",
    ),
    "a constraint that is not validated": (
        "ALTER TABLE leads ADD CONSTRAINT named CHECK (name <> '');",
        "ALTER TABLE leads ADD CONSTRAINT named CHECK (name <> '') NOT VALID",
    ),
    "an enum without its last labels": (
        "CREATE TYPE mood AS ENUM ('a');\nALTER TYPE mood ADD VALUE 'b';\nALTER TYPE mood ADD VALUE 'c' BEFORE 'b';",
        "CREATE TYPE mood AS ENUM ('a')",
    ),
    "a block": (
        (
            "BEGIN;\nCREATE TABLE a (id int PRIMARY KEY);\nCREATE TABLE b (id int REFERENCES a);\n"
            "CREATE INDEX b_id ON b (id);\nCOMMIT;"
        ),
        "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1)",
    ),
    "a long block": (
        "BEGIN;\n"
        + "".join(f"CREATE TABLE t{n} (id int);\nCREATE INDEX i{n} ON t{n} (id);\n" for n in range(13))
        + "CREATE TABLE kinds (name text PRIMARY KEY);\nINSERT INTO kinds VALUES ('a'), ('b');\nCOMMIT;",
        "CREATE TABLE t7 (id int); INSERT INTO t7 VALUES (1); CREATE INDEX i7 ON t7 (id)",
    ),
    "a block that has only taken away so far what it makes anew": (
        (
            "BEGIN;\nALTER TABLE leads DROP COLUMN name;\nALTER TABLE leads ADD COLUMN name text NOT NULL DEFAULT '';\n"
            "ALTER TABLE leads ADD COLUMN fax text;\nCOMMIT;"
        ),
        "ALTER TABLE leads DROP COLUMN name",
    ),
    "an index left invalid by a failed build": (
        "CREATE INDEX CONCURRENTLY leads_phone ON leads (phone);",
        (
            "CREATE INDEX leads_phone ON leads (phone);"
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'leads_phone'::regclass"
        ),
    ),
    "row security without its force": (
        (
            "ALTER TABLE leads ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;\n"
            "CREATE POLICY own ON leads USING (true);"
        ),
        "CREATE POLICY own ON leads USING (true)",
    ),
}


@pytest.mark.parametrize("name", HALVES)
def test_a_step_that_is_half_there_is_completed(run: Run, chain: MakeChain, databases: Databases, name: str) -> None:
    whole, half = HALVES[name]
    files = {**FIRST, "002_half.sql": whole, "003_later.sql": "CREATE TABLE later (id int);"}
    folder, url, reference = chain(files), databases.create(), databases.create()
    execute(reference, *files.values())
    execute(url, FIRST["001_leads.sql"], ROWS, *half.split(";"))
    names = columns(url)
    before = row_digests(url, names)

    answer = run("--migrations", folder, "--database-url", url, "up", "--json")

    assert 0 == answer.code, answer.err
    assert answer.json["true"]
    assert dump(reference) == dump(url)
    changed = {"public.leads"} if name == "a column without its default" else set()
    after = row_digests(url, names)
    assert {table: before[table] for table in before if table not in changed} == {
        table: after[table] for table in before if table not in changed
    }
    assert all(before[table][0] == after[table][0] for table in before)
    assert 0 == run("--migrations", folder, "--database-url", url, "up", "--strict").code


def test_what_is_completed_is_said(run: Run, chain: MakeChain, database: str) -> None:
    whole, half = HALVES["an ALTER TABLE of several parts"]
    folder = chain({**FIRST, "002_half.sql": whole})
    execute(database, FIRST["001_leads.sql"], half)

    plan = run("--migrations", folder, "--database-url", database, "plan")

    said = " ".join(plan.err.split())
    assert "complete 2_alter_leads" in said
    assert "facts are missing" in said
    assert "ADD COLUMN fax text" in said


def test_a_table_made_by_an_orm_is_completed(run: Run, chain: MakeChain, databases: Databases) -> None:
    files = {
        "001_a.sql": "CREATE TABLE shops (id serial PRIMARY KEY, name varchar(50) NOT NULL DEFAULT '');",
        "002_b.sql": "CREATE TABLE goods (id serial PRIMARY KEY, shop_id int NOT NULL REFERENCES shops ON DELETE "
        "CASCADE, price numeric NOT NULL DEFAULT 0, at timestamptz NOT NULL DEFAULT now());",
        "003_c.sql": "CREATE INDEX goods_shop ON goods (shop_id);\nALTER TABLE goods ADD UNIQUE (shop_id, price);",
        "004_d.sql": "CREATE TABLE notes (id int);",
    }
    url, reference = databases.create(), databases.create()
    execute(reference, *files.values())
    execute(
        url,
        "CREATE TABLE shops (id serial PRIMARY KEY, name varchar(50) NOT NULL)",
        "CREATE TABLE goods (id serial PRIMARY KEY, shop_id int NOT NULL REFERENCES shops, price numeric NOT NULL,"
        " at timestamptz NOT NULL, UNIQUE (shop_id, price))",
        "CREATE INDEX ix_goods_shop_id ON goods (shop_id)",
        "INSERT INTO shops (name) VALUES ('a'), ('b')",
        "INSERT INTO goods (shop_id, price, at) SELECT 1, n, now() FROM generate_series(1, 5) n",
    )
    before = row_digests(url, columns(url))

    answer = run("--migrations", chain(files), "--database-url", url, "up", "--strict")

    assert 0 == answer.code, answer.err
    wanted, found = dump(reference), dump(url)
    assert wanted.keys() - found.keys() == {"INDEX public.goods_shop"}
    assert found.keys() - wanted.keys() == {"INDEX public.ix_goods_shop_id"}
    assert before == {table: digest for table, digest in row_digests(url, columns(url)).items() if table in before}


def test_a_later_step_that_was_run_early_is_not_run_again(run: Run, chain: MakeChain, databases: Databases) -> None:
    files = {
        **FIRST,
        "002_a.sql": "ALTER TABLE leads ADD fax text;",
        "003_b.sql": "CREATE TABLE calls (id int);",
        "004_c.sql": "ALTER TABLE leads ADD age int;\nCREATE INDEX leads_age ON leads (age);",
        "005_d.sql": "CREATE VIEW old AS SELECT id FROM leads WHERE age > 60;",
    }
    url, reference = databases.create(), databases.create()
    execute(reference, *files.values())
    execute(url, files["001_leads.sql"], ROWS, "ALTER TABLE leads ADD age int DEFAULT NULL")

    answer = run("--migrations", chain(files), "--database-url", url, "up", "--json")

    assert 0 == answer.code, answer.err
    verdicts = {step["id"]: step["verdict"] for step in answer.json["steps"]}
    assert "reconcile" == verdicts["4_leads_age"]
    assert "run" == verdicts["4_leads_age_2"] == verdicts["2_leads_fax"]
    assert dump(reference) == dump(url)
    assert [(20,)] == rows(url, "SELECT count(*) FROM leads")


def test_a_file_half_applied_goes_on_where_it_stopped(run: Run, chain: MakeChain, databases: Databases) -> None:
    statements = [
        "CREATE TABLE calls (id int PRIMARY KEY)",
        "ALTER TABLE calls ADD note text",
        "CREATE INDEX calls_note ON calls (note)",
        "ALTER TABLE calls ADD lead_id int REFERENCES leads",
        "CREATE VIEW v AS SELECT note FROM calls",
    ]
    files = {**FIRST, "002_b.sql": ";\n".join(statements) + ";\n"}
    folder, reference = chain(files), databases.create()
    execute(reference, *files.values())
    for count in range(1, len(statements)):
        url = databases.create()
        execute(url, FIRST["001_leads.sql"], *statements[:count])

        answer = run("--migrations", folder, "--database-url", url, "up", "--json")

        assert 0 == answer.code, answer.err
        assert len(statements) - count == len([step for step in answer.json["steps"] if step["statements"]])
        assert dump(reference) == dump(url)


@pytest.mark.parametrize("count", range(5))
def test_a_block_goes_on_with_its_rows_where_it_stopped(
    run: Run, chain: MakeChain, databases: Databases, count: int
) -> None:
    view = "CREATE VIEW v AS SELECT * FROM leads"
    statements = [
        "DROP VIEW v",
        "ALTER TABLE leads ADD COLUMN alias text",
        "UPDATE LEADS SET ALIAS = (SELECT l.name FROM leads AS l WHERE l.id = leads.id)",
        "ALTER TABLE leads ALTER alias SET NOT NULL",
        view,
    ]
    files = {"001_leads.sql": f"{FIRST['001_leads.sql']}\n{view};", "002_alias.sql": ";\n".join(statements) + ";\n"}
    files["003_later.sql"] = "CREATE TABLE later (id int);"
    folder, url, reference = chain(files), databases.create(), databases.create()
    execute(reference, *files.values())
    execute(url, files["001_leads.sql"], ROWS, *statements[:count])

    answer = run("--migrations", folder, "--database-url", url, "up")

    assert 0 == answer.code, answer.err
    assert dump(reference) == dump(url)
    assert [(20,)] == rows(url, "SELECT count(*) FROM leads WHERE alias = name")


ROWS_ON_THE_WAY: dict[str, tuple[str, list[str], int, str, list[tuple[object, ...]]]] = {
    "what an UPDATE reads is dropped behind it": (
        "CREATE TABLE f (id int PRIMARY KEY, modified date);\nINSERT INTO f VALUES (1, '2020-01-01'), (2, '2021-01-01');",
        [
            "ALTER TABLE f ADD COLUMN created date DEFAULT '1999-01-01'",
            "UPDATE f SET created = modified",
            "ALTER TABLE f DROP COLUMN modified",
        ],
        1,
        "SELECT created::text FROM f ORDER BY id",
        [("2020-01-01",), ("2021-01-01",)],
    ),
    "what an UPDATE has read is dropped, and its name is still to be taken": (
        "CREATE TYPE k AS ENUM ('x', 'y');\nCREATE TABLE i (id int PRIMARY KEY, t text);\nINSERT INTO i VALUES (1, 'a');",
        [
            "ALTER TABLE i ADD COLUMN t_new k DEFAULT 'y'",
            "UPDATE i SET t_new = 'x' WHERE t IS NOT NULL",
            "ALTER TABLE i DROP COLUMN t",
            "ALTER TABLE i RENAME COLUMN t_new TO t",
        ],
        3,
        "SELECT t::text FROM i",
        [("x",)],
    ),
    "an UPDATE is there for what a trigger makes of it": (
        "CREATE TABLE d (id int PRIMARY KEY, t text);\nINSERT INTO d VALUES (1, 'a');",
        [
            "ALTER TABLE d ADD COLUMN s text",
            "CREATE FUNCTION d_s() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.s = upper(NEW.t); RETURN NEW; END$$",
            "CREATE TRIGGER d_s BEFORE UPDATE ON d FOR EACH ROW EXECUTE FUNCTION d_s()",
            "UPDATE d SET t = t",
            "CREATE INDEX d_s ON d (s)",
        ],
        3,
        "SELECT s FROM d",
        [("A",)],
    ),
    "what a DELETE looks for is dropped behind it": (
        "CREATE TABLE m (id int PRIMARY KEY, deleted boolean);\nINSERT INTO m VALUES (1, true), (2, false);",
        [
            "CREATE TABLE q (id int PRIMARY KEY)",
            "DELETE FROM m WHERE deleted = true",
            "ALTER TABLE m DROP COLUMN deleted",
        ],
        1,
        "SELECT id FROM m",
        [(2,)],
    ),
    "one of two tables that a statement fills has rows": (
        "CREATE TABLE e (id int PRIMARY KEY);\nINSERT INTO e VALUES (1), (2);",
        [
            "CREATE TABLE w (id int PRIMARY KEY)",
            "ALTER TABLE e ADD COLUMN w int REFERENCES w (id)",
            "WITH n AS (INSERT INTO w VALUES (7) RETURNING id) UPDATE e SET w = 7 WHERE EXISTS (SELECT FROM n)",
        ],
        2,
        "SELECT w.id FROM w",
        [(7,)],
    ),
    "a row stands by chance as an UPDATE would leave it": (
        "CREATE TABLE u (id int PRIMARY KEY, two boolean NOT NULL);\nINSERT INTO u VALUES (1, true), (2, false);",
        [
            "ALTER TABLE u ADD COLUMN mfa boolean DEFAULT false",
            "UPDATE u SET mfa = NOT two",
            "ALTER TABLE u ALTER COLUMN mfa SET NOT NULL",
        ],
        1,
        "SELECT mfa FROM u ORDER BY id",
        [(False,), (True,)],
    ),
    "an UPDATE that writes the time as well": (
        "CREATE TABLE h (c text PRIMARY KEY, d text, m timestamptz);\nINSERT INTO h (c, d) VALUES ('A', 'a'), ('B', 'b');",
        ["UPDATE h SET d = 'aa', m = now() WHERE c = 'A'"],
        0,
        "SELECT d FROM h ORDER BY c",
        [("aa",), ("b",)],
    ),
    "rows that are copied behind one that is there": (
        (
            "CREATE TABLE p (id int PRIMARY KEY);\nINSERT INTO p VALUES (1), (2);\n"
            "CREATE TABLE r (id int PRIMARY KEY);\nCREATE TABLE a (p int, r int);\nINSERT INTO a VALUES (1, 1);"
        ),
        ["INSERT INTO r (id) VALUES (8)", "INSERT INTO a (p, r) SELECT id AS p, 8 FROM p"],
        1,
        "SELECT p, r FROM a ORDER BY r, p",
        [(1, 1), (1, 8), (2, 8)],
    ),
    "a guard that never meets a conflict": (
        "CREATE TABLE s (id serial PRIMARY KEY, e text);",
        ["INSERT INTO s (e) VALUES ('x') ON CONFLICT DO NOTHING", "CREATE TABLE other (id int)"],
        2,
        "SELECT e FROM s",
        [("x",)],
    ),
}


@pytest.mark.parametrize("name", ROWS_ON_THE_WAY)
def test_the_rows_are_what_the_whole_file_would_have_made_of_them(
    run: Run, chain: MakeChain, database: str, name: str
) -> None:
    first, statements, done, query, expected = ROWS_ON_THE_WAY[name]
    folder = chain({"001_a.sql": first, "002_b.sql": ";\n".join(statements) + ";", "003_c.sql": "CREATE TABLE c ();"})
    execute(database, *first.split("\n"), *statements[:done])

    answer = run("--migrations", folder, "--database-url", database, "up")

    assert 0 == answer.code, answer.err
    assert expected == rows(database, query)


def test_rows_that_another_key_would_refuse_are_still_to_be_written(run: Run, chain: MakeChain, database: str) -> None:
    folder = chain(
        {
            "001_s.sql": "CREATE TABLE s (o int PRIMARY KEY);",
            "002_s.sql": "ALTER TABLE s DROP CONSTRAINT s_pkey;\nALTER TABLE s ADD t text NOT NULL DEFAULT 'I';\n"
            "ALTER TABLE s ADD PRIMARY KEY (o, t);\nINSERT INTO s (o, t) SELECT o, 'C' FROM s;",
        }
    )
    where = ("--migrations", folder, "--database-url", database)
    assert 0 == run(*where, "up", "--to", "1").code
    execute(database, "INSERT INTO s VALUES (1), (2)")

    answer = run(*where, "up", "--strict")

    assert 0 == answer.code, answer.err
    assert [(1, "C"), (1, "I"), (2, "C"), (2, "I")] == rows(database, "SELECT * FROM s ORDER BY 1, 2")


def test_what_the_application_has_written_since_stays(run: Run, chain: MakeChain, database: str) -> None:
    update = "UPDATE u SET seen = id + 1 WHERE active"
    folder = chain(
        {"001_u.sql": "CREATE TABLE u (id int, seen int DEFAULT 0, active boolean);", "002_b.sql": f"{update};"}
    )
    execute(
        database, "CREATE TABLE u (id int, seen int DEFAULT 0, active boolean)", "INSERT INTO u VALUES (1, 0, true)"
    )
    execute(database, update, "UPDATE u SET seen = 77")

    assert 0 == run("--migrations", folder, "--database-url", database, "up").code
    assert [(77,)] == rows(database, "SELECT seen FROM u")


def test_to_empty_a_table_in_the_middle_of_a_file_is_a_persons_decision(
    run: Run, chain: MakeChain, database: str
) -> None:
    statements = ["ALTER TABLE leads DROP COLUMN phone", "TRUNCATE leads", "ALTER TABLE leads ADD UNIQUE (name)"]
    folder = chain({**FIRST, "002_b.sql": ";\n".join(statements) + ";"})
    execute(database, FIRST["001_leads.sql"], ROWS, statements[0])

    answer = run("--migrations", folder, "--database-url", database, "up")

    assert 3 == answer.code
    assert "2_truncate_leads: its file has not run to its end" in " ".join(answer.err.split())
    assert [(20,)] == rows(database, "SELECT count(*) FROM leads")


def test_rows_that_are_there_are_not_written_again_where_the_marks_were_lost(
    run: Run, chain: MakeChain, databases: Databases
) -> None:
    seeds = {"002_kinds.sql": "CREATE TABLE kinds (id serial PRIMARY KEY, name text UNIQUE);"}
    seeds["003_seeds.sql"] = "INSERT INTO kinds (name) VALUES ('cold'), ('hot');"
    folder, url = chain({**FIRST, **seeds, "004_later.sql": "CREATE TABLE later (id int);"}), databases.create()
    run("--migrations", folder, "--database-url", url, "up", "--to", "3")
    execute(url, "DELETE FROM trueup.schema_migrations WHERE migration_id !~ '^1_'")

    answer = run("--migrations", folder, "--database-url", url, "up", "--json")

    assert 0 == answer.code, answer.err
    assert [("cold",), ("hot",)] == rows(url, "SELECT name FROM kinds ORDER BY id")
    reasons = {step["id"]: step["reason"] for step in answer.json["steps"]}
    assert "it was marked when all was last proved true" == reasons["3_insert_kinds"]


RETURNED = {
    "001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);\nINSERT INTO a VALUES (1);",
    "002_b.sql": "ALTER TABLE a ADD x int DEFAULT 1;",
    "003_c.sql": "ALTER TABLE a DROP x;\nINSERT INTO a SELECT max(id) + 1 FROM a;",
    "004_d.sql": "ALTER TABLE a ADD x int DEFAULT 2;",
    "005_e.sql": "CREATE TABLE b (id int);",
}


@pytest.mark.parametrize("kept", ["^$", "^1_", "^[1-3]_", "_a$"])
@pytest.mark.parametrize("early", ["", "CREATE TABLE b (id int)"])
def test_marks_that_were_lost_are_known_by_their_number(
    run: Run, chain: MakeChain, database: str, kept: str, early: str
) -> None:
    where = ("--migrations", chain(RETURNED), "--database-url", database)
    run(*where, "up", "--to", "3")
    execute(database, f"DELETE FROM trueup.schema_migrations WHERE migration_id !~ '{kept}'", early)

    answer = run(*where, "up", "--json")

    assert 0 == answer.code, answer.err
    assert [(1, 2), (2, 2)] == rows(database, "SELECT id, x FROM a ORDER BY id")
    assert "run" == {step["id"]: step["verdict"] for step in answer.json["steps"]}["4_a_x"]


def test_a_guarded_step_is_not_repeated_where_a_begun_block_has_renamed_what_it_fills(
    run: Run, chain: MakeChain, database: str
) -> None:
    swap = [
        "ALTER TABLE a DROP CONSTRAINT a_pkey",
        "ALTER TABLE a RENAME id TO id_old",
        "ALTER TABLE a RENAME id_new TO id",
        "ALTER TABLE a ADD PRIMARY KEY (id)",
    ]
    files = {
        "001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);",
        "002_b.sql": "ALTER TABLE a ADD id_new bigint;\nUPDATE a SET id_new = id WHERE id_new IS NULL;",
        "003_c.sql": "BEGIN;\n" + ";\n".join(swap) + ";\nCOMMIT;",
        "004_d.sql": "ALTER TABLE a DROP id_old;",
    }
    execute(database, files["001_a.sql"], "INSERT INTO a VALUES (1), (2)", files["002_b.sql"], *swap[:3])

    answer = run("--migrations", chain(files), "--database-url", database, "up", "--strict")

    assert 0 == answer.code, answer.err
    assert [(1,), (2,)] == rows(database, "SELECT id FROM a ORDER BY id")


COPY = (
    "CREATE {kind} copy() {returns} LANGUAGE plpgsql AS $$ DECLARE r record;"
    " BEGIN FOR r IN SELECT id, old FROM b LOOP INSERT INTO a VALUES (r.id + 10, r.old); END LOOP; END $$"
)
FUNCTION, PROCEDURE = (
    COPY.format(kind="FUNCTION", returns="RETURNS void"),
    COPY.format(kind="PROCEDURE", returns=""),
)
LEFT = {
    "a function that is called": (
        f"{FUNCTION};\nSELECT copy();\nDROP FUNCTION copy()",
        "ALTER TABLE b DROP old",
        FUNCTION,
    ),
    "a function that is called, and is not there yet": (
        f"{FUNCTION};\nSELECT copy();\nDROP FUNCTION copy()",
        "ALTER TABLE b DROP old",
        "SELECT 1",
    ),
    "a procedure that is called": (
        f"{PROCEDURE};\nCALL copy();\nDROP PROCEDURE copy()",
        "ALTER TABLE b DROP old",
        PROCEDURE,
    ),
    "an INSERT … SELECT": (
        "INSERT INTO a SELECT id + 10, old FROM b",
        "DROP TABLE b",
        "INSERT INTO a VALUES (11, 'v')",
    ),
    "an UPDATE": (
        "UPDATE a SET new = coalesce(new, old)",
        "ALTER TABLE a DROP old",
        "UPDATE a SET new = 'w' WHERE id = 1",
    ),
    "a block": (
        "DO $$ BEGIN UPDATE a SET new = old WHERE new IS NULL; END $$",
        "ALTER TABLE a DROP old",
        "UPDATE a SET new = 'w' WHERE id = 1",
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_nothing_is_dropped_behind_a_step_that_may_not_have_read_it(
    run: Run, chain: MakeChain, database: str, name: str
) -> None:
    step, drop, half = LEFT[name]
    tables = "CREATE TABLE a (id int PRIMARY KEY, new text, old text);\nCREATE TABLE b (id int PRIMARY KEY, old text);"
    files = {"001_a.sql": tables, "002_b.sql": f"{step};", "003_c.sql": "CREATE TABLE c ();", "004_d.sql": f"{drop};"}
    execute(database, tables, "INSERT INTO a VALUES (1, NULL, 'v'), (2, NULL, 'w')", "INSERT INTO b VALUES (1, 'v')")
    execute(database, "INSERT INTO b VALUES (2, 'w')", half)

    answer = run("--migrations", chain(files), "--database-url", database, "up")

    assert 3 == answer.code
    assert "still to run, takes away what it reads" in " ".join(answer.err.split())


def test_a_row_that_is_only_taken_as_there_is_asked_for_before_a_guarded_one_refers_to_it(
    run: Run, chain: MakeChain, database: str
) -> None:
    tables = "CREATE TABLE kinds (k text PRIMARY KEY);\nCREATE TABLE a (id int PRIMARY KEY, k text REFERENCES kinds);"
    later = "".join(f"CREATE TABLE later{n} ();\n" for n in range(12))
    rows_to_come = [f"INSERT INTO {to} ON CONFLICT DO NOTHING;" for to in ("kinds VALUES ('y')", "a VALUES (1, 'y')")]
    files = {"001_a.sql": tables, "002_b.sql": "INSERT INTO kinds VALUES ('x');", "003_c.sql": later}
    rows_to_come += ["INSERT INTO a VALUES (2, 'x') ON CONFLICT DO NOTHING;"]
    files |= {"004_d.sql": "\n".join(["CREATE TABLE last ();", *rows_to_come])}
    execute(database, tables, later, "INSERT INTO kinds VALUES ('z')", "INSERT INTO a VALUES (7, 'z')")

    answer = run("--migrations", chain(files), "--database-url", database, "up")

    assert 3 == answer.code, answer.err
    assert "a row that it refers to is not there, in public.kinds" in " ".join(answer.err.split())
    assert [("z",)] == rows(database, "SELECT k FROM kinds")


BESIDE = {
    "001_a.sql": "CREATE TABLE a (id int PRIMARY KEY, n text);\nCREATE INDEX a_n ON a (n);",
    "002_b.sql": "UPDATE a SET n = n || '!';",
    "003_c.sql": "CREATE INDEX a_id ON a (id, n);\nDROP INDEX a_n;",
}


@pytest.mark.parametrize("early", ["CREATE INDEX a_id ON a (id, n)", "DROP INDEX a_n"])
def test_what_was_done_early_says_nothing_of_a_data_step_where_no_mark_was_lost(
    run: Run, chain: MakeChain, database: str, early: str
) -> None:
    where = ("--migrations", chain(BESIDE), "--database-url", database)
    run(*where, "up", "--to", "1")
    execute(database, "INSERT INTO a VALUES (1, 'x')", early)

    answer = run(*where, "up")

    assert 0 == answer.code, answer.err
    assert [("x!",)] == rows(database, "SELECT n FROM a")


def test_a_mark_before_a_data_step_in_its_file_does_not_say_that_it_has_run(
    run: Run, chain: MakeChain, database: str
) -> None:
    steps = ["CREATE TABLE b (id int)", "UPDATE a SET m = n", "CREATE TABLE c (id int)", "ALTER TABLE a DROP n"]
    files = {"001_a.sql": "CREATE TABLE a (n int, m int);", "002_b.sql": f"{steps[0]};\n{steps[1]};"}
    files |= {"003_c.sql": f"{steps[2]};\n{steps[3]};"}
    where = ("--migrations", chain(files), "--database-url", database)
    run(*where, "up", "--to", "1")
    run(*where, "up", "--to", "2_b_table")
    execute(database, "INSERT INTO a VALUES (1, NULL)", steps[2])

    answer = run(*where, "up")

    assert 0 == answer.code, answer.err
    assert [(1,)] == rows(database, "SELECT m FROM a")


def test_an_insert_that_lost_its_view_is_for_a_person_where_no_mark_was_lost(
    run: Run, chain: MakeChain, database: str
) -> None:
    files = {
        "001_a.sql": "CREATE TABLE people (id int PRIMARY KEY);\nCREATE VIEW users AS SELECT * FROM people;",
        "002_b.sql": "INSERT INTO users VALUES (5);\nCREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';",
        "003_c.sql": "DROP FUNCTION one();\nDROP VIEW users;",
    }
    where = ("--migrations", chain(files), "--database-url", database)
    run(*where, "up", "--to", "1")
    execute(database, "DROP VIEW users")

    answer = run(*where, "up")

    assert 3 == answer.code
    assert "2_insert_users: it is not in the ledger, and its tables have changed since" in " ".join(answer.err.split())


def test_a_step_that_was_taken_back_with_its_mark_runs_again(run: Run, chain: MakeChain, database: str) -> None:
    where = ("--migrations", chain(RETURNED), "--database-url", database)
    run(*where, "up", "--to", "2")
    execute(database, "ALTER TABLE a DROP x; DELETE FROM trueup.schema_migrations WHERE migration_id ~ '^2_'")

    answer = run(*where, "up", "--to", "2", "--json")

    assert "run" == {step["id"]: step["verdict"] for step in answer.json["steps"]}["2_a_x"]


LOST: dict[str, tuple[list[str], list[str], str, list[tuple[object, ...]]]] = {
    "a guarded row that is there changes nothing for an UPDATE behind it": (
        [
            "CREATE TABLE a (id int PRIMARY KEY, c jsonb);\nINSERT INTO a VALUES (1, '{}') ON CONFLICT DO NOTHING;",
            "ALTER TABLE a ADD y int;",
            "UPDATE a SET c = c - 'k' WHERE c -> 'k' IS NOT NULL;",
        ],
        ["DELETE FROM trueup.schema_migrations WHERE migration_id ~ '^1_insert'", "ALTER TABLE a ADD y int"],
        "SELECT c FROM a",
        [({},)],
    ),
    "no row is there to be deleted, and none that would go along": (
        [
            (
                "CREATE TABLE a (id int PRIMARY KEY);\nDELETE FROM a WHERE id = 900;\n"
                "CREATE TABLE b (a int REFERENCES a ON DELETE CASCADE);"
            ),
        ],
        ["DELETE FROM trueup.schema_migrations WHERE migration_id ~ '^1_delete'", "INSERT INTO a VALUES (1)"],
        "SELECT id FROM a",
        [(1,)],
    ),
    "rows that are selected with a label, and of which none is there": (
        [
            "CREATE TYPE role AS ENUM ('a', 'b');\nCREATE TABLE teams (id int);\nCREATE TABLE a (id int, role role);",
            "INSERT INTO a (id, role) SELECT id + 100, 'a' FROM teams;",
        ],
        ["DROP SCHEMA trueup CASCADE", "INSERT INTO teams VALUES (1)", "INSERT INTO a VALUES (1, 'b')"],
        "SELECT id FROM a ORDER BY id",
        [(1,), (101,)],
    ),
    "rows of a table that is dropped next, and of which none is there": (
        [
            "CREATE TABLE a (id int PRIMARY KEY, name text);",
            "CREATE TABLE b (id int, name text);\nINSERT INTO b SELECT * FROM a;\nDROP TABLE a;",
        ],
        [
            "DROP SCHEMA trueup CASCADE",
            "CREATE TABLE b (id int, name text)",
            "INSERT INTO a VALUES (1, 'x'), (2, NULL)",
            "INSERT INTO b VALUES (9, 'own')",
        ],
        "SELECT id FROM b ORDER BY id",
        [(1,), (2,), (9,)],
    ),
    "rows that are not there are written, though a column of theirs was lost": (
        [
            "CREATE TABLE a (id int PRIMARY KEY, name text, at date);\nCREATE TABLE b ();",
            "INSERT INTO a (id, name, at) VALUES (11, 'a', now());",
            "UPDATE a SET name = name || '!';",
        ],
        ["DROP SCHEMA trueup CASCADE", "INSERT INTO a VALUES (1, 'own', now())", "ALTER TABLE a DROP at"],
        "SELECT id, name FROM a ORDER BY id",
        [(1, "own!"), (11, "a!")],
    ),
}


@pytest.mark.parametrize("name", LOST)
def test_the_rows_tell_where_marks_were_lost(run: Run, chain: MakeChain, database: str, name: str) -> None:
    texts, by_hand, query, wanted = LOST[name]
    files = {f"{number}_a.sql": text for number, text in enumerate([*texts, "CREATE TABLE z ();"], 1)}
    where = ("--migrations", chain(files), "--database-url", database)
    assert 0 == run(*where, "up", "--to", "1").code
    execute(database, *by_hand)

    answer = run(*where, "up", "--strict")

    assert 0 == answer.code, answer.err
    assert wanted == rows(database, query)


def test_a_block_in_which_a_table_takes_the_place_of_another_goes_on(
    run: Run, chain: MakeChain, databases: Databases
) -> None:
    done = [
        "ALTER TABLE leads RENAME TO was",
        "ALTER TABLE was RENAME CONSTRAINT leads_pkey TO was_pkey",
        "CREATE TABLE leads (id int PRIMARY KEY, name text NOT NULL, phone text)",
    ]
    others = ["CREATE INDEX leads_name ON leads (name)", "INSERT INTO leads SELECT * FROM was", "DROP TABLE was"]
    folder = chain({**FIRST, "002_b.sql": ";\n".join(["BEGIN", *done, *others, "COMMIT"]) + ";"})
    url, reference = databases.create(), databases.create()
    execute(reference, FIRST["001_leads.sql"], *done, *others)
    execute(url, FIRST["001_leads.sql"], ROWS, *done)

    answer = run("--migrations", folder, "--database-url", url, "up", "--strict")

    assert 0 == answer.code, answer.err
    assert dump(reference) == dump(url)
    assert [(20,)] == rows(url, "SELECT count(*) FROM leads")


RULES = {
    "NOT NULL": ("DELETE FROM leads WHERE phone IS NULL", "ALTER phone SET NOT NULL", 3),
    "UNIQUE": ("DELETE FROM leads a USING leads b WHERE a.phone = b.phone AND a.id > b.id", "ADD UNIQUE (phone)", 3),
    "a value": ("UPDATE leads SET phone = '0' WHERE phone IS NULL OR phone = ''", "ALTER phone SET NOT NULL", 0),
    "a size": ("UPDATE leads SET name = left(name, 6)", "ALTER name TYPE varchar(6)", 0),
    "a prefix": ("UPDATE leads SET name = 'Lead ' || name", "ALTER name TYPE varchar(20)", 3),
}


@pytest.mark.parametrize("name", RULES)
def test_what_makes_rows_fit_is_done_before_the_rule_for_them_or_asked_about(
    run: Run, chain: MakeChain, database: str, name: str
) -> None:
    change, rule, code = RULES[name]
    folder = chain({**FIRST, "002_b.sql": f"{change};", "003_c.sql": f"ALTER TABLE leads {rule};"})
    execute(database, FIRST["001_leads.sql"], ROWS, "UPDATE leads SET phone = NULL WHERE id = 3")
    execute(database, "UPDATE leads SET phone = '7' WHERE id = 8")

    answer = run("--migrations", folder, "--database-url", database, "up")

    assert code == answer.code, answer.err


def test_an_update_of_its_own_values_at_which_its_file_was_left_is_a_persons_decision(
    run: Run, chain: MakeChain, database: str
) -> None:
    statements = ["ALTER TABLE leads ALTER phone TYPE int USING phone::int", "UPDATE leads SET phone = phone * 100"]
    comment = "COMMENT ON COLUMN leads.phone IS 'cents'"
    folder = chain({**FIRST, "002_b.sql": ";\n".join([*statements, comment]) + ";"})
    execute(database, FIRST["001_leads.sql"], ROWS, statements[0])

    answer = run("--migrations", folder, "--database-url", database, "up")

    assert 3 == answer.code
    assert "2_update_leads: the database stands right before it or right behind it" in " ".join(answer.err.split())


@pytest.mark.parametrize("name, code", [("1", 0), ("-", 3)])
def test_what_is_copied_is_dropped_only_where_all_of_it_is_there(
    run: Run, chain: MakeChain, database: str, name: str, code: int
) -> None:
    statements = [
        "CREATE TABLE phones AS SELECT id, phone FROM leads WHERE false",
        "INSERT INTO phones SELECT id, phone FROM leads",
    ]
    folder = chain({**FIRST, "002_b.sql": ";\n".join([*statements, "ALTER TABLE leads DROP COLUMN phone"]) + ";"})
    execute(database, FIRST["001_leads.sql"], ROWS, "UPDATE leads SET phone = NULL WHERE id = 2", *statements)
    execute(database, f"UPDATE phones SET phone = '{name}' WHERE id = 1")

    answer = run("--migrations", folder, "--database-url", database, "up")

    assert code == answer.code, answer.err
    assert [(20,)] == rows(database, "SELECT count(*) FROM phones")


@pytest.mark.parametrize("done, ran", [(0, True), (1, True), (2, False)])
def test_updates_that_no_fact_tells_of_are_known_by_the_rows_that_they_would_change(
    run: Run, chain: MakeChain, databases: Databases, done: int, *, ran: bool
) -> None:
    updates = [f"UPDATE leads SET phone = '{n}' WHERE phone = '1{n}' AND id > 0;" for n in (1, 2)]
    files = {**FIRST, "002_mend.sql": "\n".join(updates), "003_later.sql": "CREATE TABLE later (id int);"}
    url = databases.create()
    execute(url, FIRST["001_leads.sql"], ROWS, *updates[:done])

    answer = run("--migrations", chain(files), "--database-url", url, "up", "--json")

    assert 0 == answer.code, answer.err
    verdicts = {step["id"]: step["verdict"] for step in answer.json["steps"]}
    assert ("run" if ran else "assume") == verdicts["2_update_leads_2"]
    assert [(0,)] == rows(url, "SELECT count(*) FROM leads WHERE phone IN ('11', '12')")


CASCADE = [
    "UPDATE leads SET name = 'old' WHERE name = 'closed';",
    "UPDATE leads SET name = 'closed' WHERE name = 'done';",
]
ANEW = ["DELETE FROM leads WHERE name = 'closed';", "INSERT INTO leads (id, name) SELECT id + 90, 'closed' FROM leads;"]


@pytest.mark.parametrize("fact", ["", "CREATE TABLE before (id int);"])
@pytest.mark.parametrize("steps, done, code", [(CASCADE, 0, 0), (CASCADE, 1, 0), (CASCADE, 2, 3), (ANEW, 2, 3)])
def test_rows_that_a_later_step_makes_do_not_show_that_a_step_has_not_run(
    run: Run, chain: MakeChain, database: str, fact: str, steps: list[str], done: int, code: int
) -> None:
    folder = chain({**FIRST, "002_b.sql": "\n".join([fact, *steps, "ALTER TABLE leads ADD CHECK (name <> 'done');"])})
    made = "INSERT INTO leads (id, name) VALUES (1, 'closed'), (2, 'done')"
    execute(database, FIRST["001_leads.sql"], made, fact or "SELECT", *steps[:done])
    before = rows(database, "SELECT id, name FROM leads ORDER BY id")

    answer = run("--migrations", folder, "--database-url", database, "up")

    assert code == answer.code, answer.err
    wanted = [(1, "old"), (2, "closed")] if steps is CASCADE else before
    assert wanted == rows(database, "SELECT id, name FROM leads ORDER BY id")


def test_an_update_is_asked_about_where_the_rest_of_the_last_file_was_made_by_hand(
    run: Run, chain: MakeChain, database: str
) -> None:
    statements = [
        "ALTER TABLE leads ADD COLUMN size int NOT NULL DEFAULT 0",
        "UPDATE leads SET size = length(name)",
        "CREATE FUNCTION sized() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.size := length(NEW.name); RETURN NEW; END'",
        "CREATE TRIGGER sized BEFORE INSERT ON leads FOR EACH ROW EXECUTE FUNCTION sized()",
    ]
    files = {**FIRST, "002_size.sql": ";\n".join(statements) + ";", "003_later.sql": "CREATE TABLE later (id int);"}
    execute(database, FIRST["001_leads.sql"], ROWS, statements[0], *statements[2:])

    answer = run("--migrations", chain(files), "--database-url", database, "up")

    assert 3 == answer.code
    assert "2_update_leads: what it fills has no more than defaults" in " ".join(answer.err.split())


PREFS = [
    "CREATE TABLE prefs (lead int PRIMARY KEY, phone text NOT NULL DEFAULT '-')",
    "INSERT INTO prefs (lead) SELECT id FROM leads",
    "UPDATE prefs SET phone = leads.phone FROM leads WHERE leads.id = prefs.lead AND leads.id < 9",
    "UPDATE prefs SET phone = '0' || leads.phone FROM leads WHERE leads.id = prefs.lead AND leads.id > 8",
]


@pytest.mark.parametrize("done", [1, 2, 4])
def test_where_a_step_has_not_run_the_others_behind_it_in_its_file_have_not_either(
    run: Run, chain: MakeChain, databases: Databases, done: int
) -> None:
    files = {**FIRST, "002_prefs.sql": ";\n".join(PREFS) + ";", "003_phone.sql": "ALTER TABLE leads DROP COLUMN phone;"}
    url, reference = databases.create(), databases.create()
    execute(reference, FIRST["001_leads.sql"], ROWS, *PREFS)
    execute(url, FIRST["001_leads.sql"], ROWS, *PREFS[:done])

    answer = run("--migrations", chain(files), "--database-url", url, "up", "--strict")

    assert 0 == answer.code, answer.err
    asked = "SELECT * FROM prefs ORDER BY lead"
    assert rows(reference, asked) == rows(url, asked)


@pytest.mark.parametrize("pending, code", [("UPDATE leads SET phone = '1';", 3), ("ALTER TABLE leads ADD x int;", 0)])
def test_rows_that_are_there_in_part_are_asked_about_before_a_step_that_uses_them(
    run: Run, chain: MakeChain, database: str, pending: str, code: int
) -> None:
    insert = "INSERT INTO leads (id, name) VALUES (1, 'first'), (2, 'second');"
    files = {**FIRST, "002_first.sql": insert, "003_later.sql": f"CREATE TABLE later (id int);\n{pending}"}
    execute(database, FIRST["001_leads.sql"], "INSERT INTO leads (id, name) VALUES (2, 'second')")

    answer = run("--migrations", chain(files), "--database-url", database, "up")

    assert code == answer.code, answer.err


def test_what_hangs_on_a_table_that_is_made_again_is_healed_right_behind_it(
    run: Run, chain: MakeChain, databases: Databases
) -> None:
    teams = "CREATE TABLE teams (id int PRIMARY KEY);"
    users = "CREATE TABLE users (id int PRIMARY KEY, team int, CONSTRAINT in_team FOREIGN KEY (team) REFERENCES teams);"
    later = "ALTER TABLE users RENAME CONSTRAINT in_team TO users_team_fkey;"
    files = {"001_teams.sql": teams, "002_users.sql": users, "003_later.sql": later}
    url, reference = databases.create(), databases.create()
    execute(reference, *files.values())
    where = ("--migrations", chain(files), "--database-url", url, "up")
    assert 0 == run(*where, "--to", "2").code
    execute(url, "DROP TABLE teams CASCADE", "DELETE FROM trueup.schema_migrations WHERE migration_id ~ '^1_'")

    answer = run(*where, "--strict")

    assert 0 == answer.code, answer.err
    assert dump(reference) == dump(url)


def test_rows_that_a_guarded_step_has_left_are_not_selected_again(run: Run, chain: MakeChain, database: str) -> None:
    files = {
        **FIRST,
        "002_prefs.sql": "CREATE TABLE prefs (lead int PRIMARY KEY, n int);\n"
        "INSERT INTO prefs SELECT id, phone::int FROM leads ON CONFLICT DO NOTHING;",
        "003_calls.sql": "CREATE TABLE calls (id int);",
        "004_later.sql": "CREATE TABLE later (id int);",
    }
    done = [text for name, text in files.items() if name < "004"]
    execute(database, done[0], ROWS, *done[1:], "DELETE FROM prefs WHERE lead = 7")

    answer = run("--migrations", chain(files), "--database-url", database, "up", "--strict")

    assert 0 == answer.code, answer.err
    assert [(19,)] == rows(database, "SELECT count(*) FROM prefs")


def test_a_file_without_traces_has_not_run_behind_an_update_that_has_filled_no_row(
    run: Run, chain: MakeChain, databases: Databases
) -> None:
    column = "ALTER TABLE leads ADD COLUMN source text;"
    fill = "UPDATE leads SET source = 'unknown' WHERE source IS NULL;"
    copies = (
        "CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT 2 * $1';\n"
        "INSERT INTO notes SELECT twice(id) FROM leads;\nDROP FUNCTION twice;"
    )
    notes = {"002_notes.sql": "CREATE TABLE notes (n int);\nINSERT INTO notes VALUES (0);"}
    files = {**FIRST, **notes, "003_fill.sql": f"{column}\n{fill}", "004_copies.sql": copies}
    folder, url = chain({**files, "005_later.sql": "CREATE TABLE later (id int);"}), databases.create()
    execute(url, FIRST["001_leads.sql"], ROWS, notes["002_notes.sql"], column)

    answer = run("--migrations", folder, "--database-url", url, "up", "--strict")

    assert 0 == answer.code, answer.err
    assert [(21, 420)] == rows(url, "SELECT count(*), sum(n) FROM notes")
    assert [(20,)] == rows(url, "SELECT count(*) FROM leads WHERE source = 'unknown'")


SEQUENCES = {
    "a call": "SELECT setval('leads_id_seq', 2);",
    "a call that says the column": "SELECT setval(pg_get_serial_sequence('leads', 'id'), 3, false);",
    "another start": "ALTER SEQUENCE leads_id_seq RESTART WITH 3;",
}


@pytest.mark.parametrize("sets", SEQUENCES.values(), ids=SEQUENCES)
@pytest.mark.parametrize("is_marked", [False, True])
def test_a_sequence_is_not_set_back(run: Run, chain: MakeChain, database: str, sets: str, *, is_marked: bool) -> None:
    files = {**FIRST, "002_ids.sql": sets, "003_later.sql": "CREATE TABLE later (id int);"}
    where = ("--migrations", chain(files), "--database-url", database, "up")
    if is_marked:
        assert 0 == run(*where, "--to", "1").code
    else:
        execute(database, FIRST["001_leads.sql"])
    execute(database, sets, ROWS)

    answer = run(*where)

    assert (3 if is_marked else 0) == answer.code, answer.err
    execute(database, "INSERT INTO leads (name) VALUES ('last')")


@pytest.mark.parametrize("sets", SEQUENCES.values(), ids=SEQUENCES)
def test_a_sequence_that_has_not_come_so_far_is_set(run: Run, chain: MakeChain, database: str, sets: str) -> None:
    files = {**FIRST, "002_ids.sql": sets, "003_later.sql": "CREATE TABLE later (id int);"}
    execute(database, FIRST["001_leads.sql"])

    assert 0 == run("--migrations", chain(files), "--database-url", database, "up", "--strict").code
    assert [(3,)] == rows(database, "SELECT nextval('leads_id_seq')")


SPLIT = [
    "CREATE TABLE phones (lead int PRIMARY KEY, phone text)",
    "INSERT INTO phones SELECT id, phone FROM leads",
    "CREATE FUNCTION kept() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER kept AFTER INSERT ON leads FOR EACH ROW EXECUTE FUNCTION kept()",
]
FORGOTTEN = "DROP TRIGGER kept ON leads;\nDROP FUNCTION kept();\nALTER TABLE leads DROP COLUMN phone;"


@pytest.mark.parametrize(
    "done, code",
    [([0], 0), ([0, 1], 0), ([0, 1, 2, 3], 0), ([0, 2, 3], 3), ([0, 2, 3, "INSERT INTO phones VALUES (7, '7')"], 3)],
)
def test_what_a_step_copies_is_not_taken_away_before_it_is_there(
    run: Run, chain: MakeChain, database: str, done: list[int | str], code: int
) -> None:
    files = {**FIRST, "002_split.sql": ";\n".join(SPLIT) + ";", "003_forgotten.sql": FORGOTTEN}
    execute(database, FIRST["001_leads.sql"], ROWS, *(one if isinstance(one, str) else SPLIT[one] for one in done))

    answer = run("--migrations", chain(files), "--database-url", database, "up", "--strict")

    assert code == answer.code, answer.err
    kept, lost = "SELECT count(phone) FROM phones", "SELECT count(phone) FROM leads"
    assert [(20,)] == rows(database, lost if code else kept)


def test_what_reads_the_rows_of_a_step_of_its_file_that_runs_has_not_run(
    run: Run, chain: MakeChain, database: str
) -> None:
    phones = [
        "CREATE TABLE phones (id serial PRIMARY KEY, phone text UNIQUE)",
        "INSERT INTO phones (phone) SELECT DISTINCT phone FROM leads",
        "ALTER TABLE leads ADD COLUMN phone_id int REFERENCES phones",
        "UPDATE leads SET phone_id = p.id FROM phones p WHERE p.phone = leads.phone",
        "ALTER TABLE leads DROP COLUMN phone",
    ]
    execute(database, FIRST["001_leads.sql"], ROWS, phones[0], phones[2])
    folder = chain({**FIRST, "002_phones.sql": ";\n".join(phones) + ";"})

    assert 0 == run("--migrations", folder, "--database-url", database, "up", "--strict").code
    assert [(20,)] == rows(database, "SELECT count(phone_id) FROM leads")


def test_what_is_left_to_read_is_not_taken_away_because_some_is_gone(run: Run, chain: MakeChain, database: str) -> None:
    two = [
        "ALTER TABLE leads ADD COLUMN two jsonb NOT NULL DEFAULT '{}'",
        "UPDATE leads SET two = jsonb_build_array(name, phone)",
        "ALTER TABLE leads DROP COLUMN name",
        "ALTER TABLE leads DROP COLUMN phone",
    ]
    execute(database, FIRST["001_leads.sql"], ROWS, two[0], two[3])
    folder = chain({**FIRST, "002_two.sql": ";\n".join(two) + ";"})

    assert 3 == run("--migrations", folder, "--database-url", database, "up").code


@pytest.mark.parametrize("key", ["", " PRIMARY KEY"])
def test_what_its_file_begins_with_is_not_copied_twice(run: Run, chain: MakeChain, database: str, key: str) -> None:
    copy = "INSERT INTO phones SELECT id, phone FROM leads;"
    files = {
        "001_leads.sql": f"{FIRST['001_leads.sql']}\nCREATE TABLE phones (lead int{key}, phone text);",
        "002_copy.sql": f"{copy}\nALTER TABLE leads DROP COLUMN phone;",
    }
    execute(database, files["001_leads.sql"], ROWS, copy)

    assert 0 == run("--migrations", chain(files), "--database-url", database, "up", "--strict").code
    assert [(20,)] == rows(database, "SELECT count(*) FROM phones")


def test_a_view_that_was_never_filled_is_filled(run: Run, chain: MakeChain, database: str) -> None:
    made = "CREATE MATERIALIZED VIEW ids AS SELECT id FROM leads WITH NO DATA;"
    files = {
        **FIRST,
        "002_ids.sql": f"{made}\nREFRESH MATERIALIZED VIEW ids;",
        "003_later.sql": "CREATE TABLE later (id int);",
    }
    execute(database, FIRST["001_leads.sql"], ROWS, made)

    assert 0 == run("--migrations", chain(files), "--database-url", database, "up", "--strict").code
    assert [(20,)] == rows(database, "SELECT count(*) FROM ids")


@pytest.mark.parametrize("by_hand", ["CREATE TABLE kept (id int, phone text)", "ALTER TABLE leads DROP COLUMN phone"])
def test_a_table_made_of_a_query_has_what_that_found(run: Run, chain: MakeChain, database: str, by_hand: str) -> None:
    files = {
        **FIRST,
        "002_kept.sql": "CREATE TABLE kept AS SELECT * FROM (SELECT id, phone FROM leads) of;",
        "003_phone.sql": "ALTER TABLE leads DROP COLUMN phone;",
        "004_later.sql": "CREATE TABLE later (id int);",
    }
    where = ("--migrations", chain(files), "--database-url", database, "up")
    assert 0 == run(*where, "--to", "1").code
    execute(database, ROWS, by_hand)

    assert 3 == run(*where).code


def test_rows_that_files_write_anew_say_nothing_behind_a_step_that_is_to_come(
    run: Run, chain: MakeChain, databases: Databases
) -> None:
    anew = "DELETE FROM kinds WHERE id IN (1, 2);\nINSERT INTO kinds VALUES (1, '{0}'), (2, '{0}');"
    kinds = "CREATE TABLE kinds (id int PRIMARY KEY, name text);\nINSERT INTO kinds VALUES (1, 'a'), (2, 'a');"
    files = {
        **FIRST,
        "002_kinds.sql": kinds,
        "003_more.sql": "ALTER TABLE leads ADD COLUMN more int;",
        "004_kinds.sql": anew.format("b"),
        "005_kinds.sql": anew.format("a"),
        "006_later.sql": "CREATE TABLE later (id int);",
    }
    folder, url = chain(files), databases.create()
    execute(url, FIRST["001_leads.sql"], ROWS, kinds)

    answer = run("--migrations", folder, "--database-url", url, "up", "--strict")

    assert 0 == answer.code, answer.err
    assert [(1, "a"), (2, "a")] == rows(url, "SELECT * FROM kinds ORDER BY id")


@pytest.mark.parametrize("by_hand, code", [((0, 2), 0), ((0, 2, 3), 3)])
def test_a_block_of_which_only_the_rows_are_missing_is_not_done(
    run: Run, chain: MakeChain, database: str, by_hand: tuple[int, ...], code: int
) -> None:
    block = [
        "CREATE TABLE phones (lead int PRIMARY KEY, phone text)",
        "INSERT INTO phones (lead, phone) SELECT id, phone FROM leads",
        "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION two() RETURNS int LANGUAGE sql AS 'SELECT 2'",
    ]
    files = {
        **FIRST,
        "002_others.sql": "CREATE TABLE calls (id int);\nCREATE TABLE notes (id int);",
        "003_phones.sql": f"BEGIN;\n{';'.join(block)};\nCOMMIT;",
    }
    where = ("--migrations", chain(files), "--database-url", database, "up")
    assert 0 == run(*where, "--to", "1").code
    execute(database, ROWS, *(block[one] for one in by_hand))

    assert code == run(*where).code
    assert [(0 if code else 20,)] == rows(database, "SELECT count(*) FROM phones")


@pytest.mark.parametrize("more, code", [("", 0), ("INSERT INTO notes VALUES ('numbered');", 3)])
def test_a_sequence_that_a_block_sets_does_not_stay_behind_its_rows(
    run: Run, chain: MakeChain, database: str, more: str, code: int
) -> None:
    block = f"DO $$BEGIN PERFORM setval('leads_id_seq', (SELECT max(id) FROM leads)); {more} END$$;"
    files = {
        "001_leads.sql": "CREATE TABLE leads (id int PRIMARY KEY, name text);\nCREATE TABLE notes (note text);",
        "002_numbers.sql": f"ALTER TABLE leads ALTER id ADD GENERATED BY DEFAULT AS IDENTITY;\n{block}",
        "003_later.sql": "CREATE TABLE later (id int);",
    }
    execute(database, files["001_leads.sql"], "INSERT INTO leads VALUES (1, 'a'), (2, 'b')")
    execute(database, files["002_numbers.sql"].split("\n")[0], "INSERT INTO notes VALUES ('old')")

    answer = run("--migrations", chain(files), "--database-url", database, "up")

    assert code == answer.code, answer.err
    assert value(database, "SELECT nextval('leads_id_seq')") == (1 if code else 3)
