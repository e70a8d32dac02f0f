"""Learning what steps do, by doing them."""

from __future__ import annotations

import uuid
from pathlib import Path

import psycopg
import pytest

from trueup.catalog.snapshot import take
from trueup.chain.model import Effect, Step
from trueup.chain.steps import read_chain
from trueup.connect.connection import connect
from trueup.decide.trajectory import fold
from trueup.errors import ScratchError
from trueup.scratch.replay import Replay, replay
from trueup_testing.chains import Files, write_chain
from trueup_testing.databases import Databases
from trueup_testing.every_kind import EVERY_KIND

pytestmark = pytest.mark.pg

CHANGES = (Path(__file__).parents[1] / "every_statement" / "007_changes.sql").read_text()
EVERYTHING: Files = {**EVERY_KIND, "007_changes.sql": CHANGES}


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> tuple[Step, ...]:
    return read_chain(write_chain(tmp_path_factory.mktemp("everything"), EVERYTHING)).steps


@pytest.fixture(scope="module")
def effects(databases: Databases, steps: tuple[Step, ...]) -> list[Effect]:
    """What the steps do on the session's server."""
    return learn(databases, steps, local=True)


def learn(databases: Databases, steps: tuple[Step, ...], *, local: bool) -> list[Effect]:
    with connect(databases.create()) as conn:
        scratch = Replay(conn, local=local)
        return list(scratch.learn(steps))


def facts_after(databases: Databases, steps: tuple[Step, ...]) -> dict[str, str]:
    """What is there when the steps are run one by one, without any of the replay's care."""
    with connect(databases.create()) as conn:
        for step in steps:
            if step.no_transaction:
                conn.execute(step.sql.encode())
            else:
                conn.execute(";\n".join(["BEGIN", *step.context, *step.statements, "COMMIT"]).encode())
        return take(conn, ["app", "public", "another", "other"])


def different(steps: tuple[Step, ...], some: list[Effect], others: list[Effect]) -> dict[str, tuple[object, ...]]:
    return {
        step.id: (one.set, other.set, one.gone, other.gone)
        for step, one, other in zip(steps, some, others, strict=True)
        if (one.set, one.gone) != (other.set, other.gone)
    }


def test_reading_only_what_a_step_touched_is_as_good_as_reading_everything(
    databases: Databases, steps: tuple[Step, ...], effects: list[Effect]
) -> None:
    assert {} == different(steps, effects, learn(databases, steps, local=False))


def test_the_sum_of_the_effects_is_what_is_there(
    databases: Databases, steps: tuple[Step, ...], effects: list[Effect]
) -> None:
    summed = {key: value for key, value in fold(effects, range(len(effects)), {}).items() if value is not None}

    assert facts_after(databases, steps) == summed


def test_effects_are_equal_on_every_server(
    each_server: Databases, steps: tuple[Step, ...], effects: list[Effect]
) -> None:
    assert {} == different(steps, effects, learn(each_server, steps, local=True))


# --- single steps ---


def effects_of(databases: Databases, tmp_path: Path, *statements: str) -> list[Effect]:
    text = "".join(f"{statement};\n" for statement in statements)
    return learn(databases, read_chain(write_chain(tmp_path, {"1_x.sql": text})).steps, local=True)


def test_an_effect_is_what_was_added_changed_and_removed(databases: Databases, tmp_path: Path) -> None:
    made, changed, renamed, dropped = effects_of(
        databases,
        tmp_path,
        "CREATE TABLE a (id int NOT NULL, x text)",
        "ALTER TABLE a ALTER x SET DEFAULT 'y'",
        "ALTER TABLE a RENAME x TO z",
        "DROP TABLE a",
    )

    assert {
        "table public.a": "",
        "column public.a.id": "integer",
        "column public.a.x": "text",
        "not null public.a.id": "",
    } == made.set
    assert ({"default public.a.x": "'y'::text"}, ()) == (changed.set, changed.gone)
    assert {"column public.a.z": "text", "default public.a.z": "'y'::text"} == renamed.set
    assert {"column public.a.x", "default public.a.x"} == set(renamed.gone)
    assert {} == dropped.set
    assert {"table public.a", "column public.a.id", "column public.a.z"} < set(dropped.gone)


