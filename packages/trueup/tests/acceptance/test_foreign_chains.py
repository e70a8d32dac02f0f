"""Other tools' folders of migrations as they stand: without a configuration file, without a directive."""

from __future__ import annotations

import pytest

import trueup
from trueup.chain.grammar import parse_statements
from trueup.connect.connection import connect
from trueup_testing.chains import Files, Locksmith, MakeChain, write_chain
from trueup_testing.command import Run
from trueup_testing.databases import Databases, execute, rows
from trueup_testing.schema import dump

pytestmark = pytest.mark.acceptance


A, B, C = "CREATE TABLE a (id int PRIMARY KEY, x text);", "ALTER TABLE a ADD y int;", "CREATE INDEX a_y ON a (y);"
DROP = "DROP TABLE a;"

LAYOUTS: dict[str, Files] = {
    "golang-migrate": {
        "000001_a.up.sql": A,
        "000001_a.down.sql": DROP,
        "000002_b.up.sql": B,
        "000002_b.down.sql": "ALTER TABLE a DROP y;",
        "000010_c.up.sql": C,
    },
    "dbmate": {
        "20240101000000_a.sql": f"-- migrate:up\n{A}\n\n-- migrate:down\n{DROP}\n",
        "20240102000000_b.sql": f"-- migrate:up\n{B}\n-- migrate:down\n",
        "20240103000000_c.sql": f"-- migrate:up transaction:false\n{C}\n-- migrate:down\nDROP INDEX a_y;",
    },
    "goose": {
        "00001_a.sql": f"-- +goose Up\n-- +goose StatementBegin\n{A}\n-- +goose StatementEnd\n\n-- +goose Down\n{DROP}\n",
        "00002_b.sql": f"-- +goose NO TRANSACTION\n-- +goose Up\n{B}\n{C}\n-- +goose Down\n{DROP}",
    },
    "sql-migrate": {
        "1_a.sql": f"-- +migrate Up\n{A}\n-- +migrate Down\n{DROP}",
        "2_b.sql": f"-- +migrate Up notransaction\n{B}\n{C}\n-- +migrate Down\n{DROP}",
    },
    "Flyway": {
        "V1__a.sql": A,
        "V1.1__b.sql": B,
        "V10__c.sql": C,
        "V2__d.sql": "SELECT 1;",
        "U1__a.sql": DROP,
        "R__v.sql": "CREATE OR REPLACE VIEW v AS SELECT id FROM a;",
    },
    "Prisma": {
        "20240101000000_init/migration.sql": A,
        "20240102000000_more/migration.sql": f"{B}\n{C}",
        "migration_lock.toml": 'provider = "postgresql"\n',
    },
    "Diesel": {
        "2024-01-01-000000_a/up.sql": A,
        "2024-01-01-000000_a/down.sql": DROP,
        "2024-01-02-000000_b/up.sql": f"{B}\n{C}",
        "2024-01-02-000000_b/down.sql": "ALTER TABLE a DROP y;",
    },
    "numbers that are not padded": {"1.sql": A, "2.sql": B, "10.sql": C},
    "duplicate numbers": {"1_a.sql": A, "2_b.sql": B, "2_c.sql": C},
}


@pytest.mark.parametrize("tool", LAYOUTS)
def test_a_folder_is_a_chain_as_it_stands(run: Run, chain: MakeChain, databases: Databases, tool: str) -> None:
    folder, url, by_hand = chain(LAYOUTS[tool], locked=False), databases.create(), databases.create()
    execute(by_hand, A, B, C, *(["CREATE VIEW v AS SELECT id FROM a"] if tool == "Flyway" else []))

    locked = run("--migrations", folder, "lock")
    first = run("--migrations", folder, "--database-url", url, "up", "--json")
    second = run("--migrations", folder, "--database-url", url, "up", "--json")

    assert 0 == locked.code, locked.err
    assert (0, True) == (first.code, first.json["true"]), first.err
    assert (0, []) == (second.code, [step for step in second.json["steps"] if step["statements"]])
    assert dump(by_hand) == dump(url)


