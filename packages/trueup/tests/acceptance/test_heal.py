"""Databases that were damaged by hand: what is missing is made again, and no row is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

import trueup
from trueup_testing.chains import Files, Locksmith, MakeChain, write_chain
from trueup_testing.command import Run
from trueup_testing.databases import Databases, execute, rows, value
from trueup_testing.schema import columns, dump, row_digests

pytestmark = pytest.mark.acceptance


CHAIN: Files = {
    "001_types.sql": """
        CREATE TYPE mood AS ENUM ('sad', 'glad');
        CREATE TYPE pair AS (a int, b text);
        CREATE DOMAIN phone AS text CHECK (VALUE ~ '^[0-9]*$');
        CREATE SEQUENCE tickets START WITH 100;
    """,
    "002_leads.sql": """
        CREATE TABLE leads (
            id serial PRIMARY KEY,
            name varchar(64) NOT NULL,
            mood mood DEFAULT 'glad',
            tel phone,
            at timestamptz NOT NULL DEFAULT now(),
            price numeric(8,2) NOT NULL DEFAULT 1 CONSTRAINT leads_price CHECK (price > 0),
            ticket int DEFAULT nextval('tickets'),
            CONSTRAINT leads_name UNIQUE (name)
        );
        CREATE TABLE calls (
            id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            lead_id int NOT NULL CONSTRAINT calls_lead REFERENCES leads ON DELETE CASCADE,
            note text
        );
    """,
    "003_indexes.sql": """
        CREATE INDEX leads_tel ON leads (tel) WHERE tel IS NOT NULL;
        CREATE INDEX calls_note ON calls (lower(note));
        CREATE STATISTICS leads_stats ON name, mood FROM leads;
    """,
    "004_code.sql": """
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at = now(); RETURN NEW; END $$;
        CREATE TRIGGER touched BEFORE UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION touch();
        CREATE TRIGGER changed BEFORE UPDATE ON leads FOR EACH ROW
            WHEN (ROW(OLD.name, OLD.tel, OLD.at) IS DISTINCT FROM ROW(NEW.name, NEW.tel, NEW.at))
            EXECUTE FUNCTION touch();
        CREATE FUNCTION dear(leads) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.price > 10';
        CREATE VIEW glad AS SELECT id, name FROM leads WHERE mood = 'glad';
        CREATE VIEW glad_calls AS SELECT c.id, g.name FROM calls c JOIN glad g ON g.id = c.lead_id;
        CREATE VIEW listed AS SELECT l.id FROM leads l
            WHERE (l.name)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text]);
        CREATE VIEW named AS SELECT note FROM leads l JOIN calls ON lead_id = l.id
            WHERE '{"a": 1}'::jsonb ?| array[name];
        CREATE MATERIALIZED VIEW per_lead AS SELECT lead_id, count(*) AS n FROM calls GROUP BY lead_id;
        CREATE UNIQUE INDEX per_lead_id ON per_lead (lead_id);
        CREATE POLICY own ON calls USING (id > 0);
        ALTER TABLE calls ENABLE ROW LEVEL SECURITY;
        CREATE RULE quiet AS ON DELETE TO calls DO INSTEAD NOTHING;
        COMMENT ON TABLE leads IS 'people';
        COMMENT ON COLUMN leads.tel IS 'digits';
    """,
    "005_later.sql": "ALTER TABLE leads ADD COLUMN tags text[] NOT NULL DEFAULT '{}';"
    "ALTER TABLE leads ALTER tags SET STATISTICS 500, ALTER tags SET STORAGE EXTERNAL, ALTER tags SET (n_distinct = 3);",
    "006_parts.sql": """
        CREATE TABLE parts (id int NOT NULL, kind text) PARTITION BY LIST (id);
        CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
        ALTER TABLE ONLY parts ALTER kind SET DEFAULT 'whole';
        CREATE INDEX parts_kind ON parts (kind);
    """,
}
ROWS = """
    INSERT INTO leads (name, tel, price) SELECT 'ליד ' || n, n::text, n FROM generate_series(1, 50) n;
    INSERT INTO calls (lead_id, note) SELECT 1 + n % 50, 'note ' || n FROM generate_series(1, 80) n;
    REFRESH MATERIALIZED VIEW per_lead;
