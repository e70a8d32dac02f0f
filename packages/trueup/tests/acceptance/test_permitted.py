"""What the role of the connection may not do is known before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from trueup_testing.chains import MakeChain
from trueup_testing.command import Run
from trueup_testing.databases import Databases, execute, rows

pytestmark = pytest.mark.acceptance

ROLE = "trueup_test_app"
TABLES = "CREATE TABLE a (id int PRIMARY KEY, n int);\nCREATE TABLE b (id int PRIMARY KEY, n int);"
HIDDEN = (
    "ALTER TABLE a ENABLE ROW LEVEL SECURITY;\nALTER TABLE a FORCE ROW LEVEL SECURITY;\n"
    "CREATE POLICY own ON a USING (n = 1) WITH CHECK (true);"
)


@pytest.fixture
def owned(databases: Databases) -> Iterator[tuple[str, str]]:
    """The URL of a database for a role that owns what it makes there, and the same for a superuser."""
    url = databases.create()
    execute(
        url,
        f"DO $$ BEGIN CREATE ROLE {ROLE} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$",
        f"GRANT ALL ON SCHEMA public TO {ROLE}",
        f"DO $$ BEGIN EXECUTE format('GRANT ALL ON DATABASE %I TO {ROLE}', current_database()); END $$",
    )
    yield make_conninfo(url, user=ROLE), url
    execute(url, f"DROP OWNED BY {ROLE}")


def is_changed(url: str) -> bool:
    """True where the table that the role may change has been changed."""
    return bool(rows(url, "SELECT FROM pg_attribute WHERE attrelid = 'a'::regclass AND attname = 'more'"))


BELONGS = {
    "a table": ("ALTER TABLE b OWNER TO CURRENT_USER", "ALTER TABLE b ADD more int;", "public.b belongs to"),
    "an index of a table": ("ALTER TABLE b OWNER TO CURRENT_USER", "CREATE INDEX i ON b (n);", "public.b belongs to"),
    "a function": (
        f"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; GRANT ALL ON FUNCTION f() TO {ROLE}",
        "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2';",
        "public.f() belongs to",
    ),
    "an enum": ("ALTER TYPE kind OWNER TO CURRENT_USER", "ALTER TYPE kind ADD VALUE 'y';", "public.kind belongs to"),
    "a schema": (f"REVOKE CREATE ON SCHEMA public FROM {ROLE}", "CREATE VIEW v AS SELECT * FROM b;", "make nothing in"),
}


@pytest.mark.parametrize("name", BELONGS)
def test_nothing_is_run_where_the_role_may_not_do_all_of_it(
    run: Run, chain: MakeChain, owned: tuple[str, str], name: str
) -> None:
    take, step, why = BELONGS[name]
    more = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';" if name == "a function" else ""
    kind = "CREATE TYPE kind AS ENUM ('x');"
    files = {"001_a.sql": f"{TABLES}\n{kind}\n{more}", "002_b.sql": f"ALTER TABLE a ADD more int;\n{step}"}
    app, superuser = owned
    with psycopg.connect(app, autocommit=True) as conn:
        conn.execute(f"{TABLES}\n{kind}".encode())
    execute(superuser, take)

    answer = run("--migrations", chain(files), "--database-url", app, "up")

    assert 3 == answer.code, answer.err
    assert why in " ".join(answer.err.split())
    assert not is_changed(superuser)


def test_a_role_that_may_do_all_of_it_does(run: Run, chain: MakeChain, owned: tuple[str, str]) -> None:
    app, superuser = owned
    folder = chain({"001_a.sql": TABLES, "002_b.sql": "ALTER TABLE a ADD more int;\nUPDATE a SET more = n;"})

    assert 0 == run("--migrations", folder, "--database-url", app, "up").code
    assert is_changed(superuser)


@pytest.mark.parametrize(
    "step",
    [
        "UPDATE a SET n = n + 1;",
        "INSERT INTO b SELECT * FROM a;",
        "DELETE FROM a WHERE id > 1;",
        "INSERT INTO a VALUES (1, 2);",
    ],
)
def test_no_data_step_goes_by_rows_that_it_cannot_see(
    run: Run, chain: MakeChain, owned: tuple[str, str], step: str
) -> None:
    app, superuser = owned
    folder = chain({"001_a.sql": f"{TABLES}\n{HIDDEN}", "002_b.sql": f"{step}\nALTER TABLE a ADD more int;"})
    with psycopg.connect(app, autocommit=True) as conn:
        conn.execute(f"{TABLES}\n{HIDDEN}".encode())
    execute(superuser, "INSERT INTO a VALUES (1, 2), (2, 2)")
    where = ("--migrations", folder, "--database-url", app)

    answer = run(*where, "up")

    assert 3 == answer.code, answer.err
    assert "row security hides rows of public.a" in " ".join(answer.err.split())
    assert not is_changed(superuser)
    assert 0 == run("--migrations", folder, "--database-url", superuser, "plan").code


@pytest.mark.parametrize("state", [(), (TABLES,)], ids=["nothing is there", "its tables are there"])
def test_tables_are_not_made_in_another_schema_than_the_chain_s(
    run: Run, chain: MakeChain, database: str, state: tuple[str, ...]
) -> None:
    folder = chain({"001_a.sql": TABLES, "002_b.sql": "ALTER TABLE a ADD more int;"})
    execute(database, "CREATE SCHEMA app")
    set_path = (
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = app, public', current_database()); END $$"
    )
    execute(database, set_path)
    execute(database, *state)

    answer = run("--migrations", folder, "--database-url", database, "up", "--first-run")

    assert 3 == answer.code, answer.err
    assert "would be made in the schema app: here the search_path is app, public" in " ".join(answer.err.split())
    assert not rows(database, "SELECT FROM pg_namespace WHERE nspname = 'trueup'")
    url = make_conninfo(database, options="-csearch_path=public")
    assert 0 == run("--migrations", folder, "--database-url", url, "up", "--first-run").code