TEXTS = {
    "CONCURRENTLY": "CREATE TABLE b (id int);\nCREATE INDEX CONCURRENTLY b_id ON b (id);\nDROP INDEX CONCURRENTLY b_id;",
    "BEGIN and COMMIT": "BEGIN;\nCREATE TABLE b (id int);\nCREATE INDEX b_id ON b (id);\nCOMMIT;",
    "LOCK TABLE": "LOCK TABLE a IN EXCLUSIVE MODE;\nALTER TABLE a ADD z int;\nUPDATE a SET z = 1;",
    "SET LOCAL": "SET LOCAL lock_timeout = '1s';\nALTER TABLE a ADD z int;",
    "SET search_path": "CREATE SCHEMA s;\nSET search_path TO s, public;\nCREATE TABLE b (id int REFERENCES a);",
    "a temporary table": "CREATE TEMP TABLE t AS SELECT 1 AS id;\nCREATE TABLE b AS SELECT id FROM t;\nDROP TABLE t;",
    "a temporary function": (
        "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1';\nCREATE TABLE b AS SELECT pg_temp.f() AS n;"
    ),
    "a DO block": "DO $$ BEGIN\n  CREATE TABLE b (id int);\n  CREATE INDEX b_id ON b (id);\nEND $$;",
    "a procedure that commits": (
        "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE b (id int); COMMIT; END $$;\nCALL p();"
    ),
    "a view made again": "CREATE VIEW v AS SELECT x FROM a;\nDROP VIEW v;\nCREATE VIEW v AS SELECT id, x FROM a;",
    "guards": "CREATE TABLE IF NOT EXISTS b (id int);\nALTER TABLE b ADD COLUMN IF NOT EXISTS n int;\n"
    "DROP TABLE IF EXISTS gone;",
    "an enum's label used at once": (
        "CREATE TYPE e AS ENUM ('a');\nALTER TYPE e ADD VALUE 'b';\nALTER TABLE a ADD e e DEFAULT 'b';"
    ),
    "a table swapped": (
        "CREATE TABLE a_new (id bigint PRIMARY KEY, x text);\nINSERT INTO a_new SELECT id, x FROM a;\nDROP TABLE a;\n"
        "ALTER TABLE a_new RENAME TO a;"
    ),
    "privileges": "GRANT SELECT ON a TO PUBLIC;\nREVOKE ALL ON SCHEMA public FROM PUBLIC;",
    "functions of several kinds": (
        "CREATE FUNCTION f(a int DEFAULT 1, VARIADIC b int[] DEFAULT '{}') RETURNS TABLE (n int) LANGUAGE sql AS "
        "'SELECT 1';\nCREATE FUNCTION f(a text) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END;\n"
        "DROP FUNCTION f(text);"
    ),
    "VACUUM": "VACUUM ANALYZE a;",
    "a copy of an index": "CREATE INDEX b1 ON a (x);\nCREATE INDEX b2 ON a (x);",
}


@pytest.mark.parametrize("start", ["empty", "with rows"])
@pytest.mark.parametrize("name", TEXTS)
def test_what_people_write_is_run_as_psql_runs_it(
    chain: MakeChain, databases: Databases, name: str, start: str
) -> None:
    files = {"1_a.sql": A, "2_b.sql": TEXTS[name], "3_c.sql": "CREATE TABLE last (id int);"}
    folder, url, by_hand = chain(files), databases.create(), databases.create()
    with_rows = [A, "INSERT INTO a VALUES (1, 'x'), (2, NULL)"] if start == "with rows" else []
    execute(url, *with_rows)
    execute(by_hand, *(with_rows or [A]))
    psql(by_hand, TEXTS[name])
    execute(by_hand, files["3_c.sql"])

    first, second = trueup.up(url, folder), trueup.up(url, folder)

    assert first.true
    assert second.true
    assert [] == second.sent
    assert dump(by_hand) == dump(url)
    assert rows(by_hand, "SELECT id FROM a ORDER BY 1") == rows(url, "SELECT id FROM a ORDER BY 1")


def psql(url: str, text: str) -> None:
    """Run a text as psql does: statement by statement in one session."""
    with connect(url) as conn:
        conn.execute("SET client_min_messages = error")
        local = "SET LOCAL" in text or "LOCK TABLE" in text  # psql --single-transaction
        statements = [statement.text for statement in parse_statements(text)]
        for statement in ["BEGIN", *statements, "COMMIT"] if local else statements:
            conn.execute(statement.encode())


C_TABLE = "CREATE TABLE public.c (id int, t text, d date, j jsonb, n int GENERATED ALWAYS AS IDENTITY);"
C_COPY = "COPY public.c (id, t, d, j) FROM stdin"
C_ROWS = """1\ta 'quoted' \\\\ back	2024-01-01	{"a": "b\\\\nc"}
2\tline\\none\\x41\\102	\\N	\\N
3\t\t\\N	[]
"""
C_KEY = "ALTER TABLE ONLY public.c\n    ADD CONSTRAINT c_pkey PRIMARY KEY (id);"
DUMP = (
    f"\\restrict abc\n{C_TABLE}\n{C_COPY};\n{C_ROWS}\\.\n\n"
    f"COPY public.c (id) FROM stdin;\n\\.\n\n{C_KEY}\n\\unrestrict abc\n"
)


def test_a_pasted_dump_is_run_with_its_rows(chain: MakeChain, databases: Databases) -> None:
    folder, url, by_hand = chain({"1_dump.sql": DUMP}), databases.create(), databases.create()
    execute(by_hand, C_TABLE)
    with connect(by_hand) as conn, conn.cursor().copy(C_COPY) as copy:
        copy.write(C_ROWS)
    execute(by_hand, C_KEY)

    assert trueup.up(url, folder).true

    assert dump(by_hand) == dump(url)
    assert rows(by_hand, "SELECT * FROM c ORDER BY id") == rows(url, "SELECT * FROM c ORDER BY id")