"""

DAMAGES = {
    "an index": "DROP INDEX leads_tel",
    "an index of another definition": "DROP INDEX leads_tel; CREATE INDEX leads_tel ON leads (tel)",
    "an index that partitions do not have": "DROP INDEX parts_kind; CREATE INDEX parts_kind ON ONLY parts (kind)",
    "an index that is unique in the chain": "DROP INDEX per_lead_id; CREATE INDEX per_lead_id ON per_lead (lead_id)",
    "a unique constraint": "ALTER TABLE leads DROP CONSTRAINT leads_name",
    "a check": "ALTER TABLE leads DROP CONSTRAINT leads_price",
    "a foreign key": "ALTER TABLE calls DROP CONSTRAINT calls_lead",
    "a foreign key without its action": (
        "ALTER TABLE calls DROP CONSTRAINT calls_lead, ADD CONSTRAINT calls_lead FOREIGN KEY (lead_id) REFERENCES leads"
    ),
    "a foreign key that is not validated": (
        "ALTER TABLE calls DROP CONSTRAINT calls_lead, ADD CONSTRAINT calls_lead FOREIGN KEY (lead_id) "
        "REFERENCES leads ON DELETE CASCADE NOT VALID"
    ),
    "a primary key and what hangs on it": "ALTER TABLE leads DROP CONSTRAINT leads_pkey CASCADE",
    "a default": "ALTER TABLE leads ALTER price DROP DEFAULT",
    "a default that partitions do not have": "ALTER TABLE parts ALTER kind DROP DEFAULT",
    "the default of a serial": "ALTER TABLE leads ALTER id DROP DEFAULT",
    "the sequence of a serial": "DROP SEQUENCE leads_id_seq CASCADE",
    "a sequence": "DROP SEQUENCE tickets CASCADE",
    "an identity": "ALTER TABLE calls ALTER id DROP IDENTITY",
    "options of a column": "ALTER TABLE leads ALTER tags SET STATISTICS -1, ALTER tags RESET (n_distinct)",
    "other options of a column": "ALTER TABLE leads ALTER tags SET STORAGE MAIN",
    "NOT NULL": "ALTER TABLE leads ALTER name DROP NOT NULL, ALTER at DROP NOT NULL",
    "a column with a default": "ALTER TABLE leads DROP COLUMN tags",
    "a nullable column and its index": "ALTER TABLE leads DROP COLUMN tel CASCADE",
    "a column that views use": "ALTER TABLE leads DROP COLUMN mood CASCADE",
    "a view and what hangs on it": "DROP VIEW glad CASCADE",
    "a view that the server shows in another way": "DROP VIEW listed",
    "a view of several tables that the server shows in another way": "DROP VIEW named",
    "a view of another definition": "CREATE OR REPLACE VIEW glad AS SELECT id, name FROM leads",
    "a materialised view": "DROP MATERIALIZED VIEW per_lead",
    "a function and its trigger": "DROP FUNCTION touch() CASCADE",
    "a function of another body": (
        "CREATE OR REPLACE FUNCTION dear(leads) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'"
    ),
    "a function": "DROP FUNCTION dear(leads)",
    "a trigger": "DROP TRIGGER touched ON leads",
    "a trigger whose condition the server shows in another way": "DROP TRIGGER changed ON leads",
    "a policy": "DROP POLICY own ON calls",
    "row security": "ALTER TABLE calls DISABLE ROW LEVEL SECURITY",
    "a rule": "DROP RULE quiet ON calls",
    "statistics": "DROP STATISTICS leads_stats",
    "comments": "COMMENT ON TABLE leads IS NULL; COMMENT ON COLUMN leads.tel IS NULL",
    "a comment of other words": "COMMENT ON COLUMN leads.tel IS 'number'",
    "a composite type": "DROP TYPE pair",
    "a table that no row hangs on": "DROP TABLE calls CASCADE",
    "many things": (
        "DROP VIEW glad CASCADE; DROP INDEX leads_tel; ALTER TABLE leads DROP COLUMN tags, ALTER name DROP NOT NULL;"
        "DROP FUNCTION touch() CASCADE; DROP MATERIALIZED VIEW per_lead"
    ),
}
DIFFERENT = {
    "a view of another definition",
    "a function of another body",
    "an index of another definition",
    "a comment of other words",
    "other options of a column",
}
"""Values that the chain never gave: told, and not touched."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, locksmith: Locksmith) -> Path:
    return locksmith.lock(write_chain(tmp_path_factory.mktemp("heal") / "migrations", CHAIN))


def by_hand(url: str) -> None:
    execute(url, *CHAIN.values(), ROWS)


@pytest.mark.parametrize("name", [name for name in DAMAGES if name not in DIFFERENT])
def test_what_is_missing_is_made_again(run: Run, folder: Path, databases: Databases, name: str) -> None:
    url, reference = databases.copy_of("healed", by_hand), databases.copy_of("healed", by_hand)
    execute(url, DAMAGES[name])
    left = columns(url)
    before = row_digests(url, left)

    answer = run("--migrations", folder, "--database-url", url, "up", "--json")

    assert 0 == answer.code, answer.err
    assert answer.json["true"]
    assert {"heal", "run"} >= {step["verdict"] for step in answer.json["steps"] if step["statements"]}
    assert dump(reference) == dump(url)
    assert before == row_digests(url, left)
    execute(url, "INSERT INTO leads (name) VALUES ('new')", "INSERT INTO calls (lead_id) VALUES (1)")
    assert [] == rows(url, "SELECT ticket FROM leads WHERE ticket > 0 GROUP BY ticket HAVING count(*) > 1")


@pytest.mark.parametrize("name", sorted(DIFFERENT))
def test_what_differs_is_told_and_not_touched(run: Run, folder: Path, databases: Databases, name: str) -> None:
    url = databases.copy_of("healed", by_hand)
    execute(url, DAMAGES[name])
    before = dump(url)

    answer = run("--migrations", folder, "--database-url", url, "up", "--json")

    assert (0, True, False) == (answer.code, answer.json["up_to_date"], answer.json["true"])
    assert 1 == len(answer.json["drift"])
    assert before == dump(url)


