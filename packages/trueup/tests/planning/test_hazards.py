"""What lint finds in a statement, and what settles it."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup.chain.files import MigrationFile
from trueup.chain.model import Effect
from trueup.chain.steps import read_chain
from trueup.planning.hazards import RULES, Finding, Level, Lint, find

pytestmark = pytest.mark.unit

TABLE = Effect(
    set={
        "table public.t": "",
        "column public.t.id": "bigint",
        "column public.t.word": "character varying(20)",
        "column public.t.price": "numeric(10,2)",
        "column public.t.seen": "timestamp without time zone",
        "constraint public.t.t_code_key": "UNIQUE (code)",
        "index public.i": "ON public.t USING btree (id)",
    },
)


def lint(*files: str, effects: tuple[Effect, ...] = (), info: bool = False, together: bool = False) -> list[Finding]:
    read = [MigrationFile(f"{n}_x.sql", text.encode()) for n, text in enumerate(files, 1)]
    steps = read_chain(Path(), files=read).steps
    return find(Lint(steps=steps, effects=effects, info=info, together=together))


def rules(*files: str, effects: tuple[Effect, ...] = (), info: bool = False, together: bool = False) -> list[str]:
    return [finding.rule.id for finding in lint(*files, effects=effects, info=info, together=together)]


def retyped(column: str, kind: str) -> list[str]:
    """What is found in a type change of the known table."""
    return rules("CREATE TABLE t ();", f"ALTER TABLE t ALTER {column} TYPE {kind};", effects=(TABLE,))


# --- what the safe form is found for is a note, unless something is in its way ---


def test_what_up_rewrites_by_itself_is_a_note() -> None:
    (found,) = lint("CREATE INDEX i ON t (a);")

    assert (Level.NOTE, "create-index", {"public.t": "S"}) == (found.level, found.rule.id, dict(found.locks))
    assert "CONCURRENTLY" in found.instead


def test_in_a_block_it_is_the_author_s_to_mend() -> None:
    (found,) = lint("BEGIN;\nSELECT 1;\nCREATE INDEX CONCURRENTLY i ON t (a);\nCOMMIT;")

    assert (Level.WARNING, "create-index", 3) == (found.level, found.rule.id, found.line)


def test_a_new_table_has_no_users() -> None:
    text = "CREATE TABLE t (id int);\nALTER TABLE t ADD b int NOT NULL;\nCREATE INDEX i ON t (b);\nDROP INDEX i;"

    assert [] == rules(text)
    assert ["required-column"] == rules("CREATE TABLE t (id int);", "ALTER TABLE t ADD b int NOT NULL;")
    assert [] == rules("CREATE TABLE t (id int);", "ALTER TABLE t ADD b int NOT NULL;", together=True)


def test_a_new_name_makes_no_new_table() -> None:
    assert ["rename-table", "create-index"] == rules("ALTER TABLE t RENAME TO u;\nCREATE INDEX i ON u (a);")


def test_observed_locks_are_told_rather_than_those_that_such_a_statement_takes() -> None:
    seen = Effect(locks={"public.t": "AE", "public.u": "SRE", "public.v": "AS"})

    (found,) = lint("ALTER TABLE t ADD EXCLUDE USING gist (r WITH &&);", effects=(seen,))

    assert {"public.t": "AE", "public.u": "SRE"} == found.locks


# --- what `up` would send, where the scratch server has shown what the step does ---

ADDS_CHECK = Effect(
    set={"constraint public.t.c": "CHECK ((id > 0))", "validated public.t.c": ""},
    locks={"public.t": "AE"},
    scanned=("public.t",),
)


def test_the_safe_form_is_shown() -> None:
    (found,) = lint("CREATE TABLE t ();", "ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0);", effects=(TABLE, ADDS_CHECK))

    assert ("check-constraint", Level.NOTE) == (found.rule.id, found.level)
    add, validate = found.sends
    assert add.endswith("NOT VALID")
    assert "ALTER TABLE public.t VALIDATE CONSTRAINT c" == validate


def test_what_was_seen_to_take_an_instant_is_no_hazard() -> None:
    effects = (TABLE, ADDS_CHECK._replace(scanned=()))

    assert [] == rules("CREATE TABLE t ();", "ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0);", effects=effects)


def test_what_up_refuses_is_a_warning() -> None:
    effect = Effect(
        set={"constraint public.t.e": "EXCLUDE USING gist (r WITH &&)"},
        locks={"public.t": "AE"},
        scanned=("public.t",),
    )
    text = "ALTER TABLE t ADD CONSTRAINT e EXCLUDE USING gist (r WITH &&);"

    (found,) = lint("CREATE TABLE t ();", text, effects=(TABLE, effect))

    assert ("exclude-constraint", Level.WARNING) == (found.rule.id, found.level)
    assert "`up` refuses it where the table is big" in found.why


def test_a_block_of_ddl_is_judged_by_the_locks_that_were_seen() -> None:
    text = "DO $$ BEGIN ALTER TABLE t ADD x int; END $$;"
    (found,) = lint(text, effects=(Effect(locks={"public.t": "AE"}),))

    assert ("opaque-block", {"public.t": "AE"}) == (found.rule.id, found.locks)
    assert [] == rules(text, effects=(Effect(locks={"public.t": "AS"}),))


# --- types ---


@pytest.mark.parametrize(
    "column,kind,expected",
    [
        ("word", "varchar(40)", ["free-type-change"]),
        ("word", "text", ["free-type-change"]),
        ("word", "varchar", ["free-type-change"]),
        ("word", "varchar(10)", ["narrow-type", "column-type"]),
        ("word", "text USING lower(word)", ["column-type"]),
        ("word", "text[]", ["column-type"]),
        ("price", "numeric(12,2)", ["free-type-change"]),
        ("price", "numeric", ["free-type-change"]),
        ("price", "numeric(12,4)", ["column-type"]),
        ("price", "numeric(8,2)", ["narrow-type", "column-type"]),
        ("id", "int", ["narrow-type", "column-type"]),
        ("id", "numeric", ["column-type"]),
        ("seen", "timestamptz", ["free-type-change"]),
        ("not_known", "text", ["column-type"]),
    ],
)
def test_a_type_change_by_the_type_that_the_lock_file_knows(column: str, kind: str, expected: list[str]) -> None:
    assert sorted(expected) == sorted(retyped(column, kind))


def test_what_the_scratch_server_rewrote_decides() -> None:
    made = Effect(set={"table public.t": "", "column public.t.a": "s.custom"})
    free, rewrites = Effect(locks={"public.t": "AE"}), Effect(locks={"public.t": "AE"}, rewritten=("public.t",))
    default = "ALTER TABLE t ADD b int DEFAULT our_function();"
    retype = "ALTER TABLE t ALTER a TYPE s.other;"
    domain = "ALTER TABLE t ADD b s.a_domain_with_a_check;"

    for text, rule, otherwise in [
        (default, "volatile-default", []),
        (retype, "column-type", ["free-type-change"]),
        (domain, "rewrite-table", []),
    ]:
        assert [rule] == rules("CREATE TABLE t ();", text, effects=(made, rewrites)), text
        assert otherwise == rules("CREATE TABLE t ();", text, effects=(made, free)), text


# --- rows ---


@pytest.mark.parametrize(
    "text,expected",
    [
        ("UPDATE t SET a = 1;", ["unbatched-write"]),
        ("UPDATE t SET a = 1 WHERE a IS NULL;", ["unbatched-write"]),
        ("UPDATE t SET a = 1 WHERE id = 3 OR a = 2;", ["unbatched-write"]),
        ("UPDATE t SET a = 1 WHERE id = other;", ["unbatched-write"]),
        ("UPDATE t SET a = 1 WHERE code IN ('x', 'y');", []),
        ("DELETE FROM t WHERE id = 3;", []),
        ("-- backfill: t by id batch 500\nUPDATE t SET a = 1;", []),
        ("INSERT INTO t SELECT * FROM u;", ["bulk-insert"]),
        ("INSERT INTO t VALUES (1), (2);", []),
    ],
)
def test_many_rows_in_one_statement(text: str, expected: list[str]) -> None:
    assert expected == rules("CREATE TABLE t ();", text, effects=(TABLE,))


# --- what is replaced ---


@pytest.mark.parametrize(
    "text,expected",
    [
        ("DROP VIEW v;\nCREATE VIEW v AS SELECT 1;", []),
        ("DROP FUNCTION f(int);\nCREATE FUNCTION f(a integer) RETURNS int LANGUAGE sql AS 'SELECT 1';", []),
        ("DROP FUNCTION f(int);\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';", ["drop-object"]),
        ("ALTER TABLE t DROP CONSTRAINT c;\nALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;", []),
        ("ALTER TABLE t DROP COLUMN c;\nALTER TABLE t ADD COLUMN c int;", ["drop-column"]),
        ("BEGIN;\nALTER TABLE t RENAME TO u;\nCREATE VIEW t AS SELECT * FROM u;\nCOMMIT;", []),
        ("ALTER TABLE t RENAME TO u;\nCREATE VIEW t AS SELECT * FROM u;", ["rename-table"]),
    ],
)
def test_what_the_same_file_makes_again_is_not_missed(text: str, expected: list[str]) -> None:
    assert expected == rules(text)


# --- blocks ---


def test_locks_add_up_in_a_block() -> None:
    text = "BEGIN;\nALTER TABLE t ADD a int;\nALTER TABLE u ADD b int;\nUPDATE v SET c = 1 WHERE id = 1;\nCOMMIT;"

    found = {finding.rule.id: finding for finding in lint(text)}

    assert {"several-locks", "rows-in-block"} == set(found)
    assert {"public.t": "AE", "public.u": "AE"} == found["several-locks"].locks
    assert 4 == found["rows-in-block"].line


def test_a_constraint_validated_where_it_was_added() -> None:
    text = (
        "BEGIN;\nALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT c;\nCOMMIT;"
    )

    assert ["validate-in-block"] == rules(text)
    assert [] == rules(text.replace("BEGIN;\n", "").replace("COMMIT;", ""))


@pytest.mark.parametrize("setting", ["SET lock_timeout = 0;", "SET statement_timeout TO '0';"])
def test_a_timeout_that_is_switched_off(setting: str) -> None:
    assert ["no-timeout"] == rules(f"{setting}\nALTER TABLE t ADD a int;")
    assert [] == rules("SET lock_timeout = '100ms';\nALTER TABLE t ADD a int;")


# --- what settles a finding ---


@pytest.mark.parametrize(
    "directive,text",
    [
        ("phase: contract", "ALTER TABLE t DROP COLUMN a;"),
        ("as written", "CREATE INDEX i ON t (a);"),
        ("backfill: t by id batch 500", "DELETE FROM t;"),
        ("lint: allow drop-table, drop-cascade because it was never used", "DROP TABLE t CASCADE;"),
        (
            "lint: allow several-locks because both are tiny",
            "BEGIN; ALTER TABLE t ADD a int; ALTER TABLE u ADD b int; COMMIT;",
        ),
    ],
)
def test_what_settles_a_finding(directive: str, text: str) -> None:
    assert [] != rules(text)
    assert [] == rules(f"-- {directive}\n{text}")


def test_locks_of_a_contract_step_are_told_all_the_same() -> None:
    assert ["drop-index"] == rules("-- phase: contract\nDROP INDEX i;")


def test_an_allowance_that_allows_nothing_is_told() -> None:
    unused = lint("-- lint: allow drop-table because I say so\nALTER TABLE t ADD a int;")
    unknown = lint("-- lint: allow drop-tabel because I say so\nDROP TABLE t;")

    assert [("unused-allow", Level.NOTE)] == [(f.rule.id, f.level) for f in unused]
    assert ["drop-table", "unknown-rule"] == [f.rule.id for f in unknown]


def test_a_finding_stands_on_the_line_of_its_part() -> None:
    found = lint("ALTER TABLE t\n    ADD a int,\n    ADD b bigserial,\n    ADD c uuid DEFAULT gen_random_uuid();")

    assert [("auto-increment", 3), ("volatile-default", 4)] == [(f.rule.id, f.line) for f in found]


def test_taste_is_told_on_request_only() -> None:
    text = "CREATE TABLE s.t (a char(3), b json);"

    assert [] == rules(text)
    assert ["char-type", "json-type"] == rules(text, info=True)


def test_a_new_table_that_refers_to_one_in_use() -> None:
    (found,) = lint("CREATE TABLE s.n (a bigint REFERENCES s.t (id), b bigint REFERENCES s.n);", info=True)

    assert ("new-reference", {"s.t": "SRE"}) == (found.rule.id, found.locks)
    assert ["create-index"] == rules(
        "CREATE TABLE s.n ();\nALTER TABLE s.n ADD FOREIGN KEY (a) REFERENCES t;\nCREATE INDEX i ON t (a);"
    )


def test_every_rule_says_why_and_what_else() -> None:
    for rule in RULES.values():
        assert rule.why.endswith("."), rule.id
        assert rule.instead.endswith("."), rule.id
        assert not rule.sends.endswith("."), rule.id