@pytest.mark.parametrize(
    "text, said",
    [
        ("COPY a FROM stdin WITH (FORMAT csv);\n1,b\n\\.\n", "only rows as pg_dump writes them can be read"),
        ("COPY a FROM stdin;\n1\tb\n", "syntax error"),
        ("\\i other.sql\n", "syntax error"),
    ],
)
def test_what_only_psql_could_do_is_refused_with_its_place(run: Run, chain: MakeChain, text: str, said: str) -> None:
    folder = chain({"1_a.sql": f"{A}\n{text}"}, locked=False)

    answer = run("--migrations", folder, "lock")

    assert 2 == answer.code
    assert said in answer.err
    assert "1_a.sql:" in answer.err


def test_flyway_s_repeatable_files_run_again_when_they_change(
    run: Run, chain: MakeChain, database: str, locksmith: Locksmith
) -> None:
    folder = chain({"V1__a.sql": A, "R__v.sql": "CREATE OR REPLACE VIEW v AS SELECT id FROM a;"})
    where = ("--migrations", folder, "--database-url", database)
    assert 0 == run(*where, "up", "--strict").code

    write_chain(folder, {"R__v.sql": "CREATE OR REPLACE VIEW v AS SELECT id, x FROM a;"})
    locksmith.lock(folder)
    answer = run(*where, "up", "--strict", "--json")
    again = run(*where, "up", "--strict", "--json")

    assert 0 == answer.code, answer.err
    assert ["R__v_v_view"] == [step["id"] for step in answer.json["steps"] if step["statements"]]
    assert [] == [step for step in again.json["steps"] if step["statements"]]
    assert "x" in str(rows(database, "SELECT pg_get_viewdef('v'::regclass)"))


def test_roles_and_grants_that_a_chain_needs_are_made(run: Run, chain: MakeChain, database: str) -> None:
    execute(database, "DROP ROLE IF EXISTS trueup_test_app")
    folder = chain(
        {"1_a.sql": A, "2_b.sql": "CREATE ROLE trueup_test_app NOLOGIN;\nGRANT SELECT ON a TO trueup_test_app;"}
    )
    execute(database, "DROP ROLE IF EXISTS trueup_test_app")

    answer = run("--migrations", folder, "--database-url", database, "up", "--strict")

    assert 0 == answer.code, answer.err
    assert [(True,)] == rows(database, "SELECT has_table_privilege('trueup_test_app', 'a', 'SELECT')")
    execute(database, "DROP OWNED BY trueup_test_app", "DROP ROLE trueup_test_app")


def test_a_role_that_is_there_for_another_database_is_not_made_again(
    run: Run, chain: MakeChain, databases: Databases
) -> None:
    folder = chain(
        {"1_a.sql": f"BEGIN;\nCREATE ROLE trueup_test_two;\n{A}\nGRANT SELECT ON a TO trueup_test_two;\nCOMMIT;"}
    )
    urls = [databases.create(), databases.create()]

    for url in urls:
        answer = run("--migrations", folder, "--database-url", url, "up", "--strict")
        assert 0 == answer.code, answer.err

    for url in urls:
        assert [(True,)] == rows(url, "SELECT has_table_privilege('trueup_test_two', 'a', 'SELECT')")
        execute(url, "DROP OWNED BY trueup_test_two")
    execute(urls[0], "DROP ROLE trueup_test_two")


GRANTS = (
    "GRANT SELECT, INSERT ON a TO pg_monitor;\nGRANT UPDATE (x) ON a TO PUBLIC;\n"
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';\nREVOKE EXECUTE ON FUNCTION f() FROM PUBLIC;\n"
    "REVOKE ALL ON SCHEMA public FROM PUBLIC;\n"
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO pg_monitor;\nCREATE TABLE b (id int);"
)


def test_privileges_lost_are_granted_again_and_others_are_left(chain: MakeChain, databases: Databases) -> None:
    folder, url, by_hand = chain({"1_a.sql": A, "2_b.sql": GRANTS}), databases.create(), databases.create()
    assert trueup.up(url, folder).true
    execute(by_hand, A)
    psql(by_hand, GRANTS)
    lost = [
        "REVOKE INSERT, SELECT ON a FROM pg_monitor",
        "REVOKE ALL ON b FROM pg_monitor",
        "REVOKE UPDATE (x) ON a FROM PUBLIC",
    ]
    execute(url, *lost, "ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM pg_monitor")
    others = "GRANT EXECUTE ON FUNCTION f() TO pg_read_all_data"
    execute(url, others)
    execute(by_hand, others)

    assert trueup.up(url, folder).true
    assert dump(by_hand) == dump(url)


def test_what_an_owner_is_granted_it_has(chain: MakeChain, databases: Databases) -> None:
    folder, url = chain({"1_a.sql": A, "2_b.sql": "GRANT SELECT, INSERT ON a TO pg_monitor;"}), databases.create()
    execute(url, A, "ALTER TABLE a OWNER TO pg_monitor")

    first, second = trueup.up(url, folder), trueup.up(url, folder)

    assert (True, True, []) == (first.true, second.true, second.sent)