def test_what_is_missing_makes_no_rename_behind_it_one_that_was_done_early(
    run: Run, chain: MakeChain, databases: Databases
) -> None:
    files = {
        "001_s.sql": "CREATE TABLE s (id int, email text CONSTRAINT s_email UNIQUE);\nCREATE TABLE g (id int);\n"
        "CREATE TABLE logins (id int, ip text);",
        "002_g.sql": "ALTER TABLE g RENAME TO c;\nALTER TABLE c ADD p text;",
        "003_ip.sql": "ALTER TABLE logins DROP ip;",
        "004_ip.sql": "ALTER TABLE logins ADD ip text;",
        "005_n.sql": "CREATE TABLE n (id int, o int DEFAULT 0 NOT NULL, p int DEFAULT 1);",
        "006_z.sql": "CREATE TABLE z (id int);",
    }
    folder, url = chain(files), databases.create()
    execute(
        url,
        *list(files.values())[:5],
        "INSERT INTO logins VALUES (1, '10.0.0.1')",
        "ALTER TABLE s DROP CONSTRAINT s_email",
        "ALTER TABLE n ALTER o DROP NOT NULL, ALTER p DROP DEFAULT",
    )

    answer = run("--migrations", folder, "--database-url", url, "up", "--strict")

    assert 0 == answer.code, answer.err
    assert [(1, "10.0.0.1")] == rows(url, "SELECT * FROM logins")


def test_after_a_first_proof_too(run: Run, folder: Path, databases: Databases) -> None:
    url, reference = databases.copy_of("healed", by_hand), databases.copy_of("healed", by_hand)
    where = ("--migrations", folder, "--database-url", url)
    assert 0 == run(*where, "up").code
    execute(url, DAMAGES["many things"])

    noticed, healed, again = run(*where, "check"), run(*where, "up"), run(*where, "up", "--json")

    assert (6, 0, 0) == (noticed.code, healed.code, again.code)
    assert "healed" in healed.err
    assert dump(reference) == dump(url)
    assert [] == [step for step in again.json["steps"] if step["statements"]]


def test_a_column_does_not_wait_for_a_table_that_is_called_like_its_type(
    run: Run, chain: MakeChain, database: str
) -> None:
    files = {
        "001_a.sql": "CREATE TYPE size AS ENUM ('s', 'l');\nCREATE TABLE a (id int PRIMARY KEY);\nALTER TABLE a ADD x size;",
        "002_b.sql": "ALTER TYPE size RENAME TO size_type;\nUPDATE a SET x = 's';",
        "003_c.sql": "CREATE TABLE size (x size_type);",
    }
    where = ("--migrations", chain(files), "--database-url", database)
    run(*where, "up", "--to", "1")
    execute(database, "ALTER TABLE a DROP x", "INSERT INTO a VALUES (1)")

    answer = run(*where, "up")

    assert 0 == answer.code, answer.err
    assert [("s",)] == rows(database, "SELECT x FROM a")


SERIAL, IDENTITY = "bigserial", "bigint GENERATED BY DEFAULT AS IDENTITY"


@pytest.mark.parametrize("wanted, found", [(SERIAL, IDENTITY), (IDENTITY, SERIAL)])
def test_rows_are_numbered_on_as_the_chain_has_it(
    run: Run, chain: MakeChain, databases: Databases, wanted: str, found: str
) -> None:
    files = {"001_a.sql": f"CREATE TABLE a (id {wanted} PRIMARY KEY, x text);"}
    folder, url, reference = chain(files), databases.create(), databases.create()
    execute(reference, *files.values())
    execute(url, f"CREATE TABLE a (id {found} PRIMARY KEY, x text)", "INSERT INTO a (x) VALUES ('b'), ('c')")

    answer = run("--migrations", folder, "--database-url", url, "up", "--strict")

    assert 0 == answer.code, answer.err
    assert dump(reference) == dump(url)
    execute(url, "INSERT INTO a (x) VALUES ('d')")
    assert [(1, "b"), (2, "c"), (3, "d")] == rows(url, "SELECT id, x FROM a ORDER BY id")


def test_a_table_that_was_lost_after_a_proof_is_for_a_person(run: Run, folder: Path, databases: Databases) -> None:
    url = databases.copy_of("healed", by_hand)
    where = ("--migrations", folder, "--database-url", url)
    assert 0 == run(*where, "up").code
    execute(url, "DROP TABLE calls CASCADE")
    before = dump(url)

    answer = run(*where, "up")

    assert 3 == answer.code
    assert "table public.calls: the ledger says that 2_calls_table made it, but it is not there" in answer.err
    assert before == dump(url)
    execute(url, "DELETE FROM trueup.schema_migrations WHERE migration_id = '2_calls_table'")
    assert 0 == run(*where, "up", "--strict").code
    assert value(url, "SELECT to_regclass('calls')") == "calls"