def test_locks_are_the_strongest_on_what_was_there_before(databases: Databases, tmp_path: Path) -> None:
    *_, index, column, update, key, view = effects_of(
        databases,
        tmp_path,
        "CREATE TABLE a (id int PRIMARY KEY)",
        "CREATE TABLE b (id int)",
        "CREATE INDEX i ON b (id)",
        "ALTER TABLE b ADD x int",
        "UPDATE b SET x = 1 WHERE id IN (SELECT id FROM a)",
        "ALTER TABLE b ADD FOREIGN KEY (x) REFERENCES a",
        "CREATE VIEW v AS SELECT x FROM b",
    )

    assert {"public.b": "S"} == index.locks
    assert {"public.b": "AE"} == column.locks
    assert {"public.b": "RX", "public.a": "AS"} == update.locks
    assert {"public.b": "SRE", "public.a": "SRE"} == key.locks
    assert {"public.b": "AS"} == view.locks


def test_rows_leave_no_effect(databases: Databases, tmp_path: Path) -> None:
    _, insert = effects_of(databases, tmp_path, "CREATE TABLE a (id int)", "INSERT INTO a VALUES (1)")

    assert () == insert.keys


def test_a_do_block_s_ddl_is_seen(databases: Databases, tmp_path: Path) -> None:
    (block,) = effects_of(databases, tmp_path, "DO $$ BEGIN CREATE TABLE a (); END $$")

    assert {"table public.a": ""} == block.set


def test_a_block_that_commits_by_itself_is_run(databases: Databases, tmp_path: Path) -> None:
    procedure = "CREATE PROCEDURE p() LANGUAGE plpgsql AS 'BEGIN CREATE TABLE a (); COMMIT; END'"
    _, call, block = effects_of(
        databases, tmp_path, procedure, "CALL p()", "DO $$ BEGIN CREATE TABLE b (); COMMIT; END $$"
    )

    assert {"table public.a": ""} == call.set
    assert {"table public.b": ""} == block.set


def test_a_role_is_a_fact_though_the_server_has_it_already(databases: Databases, tmp_path: Path) -> None:
    name = f"trueup_test_{uuid.uuid4().hex[:8]}"

    first = effects_of(databases, tmp_path, f"CREATE ROLE {name} NOLOGIN")
    second = effects_of(databases, tmp_path, f"CREATE ROLE {name} NOLOGIN")

    assert {f"role {name}": ""} == first[0].set == second[0].set


@pytest.mark.parametrize(
    "statement, says, hint",
    [
        ("ALTER TABLE a ADD id int", 'column "id" of relation "a" already exists (42701)', "1_x.sql:2"),
        ("CREATE EXTENSION no_such", 'extension "no_such" is not available', "TRUEUP_SCRATCH_URL"),
        ("ALTER TABLE a OWNER TO nobody_here", 'role "nobody_here" does not exist', "[scratch] setup"),
        ("CREATE TABLE auth.users ()", 'schema "auth" does not exist', "[scratch] setup"),
    ],
)
def test_a_step_that_does_not_run_is_named(
    databases: Databases, tmp_path: Path, statement: str, says: str, hint: str
) -> None:
    with pytest.raises(ScratchError) as caught:
        effects_of(databases, tmp_path, "CREATE TABLE a (id int)", statement)

    assert caught.value.step.startswith("1_")
    assert f"step {caught.value.step} does not run on the scratch server" in caught.value.message
    assert says in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize("place", [0, 1, 31, 32])
def test_it_is_named_wherever_in_a_message_it_stands(databases: Databases, tmp_path: Path, place: int) -> None:
    statements = [f"CREATE TABLE t{n} ()" for n in range(34)]
    statements[place] = "DROP TABLE missing"

    with pytest.raises(ScratchError) as caught:
        effects_of(databases, tmp_path, *statements)

    assert "1_drop_missing" == caught.value.step