def test_what_rows_would_break_is_for_a_person_before_anything_is_run(
    run: Run, folder: Path, databases: Databases
) -> None:
    url = databases.copy_of("healed", by_hand)
    execute(
        url,
        "ALTER TABLE leads DROP CONSTRAINT leads_name, DROP CONSTRAINT leads_price, ALTER name DROP NOT NULL",
        "ALTER TABLE calls DROP CONSTRAINT calls_lead; DROP INDEX leads_tel",
        "UPDATE leads SET name = 'same' WHERE id < 3; UPDATE leads SET price = -1 WHERE id = 4",
        "UPDATE leads SET name = NULL WHERE id = 5; UPDATE calls SET lead_id = 999 WHERE id = 1",
    )
    before = dump(url)

    answer = run("--migrations", folder, "--database-url", url, "up", "--json")

    assert 3 == answer.code
    conflicts = answer.json["error"]["conflicts"]
    told = " ".join(conflict["about"] for conflict in conflicts)
    for fact in ("leads.leads_name", "leads.leads_price", "not null public.leads.name", "calls.calls_lead"):
        assert fact in told
    assert all(conflict["hint"].startswith("Mend the rows") for conflict in conflicts)
    assert before == dump(url)


def test_no_heal_leaves_it_and_says_so(run: Run, folder: Path, databases: Databases) -> None:
    url = databases.copy_of("healed", by_hand)
    execute(url, "DROP INDEX leads_tel")
    where = ("--migrations", folder, "--database-url", url)

    planned = run(*where, "plan", "--no-heal", "--json")
    run(*where, "up", "--no-heal")

    assert [] == [step for step in planned.json["steps"] if step["statements"]]
    assert value(url, "SELECT to_regclass('leads_tel')") is None
    assert 0 == run(*where, "up").code
    assert value(url, "SELECT to_regclass('leads_tel')::text") == "leads_tel"


def test_with_new_only_what_was_never_there_is_made(run: Run, folder: Path, databases: Databases) -> None:
    url = databases.copy_of("healed", by_hand)
    where = ("--migrations", folder, "--database-url", url)
    execute(url, "DROP INDEX leads_tel")
    assert 0 == run(*where, "up", "--heal", "new", "--strict").code
    execute(url, "DROP INDEX calls_note; ALTER TABLE leads DROP mood CASCADE; ALTER TABLE leads ALTER at DROP DEFAULT")

    for _ in range(2):  # what one run has left the next one leaves as well
        left = run(*where, "up", "--json", TRUEUP_HEAL="new")
        assert (0, True, False) == (left.code, left.json["up_to_date"], left.json["true"])
        assert {"column public.leads.mood", "index public.calls_note", "default public.leads.at"} <= {
            difference["fact"] for difference in left.json["gone"]
        }
    told = run(*where, "up", "--heal", "new", "--strict")
    planned, healed = run(*where, "plan"), run(*where, "up")

    assert 7 == told.code
    assert "gone since the database was last proved true:\n" in told.err
    assert "gone since the database was last proved true, and to be healed:\n" in planned.err
    assert "gone since the database was last proved true, and made again:\n" in healed.err
    assert ("calls_note", "leads_tel") == rows(url, "SELECT to_regclass('calls_note')::text, 'leads_tel'")[0]
    assert [] == run(*where, "up", "--strict", "--json").json["gone"]


def test_what_is_left_missing_stops_a_step_that_changes_it(
    run: Run, locksmith: Locksmith, tmp_path: Path, database: str
) -> None:
    folder = locksmith.lock(write_chain(tmp_path / "migrations", {"1_a.sql": "CREATE TABLE a (x int, y int);"}))
    where = ("--migrations", folder, "--database-url", database)
    run(*where, "up")
    execute(database, "ALTER TABLE a DROP x")
    locksmith.lock(write_chain(folder, {"2_b.sql": "ALTER TABLE a ALTER x TYPE bigint;"}))

    stopped = run(*where, "up", "--heal", "new", "--json")

    assert 3 == stopped.code
    (conflict,) = stopped.json["error"]["conflicts"]
    assert conflict["about"].startswith("2_")
    assert "column public.a.x" in conflict["why"]
    assert 0 == run(*where, "up", "--heal", "on", "--strict").code


def test_an_index_left_invalid_is_built_again(run: Run, folder: Path, databases: Databases) -> None:
    url = databases.copy_of("healed", by_hand)
    execute(
        url,
        "DROP INDEX calls_note",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'leads_tel'::regclass",
    )

    assert 0 == run("--migrations", folder, "--database-url", url, "up", "--strict").code

    assert [(True,), (True,)] == rows(
        url, "SELECT indisvalid FROM pg_index WHERE indexrelid IN ('leads_tel'::regclass, 'calls_note'::regclass)"
    )


@pytest.mark.parametrize("column", ["y int", "y int NOT NULL DEFAULT 0"])
def test_a_lost_column_that_the_chain_fills_is_filled(
    run: Run, databases: Databases, chain: MakeChain, column: str
) -> None:
    files = {
        "1_a.sql": "CREATE TABLE a (id int PRIMARY KEY, x int NOT NULL);",
        "2_y.sql": f"ALTER TABLE a ADD {column};\nUPDATE a SET y = x * 2;\nALTER TABLE a ALTER y SET NOT NULL;",
        "3_b.sql": "CREATE TABLE b (id int);",
    }
    url, folder = databases.create(), chain(files)
    where = ("--migrations", folder, "--database-url", url)
    execute(url, files["1_a.sql"], "INSERT INTO a SELECT n, n FROM generate_series(1, 5) n")
    assert 0 == run(*where, "up").code
    execute(url, "ALTER TABLE a DROP y")

    assert 0 == run(*where, "up", "--strict").code

    assert [(2,), (4,), (6,), (8,), (10,)] == rows(url, "SELECT y FROM a ORDER BY id")


def test_other_people_s_things_are_not_touched(run: Run, folder: Path, databases: Databases) -> None:
    url = databases.copy_of("healed", by_hand)
    execute(
        url,
        "CREATE TABLE backup AS SELECT * FROM leads",
        "ALTER TABLE leads ADD COLUMN mine text DEFAULT 'x'",
        "CREATE INDEX leads_mine ON leads (mine)",
        "CREATE VIEW mine AS SELECT mine FROM leads",
        "DROP INDEX leads_tel",
    )
    before, names = dump(url), columns(url)
    digests = row_digests(url, names)

    answer = run("--migrations", folder, "--database-url", url, "up", "--strict")

    assert 0 == answer.code, answer.err
    after = dump(url)
    assert {"INDEX public.leads_tel"} == after.keys() - before.keys()
    assert before == {key: text for key, text in after.items() if key in before}
    assert digests == row_digests(url, names)


@pytest.mark.parametrize(
    "made, by_hand, dropped, goes",
    [
        ("CREATE SCHEMA old;", "CREATE TABLE old.mine (id int)", "SCHEMA old", "table old.mine"),
        ("CREATE TYPE kind AS ENUM ('a');", "ALTER TABLE leads ADD mine kind", "TYPE kind", "column public.leads.mine"),
        ("CREATE TABLE old (id int);", "CREATE TABLE mine () INHERITS (old)", "TABLE old", "table public.mine"),
        ("", "ALTER TABLE leads ADD mine int GENERATED ALWAYS AS (n + 1) STORED", "", "column public.leads.mine"),
        ("CREATE SCHEMA old;", "CREATE VIEW old.mine AS SELECT n FROM leads", "SCHEMA old", ""),
    ],
)
def test_a_cascade_takes_no_table_or_column_of_somebody_s_along(
    run: Run, chain: MakeChain, databases: Databases, made: str, by_hand: str, dropped: str, goes: str
) -> None:
    drop = f"DROP {dropped} CASCADE;" if dropped else "ALTER TABLE leads DROP COLUMN n CASCADE;"
    files = {"001_leads.sql": f"CREATE TABLE leads (id int, n int);\n{made}", "002_drop.sql": drop}
    where = ("--migrations", chain(files), "--database-url", databases.create(), "up")
    assert 0 == run(*where, "--to", "1").code
    execute(where[3], by_hand)

    answer = run(*where)

    assert (3 if goes else 0) == answer.code, answer.err
    assert goes in answer.err


def test_a_check_of_a_lost_column_is_asked_of_the_rows_without_it(
    run: Run, locksmith: Locksmith, tmp_path: Path, databases: Databases
) -> None:
    notes = "CREATE TABLE notes (id int, kind text, words text, CONSTRAINT said CHECK (kind IS NULL OR words <> ''));"
    folder, url = locksmith.lock(write_chain(tmp_path / "migrations", {"001_notes.sql": notes})), databases.create()
    lose = "ALTER TABLE notes DROP COLUMN words CASCADE"
    execute(url, notes, "INSERT INTO notes VALUES (1, 'short', 'a'), (2, NULL, NULL)", lose)

    assert 0 == run("--migrations", folder, "--database-url", url, "up").code  # NULL breaks no check

    strict = notes.replace("words <> ''", "words IS NOT NULL")
    folder, url = locksmith.lock(write_chain(tmp_path / "strict", {"001_notes.sql": strict})), databases.create()
    execute(url, strict, "INSERT INTO notes VALUES (1, 'short', 'a'), (2, NULL, NULL)", lose)
    answer = run("--migrations", folder, "--database-url", url, "up")

    assert 3 == answer.code
    assert "constraint public.notes.said: it cannot be made: rows break it" in answer.err


SEQUENCE_OF_ANOTHER_ROLE = "CREATE TABLE t (id serial PRIMARY KEY);\nALTER TABLE t OWNER TO pg_database_owner;"


@pytest.mark.parametrize("lose", ["DROP SEQUENCE t_id_seq CASCADE", "ALTER TABLE t DROP COLUMN id CASCADE"])
def test_a_sequence_is_its_table_s_whoever_owns_that(
    run: Run, chain: MakeChain, databases: Databases, lose: str
) -> None:
    folder, url = chain({"001.sql": SEQUENCE_OF_ANOTHER_ROLE}), databases.create()
    execute(url, SEQUENCE_OF_ANOTHER_ROLE, lose)

    assert 0 == run("--migrations", folder, "--database-url", url, "up", "--strict").code
    assert value(url, "SELECT pg_get_serial_sequence('t', 'id')") == "public.t_id_seq"