def test_a_transaction_s_own_settings_come_before_any_query(databases: Databases, tmp_path: Path) -> None:
    (effect,) = effects_of(databases, tmp_path, "BEGIN", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", TWO, "COMMIT")

    assert {"table public.a": "", "table public.b": ""} == effect.set


def test_what_is_known_is_not_learnt_again(databases: Databases, tmp_path: Path) -> None:
    steps = read_chain(
        write_chain(tmp_path, {"1_x.sql": "CREATE TABLE a ();\nCREATE TABLE b ();\nCREATE TABLE c ();"})
    ).steps
    learnt: list[str] = []

    def fresh() -> psycopg.Connection:
        return connect(databases.create())

    base, all_effects = replay(fresh, steps)
    again_base, again = replay(fresh, steps, all_effects[:2], lambda step: learnt.append(step.id))

    assert ["1_c_table"] == learnt
    assert all_effects == again
    assert base == again_base


def test_a_temporary_function_is_no_fact_and_nothing_is_learnt_twice(databases: Databases, tmp_path: Path) -> None:
    temporary = "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'"
    steps = read_chain(
        write_chain(
            tmp_path,
            {"1_x.sql": f"{temporary};\nINSERT INTO a SELECT pg_temp.f();", "0_a.sql": "CREATE TABLE a (x int);"},
        )
    ).steps
    learnt: list[str] = []

    _, effects = replay(lambda: connect(databases.create()), steps, on_step=lambda step: learnt.append(step.id))

    assert [step.id for step in steps] == learnt
    assert () == effects[1].keys


TWO = "CREATE TABLE a ();\nCREATE TABLE b ()"
MANY = "".join(f"CREATE TABLE t{n} (id int PRIMARY KEY, x int);\nCREATE INDEX i{n} ON t{n} (x);\n" for n in range(15))
DEFERRED = (
    "CREATE TABLE child (id int REFERENCES t1 DEFERRABLE INITIALLY DEFERRED);\n"
    "INSERT INTO child VALUES (1);\nINSERT INTO t1 VALUES (1);\n"
)


def test_the_statements_of_a_long_transaction_are_known_one_by_one(databases: Databases, tmp_path: Path) -> None:
    steps = read_chain(write_chain(tmp_path, {"1_x.sql": f"BEGIN;\n{MANY}COMMIT;"})).steps

    _, (effect,) = replay(lambda: connect(databases.create()), steps)

    assert len(steps[0].statements) == len(effect.parts)
    assert {"index public.i7": "ON public.t7 USING btree (x)"}.items() <= effect.set.items()
    assert "index public.i7" in effect.parts[15].set


def test_a_long_transaction_that_has_to_be_one_is_run_as_one(databases: Databases, tmp_path: Path) -> None:
    steps = read_chain(write_chain(tmp_path, {"1_x.sql": f"BEGIN;\n{MANY}{DEFERRED}COMMIT;"})).steps

    _, (effect,) = replay(lambda: connect(databases.create()), steps)

    assert () == effect.parts
    assert {"table public.child", "index public.i14"} < set(effect.set)


OBSERVED = """
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE t (id int, a varchar(9), b timestamp);
CREATE INDEX t_a ON t (a);
CREATE INDEX t_b ON t (b);
CREATE INDEX CONCURRENTLY t_id ON t (id);
ALTER TABLE t ADD CHECK (id > 0);
ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES p;
ALTER TABLE t VALIDATE CONSTRAINT t_id_check;
ALTER TABLE t ALTER a TYPE text;
ALTER TABLE t ALTER b TYPE timestamptz;
ALTER TABLE t ADD u uuid DEFAULT gen_random_uuid();
ALTER TABLE t ADD n int DEFAULT 7;
UPDATE t SET n = 8 WHERE id = 1;
INSERT INTO p VALUES (1);
DROP TABLE t;
"""


def test_locks_rewrites_and_scans_are_observed(each_server: Databases, tmp_path: Path) -> None:
    steps = read_chain(write_chain(tmp_path, {"1.sql": OBSERVED})).steps
    t, p, every = "public.t", "public.p", ("public.t", "public.t_a", "public.t_b", "public.t_id")

    assert [
        ({}, (), ()),
        ({}, (), ()),
        ({t: "S"}, (), (t,)),
        ({t: "S"}, (), (t,)),
        ({t: "SUE"}, (), (t,)),
        ({t: "AE"}, (), (t,)),
        ({p: "SRE", t: "SRE"}, (), (t,)),
        ({t: "SUE"}, (), ()),
        ({t: "AE"}, (), ()),
        ({t: "AE"}, ("public.t_b",), (t,)),
        ({t: "AE"}, every, (t,)),
        ({t: "AE"}, (), ()),
        ({t: "RX"}, (), (t,)),
        ({p: "RX"}, (), ()),
        ({p: "AE", t: "AE"}, (), ()),
    ] == [(dict(e.locks), e.rewritten, e.scanned) for e in learn(each_server, steps, local=True)]