@pytest.mark.parametrize(
    "counting, last", [("", 3), ("START 7", 3), ("INCREMENT -1", -3), ("AS smallint", 40_000)], ids=str
)
def test_a_lost_sequence_that_no_column_names_gives_no_number_that_a_row_has(
    run: Run, chain: MakeChain, databases: Databases, counting: str, last: int
) -> None:
    first = f"CREATE SEQUENCE numbers {counting};\nCREATE TABLE t (id int PRIMARY KEY);\nCREATE TABLE u (id uuid PRIMARY KEY);"
    folder, url = chain({"001.sql": first}), databases.create()
    execute(url, first, f"INSERT INTO t VALUES ({last})", "DROP SEQUENCE numbers")

    assert 0 == run("--migrations", folder, "--database-url", url, "up", "--strict").code
    expected = {"": 4, "START 7": 7, "INCREMENT -1": -4, "AS smallint": 1}  # the last key cannot be from it
    assert expected[counting] == value(url, "SELECT nextval('numbers')")


NUMBERED = "CREATE TABLE calls (id int GENERATED ALWAYS AS IDENTITY (START WITH 1000 INCREMENT BY 5), n int);"
USUAL = "CREATE TABLE calls (id int GENERATED ALWAYS AS IDENTITY, n int);"


COUNTS = "SELECT seqstart, seqincrement, seqmax, seqcycle FROM pg_sequence WHERE seqrelid = 'calls_id_seq'::regclass"


@pytest.mark.parametrize(
    "first, then, by_hand, is_told",
    [
        (USUAL, "ALTER SEQUENCE calls_id_seq INCREMENT BY 10;", "", False),
        (USUAL, "ALTER TABLE calls ALTER id SET INCREMENT BY 10 SET CYCLE;", "CREATE TABLE later (id int)", False),
        (NUMBERED, "ALTER TABLE calls ALTER id SET INCREMENT BY 1;", "", False),
        (NUMBERED, "", "ALTER TABLE calls ALTER id DROP IDENTITY", False),
        (NUMBERED, "", "ALTER TABLE calls DROP id", False),
        (NUMBERED, "", "ALTER TABLE calls ALTER id SET START 1 SET INCREMENT 1", False),
        (USUAL, "", "ALTER TABLE calls ALTER id SET INCREMENT 10", True),
    ],
)
def test_an_identity_column_counts_as_in_the_chain(
    run: Run, chain: MakeChain, databases: Databases, first: str, then: str, by_hand: str, is_told: bool
) -> None:
    files = {
        "001_calls.sql": first,
        "002_then.sql": then or "CREATE TABLE more (id int);",
        "003_later.sql": "CREATE TABLE later (id int);",
    }
    url, reference = databases.create(), databases.create()
    execute(reference, *files.values())
    execute(url, first, by_hand)

    answer = run("--migrations", chain(files), "--database-url", url, "up", "--json")

    assert 0 == answer.code, answer.err
    assert is_told == ("numbering public.calls.id" in [one["fact"] for one in answer.json["drift"]])
    assert is_told == (rows(reference, COUNTS) != rows(url, COUNTS))
    execute(url, "INSERT INTO calls (n) VALUES (1)")
    assert value(url, "SELECT id FROM calls") == rows(url, COUNTS)[0][0]


@pytest.mark.parametrize("type_", ["int", "text"])
def test_a_sequence_that_is_there_keeps_its_number(run: Run, chain: MakeChain, database: str, type_: str) -> None:
    files = {
        "001_calls.sql": f"CREATE TABLE calls (id int PRIMARY KEY, code {type_});\n"
        "CREATE SEQUENCE codes;\nALTER SEQUENCE codes OWNED BY calls.code;",
        "002_later.sql": "CREATE TABLE later (id int);",
    }
    execute(database, files["001_calls.sql"], "INSERT INTO calls VALUES (1, 10)", "SELECT setval('codes', 5000)")
    execute(database, files["002_later.sql"], "ALTER SEQUENCE codes OWNED BY NONE")

    answer = run("--migrations", chain(files), "--database-url", database, "up", "--strict")

    assert 0 == answer.code, answer.err
    assert value(database, "SELECT nextval('codes')") == 5001


def test_a_sequence_that_was_lost_goes_on_behind_its_rows_and_not_before_its_start(
    run: Run, chain: MakeChain, database: str
) -> None:
    files = {
        "001_calls.sql": "CREATE SEQUENCE up START 100 INCREMENT 5;\n"
        "CREATE TABLE calls (id int PRIMARY KEY, n int DEFAULT nextval('up'), m int GENERATED ALWAYS AS IDENTITY);\n"
        "ALTER SEQUENCE up OWNED BY calls.n;\nCREATE SEQUENCE down INCREMENT -1 START -1;\n"
        "CREATE TABLE more (id int PRIMARY KEY DEFAULT nextval('down'));\nALTER SEQUENCE down OWNED BY more.id;",
        "002_later.sql": "CREATE TABLE later (id int);",
    }
    where = ("--migrations", chain(files), "--database-url", database, "up", "--strict")
    execute(database, files["001_calls.sql"], "INSERT INTO calls VALUES (1), (2)", "INSERT INTO more VALUES (-7)")
    execute(
        database, "DROP SEQUENCE up CASCADE", "DROP SEQUENCE down CASCADE", "ALTER TABLE calls ALTER m DROP IDENTITY"
    )

    assert 0 == run(*where).code
    assert rows(database, "SELECT nextval('up'), nextval('down')") == [(110, -8)]
    execute(database, "INSERT INTO calls (id) VALUES (3)", "DELETE FROM calls", "DROP SEQUENCE up CASCADE")
    assert 0 == run(*where).code
    assert value(database, "SELECT nextval('up')") == 100


def test_labels_that_an_enum_lacks_are_added_in_their_places(run: Run, chain: MakeChain, databases: Databases) -> None:
    first = "CREATE TYPE e AS ENUM ('a');\nCREATE TABLE t (e e);"
    files = {f"00{n}.sql": f"ALTER TYPE e ADD VALUE '{label}';" for n, label in enumerate("bcd", 2)}
    folder, url = chain({"001.sql": first, **files}), databases.create()
    execute(url, first, files["003.sql"])

    assert 0 == run("--migrations", folder, "--database-url", url, "up", "--strict").code
    assert ["a", "b", "c", "d"] == value(url, "SELECT enum_range(NULL::e)::text[]")


def test_a_materialized_view_over_a_lost_column_holds_nothing_of_its_own(
    run: Run, chain: MakeChain, databases: Databases
) -> None:
    view = "CREATE MATERIALIZED VIEW v AS SELECT a, s.id FROM t, s;"
    first = f"CREATE TABLE t (id int, a int);\nCREATE TABLE s (id serial, t_id int);\n{view}"
    retyped = f"BEGIN;\nDROP MATERIALIZED VIEW v;\nALTER TABLE t ALTER a TYPE bigint;\n{view}\nCOMMIT;"
    folder, url = chain({"001.sql": first, "002.sql": retyped}), databases.create()
    where = ("--migrations", folder, "--database-url", url)
    assert 0 == run(*where, "up", "--to", "001").code
    execute(url, "INSERT INTO s (t_id) VALUES (3)", "ALTER TABLE s DROP COLUMN id CASCADE")

    assert 0 == run(*where, "up", "--strict").code


def test_an_update_that_reads_what_is_gone_since_fills_nothing(
    run: Run, chain: MakeChain, databases: Databases
) -> None:
    files = {
        "001.sql": "CREATE TABLE t (id int, old text, hash text);",
        "002.sql": "UPDATE t SET hash = md5(old);\nALTER TABLE t ALTER hash SET NOT NULL;",
        "003.sql": "ALTER TABLE t DROP COLUMN old;",
    }
    folder, url = chain(files), databases.create()
    execute(url, files["001.sql"], "INSERT INTO t VALUES (1, 'a')", files["002.sql"], files["003.sql"])
    execute(url, "ALTER TABLE t DROP COLUMN hash")

    answer = run("--migrations", folder, "--database-url", url, "up")

    assert 3 == answer.code
    assert "the column was lost, and nothing says what its rows had" in answer.err


LISTS = """
CREATE TABLE a (id int, x varchar(9), y varchar(9), CONSTRAINT x_known CHECK (((x)::text = ANY (ARRAY[
    ('a'::character varying)::text, ('b'::character varying)::text]))));
ALTER TABLE a ADD CONSTRAINT y_known CHECK (y IN ('a', 'b'));
"""


def test_a_check_of_a_list_comes_back_as_it_was_written(chain: MakeChain, databases: Databases) -> None:
    folder, url, reference = chain({"1_a.sql": LISTS}), databases.create(), databases.create()
    for each in (url, reference):
        execute(each, LISTS)
    execute(url, "ALTER TABLE a DROP CONSTRAINT x_known, DROP CONSTRAINT y_known")

    assert trueup.up(url, folder).true
    assert dump(reference) == dump(url)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE I SET O = CAT;",
        "UPDATE i SET o = (SELECT kitty FROM v WHERE v.id = i.id);",
        "SELECT f();",
        "INSERT INTO j SELECT to_jsonb(i) FROM i;",
        "INSERT INTO j SELECT to_jsonb(a) FROM i a;",
    ],
)
def test_what_reads_a_lost_column_in_a_roundabout_way_is_a_persons_decision(
    run: Run, chain: MakeChain, database: str, statement: str
) -> None:
    first = """
        CREATE TABLE i (id int PRIMARY KEY, cat text, o text);
        CREATE TABLE j (d jsonb);
        CREATE VIEW v AS SELECT id, cat AS kitty FROM i;
        CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN UPDATE i SET o = cat; END $$;
    """
    where = ("--migrations", chain({"001_i.sql": first, "002_o.sql": statement}), "--database-url", database)
    assert 0 == run(*where, "up", "--to", "1").code
    execute(database, "INSERT INTO i VALUES (1, 'a', 'x'), (2, 'b', 'y')", "ALTER TABLE i DROP COLUMN cat CASCADE")

    answer = run(*where, "up")

    assert 3 == answer.code
    assert "public.i.cat" in answer.err
    assert [("x",), ("y",)] == rows(database, "SELECT o FROM i ORDER BY id")


def test_a_lost_column_is_not_read_where_its_table_is_dropped_first(
    run: Run, chain: MakeChain, databases: Databases
) -> None:
    files = {
        "001_a.sql": "CREATE TABLE fast (id int, removed boolean);\nCREATE VIEW v AS SELECT 1 AS id, true AS removed;",
        "002_b.sql": "BEGIN;\nDROP TABLE fast;\nDROP VIEW v;\nCREATE VIEW v AS SELECT 1 AS id, true AS removed, 2 AS n;\n"
        "CREATE TABLE fast AS SELECT * FROM v WHERE removed;\nCOMMIT;",
    }
    folder, url = chain(files), databases.create()
    execute(url, files["001_a.sql"], "INSERT INTO fast VALUES (7, true)", "ALTER TABLE fast DROP removed")

    answer = run("--migrations", folder, "--database-url", url, "up", "--strict")

    assert 0 == answer.code, answer.err
    assert [(1, True, 2)] == rows(url, "SELECT * FROM fast")


def test_an_update_for_a_trigger_runs_where_that_was_missing(run: Run, chain: MakeChain, databases: Databases) -> None:
    first = "CREATE TABLE a (id int PRIMARY KEY, t text);"
    column, index = "ALTER TABLE a ADD COLUMN s text;", "CREATE INDEX a_s ON a (s);"
    function = "CREATE FUNCTION a_s() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.s = NEW.t; RETURN NEW; END$$;"
    trigger = "CREATE TRIGGER a_s BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION a_s();"
    files = {"001_a.sql": first, "002_s.sql": f"{column}\n{function}\n{trigger}\nUPDATE a SET t = t;\n{index}"}
    url = databases.create()
    execute(url, first, "INSERT INTO a VALUES (1, 'x')", column, index)

    answer = run("--migrations", chain(files), "--database-url", url, "up", "--strict")

    assert 0 == answer.code, answer.err
    assert [("x",)] == rows(url, "SELECT s FROM a")


def test_a_table_that_was_lost_says_nothing_of_how_far_its_file_has_run(
    run: Run, chain: MakeChain, databases: Databases
) -> None:
    files = {
        "001_first.sql": "CREATE TABLE leads (id int PRIMARY KEY, phone text NOT NULL);\n"
        "CREATE TABLE kinds (id int PRIMARY KEY);\nCREATE TABLE calls (id int PRIMARY KEY, lead int REFERENCES leads);",
        "002_hashes.sql": "CREATE TABLE hashes (lead int PRIMARY KEY REFERENCES leads, hash text);\n"
        "ALTER TABLE calls ADD COLUMN kind int REFERENCES kinds;\n"
        "UPDATE calls SET kind = (SELECT min(id) FROM kinds);\nALTER TABLE calls ALTER kind SET NOT NULL;\n"
        "INSERT INTO hashes SELECT id, md5(phone) FROM leads;\nALTER TABLE leads DROP COLUMN phone;",
        "003_later.sql": "CREATE TABLE later (id int);",
    }
    folder, url, reference = chain(files), databases.create(), databases.create()
    execute(reference, *files.values())
    execute(url, files["001_first.sql"], "INSERT INTO leads VALUES (1, 'one'), (2, 'two')", files["002_hashes.sql"])
    execute(url, "DROP TABLE calls")

    answer = run("--migrations", folder, "--database-url", url, "up", "--strict")

    assert 0 == answer.code, answer.err
    assert dump(reference) == dump(url)
    assert [(2,)] == rows(url, "SELECT count(*) FROM hashes")


@pytest.mark.parametrize(
    "reading",
    [
        "INSERT INTO numbers SELECT number FROM (SELECT phone::int AS number FROM leads) given;",
        (
            "DO $$DECLARE one record; BEGIN FOR one IN SELECT phone::int AS n FROM leads LOOP\n"
            "EXECUTE 'CREATE SEQUENCE IF NOT EXISTS s START ' || one.n; END LOOP; END$$;"
        ),
    ],
)
def test_rows_that_a_step_cannot_read_are_asked_about_before_anything_is_run(
    run: Run, chain: MakeChain, databases: Databases, reading: str
) -> None:
    files = {
        "001_leads.sql": "CREATE TABLE leads (id int PRIMARY KEY, phone text);\nCREATE INDEX phones ON leads (phone);",
        "002_numbers.sql": "CREATE TABLE numbers (number int);",
        "003_rows.sql": f"CREATE TABLE more ();\n{reading}",
    }
    url = databases.create()
    execute(url, files["001_leads.sql"], files["002_numbers.sql"])
    execute(url, "INSERT INTO leads VALUES (1, 'none')", "DROP INDEX phones")
    before = dump(url)

    answer = run("--migrations", chain(files), "--database-url", url, "up")

    assert 3 == answer.code, answer.err
    assert before == dump(url)


@pytest.mark.parametrize(
    "by_hand, fact",
    [
        ("ALTER TABLE leads DISABLE TRIGGER noted", "trigger state public.leads.noted"),
        ("ALTER TABLE leads ENABLE ROW LEVEL SECURITY", "row security public.leads"),
    ],
)
def test_what_is_switched_on_or_off_by_hand_is_told(
    run: Run, chain: MakeChain, database: str, by_hand: str, fact: str
) -> None:
    leads = (
        "CREATE TABLE leads (id int);\nCREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS\n"
        "'BEGIN RETURN NEW; END';\nCREATE TRIGGER noted BEFORE INSERT ON leads EXECUTE FUNCTION noted();"
    )
    where = ("--migrations", chain({"001_leads.sql": leads}), "--database-url", database, "up", "--json")
    assert 0 == run(*where).code
    execute(database, by_hand)

    answer = run(*where)

    assert 0 == answer.code, answer.err
    assert not answer.json["true"]
    assert [fact] == [one["fact"] for one in answer.json["drift"]]
