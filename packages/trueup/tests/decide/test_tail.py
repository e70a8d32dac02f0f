"""Data steps behind the last fact: the rows say up to where they have run."""

from __future__ import annotations

import pytest

from trueup.chain.grammar import parse_statements
from trueup.chain.inserts import selects_only_new
from trueup.chain.model import Effect
from trueup.decide.model import NOTHING_SHOWS, Wish
from trueup_testing.facts import chain_of, decided, state, step, verdicts

pytestmark = pytest.mark.unit

WRITES = {"public.flag": "RX"}
FLAG = step(
    "CREATE TABLE flag (name text, env text, status text)",
    {"table public.flag": "", **{f"column public.flag.{name}": "text" for name in ("name", "env", "status")}},
)
TYPES = dict.fromkeys(("name", "env", "status"), "text")
INSERT_A = step("INSERT INTO flag (name, env, status) VALUES ('a', 'prod', 'off')", locks=WRITES)
UPDATE_A = step("UPDATE flag SET status = 'on' WHERE name = 'a'", locks=WRITES)
ADD_A = step("UPDATE flag SET status = status || '!' WHERE name = 'a'", locks=WRITES)
INSERT_B = step("INSERT INTO flag (name, env, status) VALUES ('b', 'prod', 'off')", locks=WRITES)
UPDATE_B = step("UPDATE flag SET status = 'on' WHERE name = 'b'", locks=WRITES)


def there(name: str) -> str:
    """The row of an INSERT, but for the status, which later steps set."""
    return f'(EXISTS (SELECT FROM "flag" WHERE "name" = \'{name}\' AND "env" = \'prod\'))'


def rows(*, a: bool, b: bool) -> Wish:
    """Which of the two rows are there."""
    said = {"a": a, "b": b}
    return Wish(
        rows={f"SELECT {there(n)}": is_there for n, is_there in said.items()}
        | {f"SELECT NOT ({there(n)})": not is_there for n, is_there in said.items()}
    )


@pytest.mark.parametrize(
    "wish, wanted",
    [
        (rows(a=True, b=True), ["assume", "assume", "assume", "assume"]),
        (rows(a=True, b=False), ["assume", "run", "run", "run"]),
        (rows(a=False, b=False), ["run", "run", "run", "run"]),
        (rows(a=False, b=True), ["assume", "assume", "assume", "assume"]),
        (Wish(), ["assume", "assume", "assume", "assume"]),
    ],
)
def test_what_is_there_was_run_up_to_there_and_what_is_missing_not_from_there(wish: Wish, wanted: list[str]) -> None:
    locked = chain_of(FLAG, INSERT_A, UPDATE_A, INSERT_B, UPDATE_B)

    assert ["reconcile", *wanted] == verdicts(decided(locked, state(locked, 1), wish=wish))


def test_what_does_not_end_the_same_is_not_repeated_where_no_row_says_whether_it_was_run() -> None:
    locked = chain_of(FLAG, INSERT_A, ADD_A, INSERT_B, UPDATE_B)

    assert "assume" == verdicts(decided(locked, state(locked, 1), wish=rows(a=True, b=False)))[2]


@pytest.mark.parametrize(
    "condition, wanted",
    [
        ("env = 'test'", "run"),
        ("env = 'prod'", "assume"),
        ("env IN ('test', 'prod')", "assume"),
        ("env = 'prod' AND name IN ('b', 'c')", "run"),
        ("env = 'prod' AND status = 'on'", "assume"),
        ("env > 'p' AND name = 'a'", "assume"),
        ("env = lower('TEST')", "assume"),
    ],
)
def test_rows_that_a_later_step_may_have_deleted_say_nothing(condition: str, wanted: str) -> None:
    delete = step(f"DELETE FROM flag WHERE {condition}", locks=WRITES)
    locked = chain_of(FLAG, INSERT_A, UPDATE_A, delete)

    assert wanted == verdicts(decided(locked, state(locked, 1), wish=rows(a=False, b=False)))[1]


@pytest.mark.parametrize("same_file, wanted", [(True, ["run", "run", "run"]), (False, ["assume", "run", "assume"])])
def test_where_a_step_of_a_file_has_not_run_the_others_have_not(*, same_file: bool, wanted: list[str]) -> None:
    files = ["2", "2", "2"] if same_file else ["2", "3", "4"]
    sqls = ["TRUNCATE flag", "UPDATE flag SET env = 'prod' WHERE env = 'p'", "DELETE FROM flag WHERE env = 'test'"]
    steps = [step(sql, locks=WRITES, file=file) for sql, file in zip(sqls, files, strict=True)]
    locked = chain_of(FLAG, *steps)
    found = "SELECT EXISTS (SELECT FROM \"flag\" WHERE env = 'p')"

    assert wanted == verdicts(decided(locked, state(locked, 1), wish=Wish(rows={found: True})))[1:]


def test_rows_that_an_earlier_step_wrote_as_well_show_nothing() -> None:
    delete_a, delete_b = (step(f"DELETE FROM flag WHERE name = '{name}'", locks=WRITES) for name in "ab")
    insert_c = step("INSERT INTO flag (name, env, status) VALUES ('c', 'prod', 'off')", locks=WRITES)
    locked = chain_of(FLAG, INSERT_A, INSERT_B, delete_a, delete_b, INSERT_B, insert_c)
    row = '(EXISTS (SELECT FROM "flag" WHERE "name" = \'{}\' AND "env" = \'prod\' AND "status" = \'off\'))'
    wish = Wish(
        rows={f"SELECT {row.format(name)}": name != "c" for name in "abc"}
        | {f"SELECT NOT ({row.format(name)})": name == "c" for name in "abc"}
    )

    assert ["assume", "assume", "run", "run", "run", "run"] == verdicts(decided(locked, state(locked, 1), wish=wish))[
        1:
    ]


def test_the_last_few_facts_may_be_early_so_that_rows_tell_more() -> None:
    tables = [step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}) for n in "abcdef"]
    locked = chain_of(FLAG, INSERT_A, *tables[:4], INSERT_B, *tables[4:])

    def with_rows(*, a: bool, b: bool) -> list[str]:
        said = {"a": a, "b": b}
        row = '(EXISTS (SELECT FROM "flag" WHERE "name" = \'{}\' AND "env" = \'prod\' AND "status" = \'off\'))'
        known = {f"SELECT {row.format(n)}": there for n, there in said.items()}
        known |= {f"SELECT NOT ({row.format(n)})": not there for n, there in said.items()}
        found = verdicts(decided(locked, state(locked, 9), wish=Wish(rows=known)))
        return [found[1], found[6]]

    assert ["assume", "assume"] == with_rows(a=True, b=True)
    assert ["assume", "run"] == with_rows(a=True, b=False)
    assert ["assume", "run"] == with_rows(a=False, b=False)  # the first has too much behind it not to have run


def test_rows_of_an_insert_without_columns_are_known_by_those_of_the_table() -> None:
    unnamed = step("INSERT INTO flag VALUES ('a', 'prod', 'off')", locks=WRITES)
    added = step("ALTER TABLE flag ADD z int", {"column public.flag.z": "integer"})
    row = '(EXISTS (SELECT FROM "flag" WHERE "name" = \'a\' AND "env" = \'prod\' AND "status" = \'off\'))'
    wish = Wish(rows={f"SELECT NOT ({row})": True, f"SELECT {row}": False})
    tables = [step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}) for n in "abc"]
    locked = chain_of(FLAG, *tables, unnamed, added)

    assert "run" == verdicts(decided(locked, state(locked, 6), wish=wish))[4]


TABLES = [step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}) for n in "abcdef"]


def row_of(name: str, *columns: str) -> str:
    """The condition of a row of `flag`, by some of its columns."""
    said = {"name": f"'{name}'", "env": "'prod'", "status": "'off'"}
    conditions = [f'"{column}" = {said[column]}' for column in columns or said]
    return f'(EXISTS (SELECT FROM "flag" WHERE {" AND ".join(conditions)}))'


def insert(*names: str) -> str:
    rows = ", ".join(f"('{name}', 'prod', 'off')" for name in names)
    return f"INSERT INTO flag (name, env, status) VALUES {rows}"


@pytest.mark.parametrize(
    "later, asked",
    [
        ("DELETE FROM flag WHERE name = 'x'", f"SELECT NOT ({row_of('d')})"),  # a row that is deleted says nothing
        (
            "UPDATE flag SET status = 'on' WHERE name = 'x'",  # the other row is as it was
            f"SELECT NOT ({row_of('d')} OR {row_of('x', 'name', 'env')})",
        ),
    ],
)
def test_rows_that_must_still_be_there_tell(later: str, asked: str) -> None:
    steps = [step(sql, locks=WRITES) for sql in (insert("d", "x"), later)]
    locked = chain_of(FLAG, *TABLES, *steps)

    assert asked in decided(locked, state(locked, 7)).asked
    assert ["run", "run"] == verdicts(decided(locked, state(locked, 7), wish=Wish(rows={asked: True})))[7:]


def test_rows_that_look_alike_by_what_is_left_of_them_tell_nothing() -> None:
    steps = [step(sql, locks=WRITES) for sql in (insert("d", "x"), "UPDATE flag SET name = lower(name)")]
    locked = chain_of(FLAG, *TABLES, *steps)

    assert not any(row_of("d", "env", "status") in query for query in decided(locked, state(locked, 7)).asked)


def test_what_is_set_behind_a_delete_does_not_matter_to_it() -> None:
    texts = (insert("d"), "DELETE FROM flag WHERE name = 'a'", "UPDATE flag SET name = 'ee' WHERE env = 'prod'")
    locked = chain_of(FLAG, *TABLES, *(step(sql, locks=WRITES) for sql in texts))
    asked = f"SELECT NOT ({row_of('d', 'env', 'status')})"

    assert "run" == verdicts(decided(locked, state(locked, 7), wish=Wish(rows={asked: True})))[7]


def test_the_cut_does_not_go_back_over_other_tables_behind_which_facts_are_there() -> None:
    other = step("UPDATE b SET x = 1", locks={"public.b": "RX"}, file="9")
    steps = [*TABLES[:4], other, TABLES[4], step(insert("d"), locks=WRITES)]
    locked = chain_of(FLAG, *steps)
    wish = Wish(rows={f"SELECT NOT ({row_of('d')})": True})

    assert ["assume", "reconcile", "run"] == verdicts(decided(locked, state(locked, 7), wish=wish))[5:]


@pytest.mark.parametrize(
    "source, wanted",
    [
        ("(VALUES ('a')) AS x (n) JOIN e ON e.name = n", ["run", "run"]),
        ("(VALUES ('a')) AS x (n) JOIN flag ON name = n", ["assume", "run"]),  # it may hang on rows of its own
        ("e AS x (n)", ["assume", "run"]),
    ],
)
def test_of_rows_of_values_that_are_missing_the_file_has_not_run(source: str, wanted: list[str]) -> None:
    sql = f"INSERT INTO flag (name, env) SELECT n, 'prod' FROM {source}"
    delete = step("DELETE FROM flag WHERE name = 'b'", locks=WRITES, file="9")
    locked = chain_of(FLAG, *TABLES, delete, step(sql, locks=WRITES, file="9"))
    asked = f"SELECT {selects_only_new(parse_statements(sql)[0], (), TYPES)}"

    assert wanted == verdicts(decided(locked, state(locked, 7), wish=Wish(rows={asked: True})))[7:]


def test_a_block_that_has_left_no_row_has_not_run_though_something_of_it_is_there() -> None:
    sql = "ALTER TABLE flag ADD kind text; CREATE TABLE kinds (name text); INSERT INTO kinds (name) VALUES ('k')"
    kind, kinds = {"column public.flag.kind": "text"}, {"table public.kinds": "", "column public.kinds.name": "text"}
    parts = tuple(Effect(set=facts) for facts in (kind, kinds, {}))
    block = step(sql, {**kind, **kinds}, locks={"public.kinds": "AE", "public.flag": "AE"}, parts=parts)
    locked = chain_of(FLAG, *TABLES, block)
    live = {**state(locked, 7), "table public.kinds": "", "column public.kinds.name": "text"}
    asked = 'SELECT NOT ((EXISTS (SELECT FROM "kinds" WHERE "name" = \'k\')))'
    empty = "SELECT NOT EXISTS (SELECT FROM public.kinds)"

    decision = decided(locked, live, wish=Wish(rows={asked: True, empty: True}))

    assert "complete" == verdicts(decision)[7]
    assert (0, 2) == decision.steps[7].statements


@pytest.mark.parametrize("is_empty, wanted", [(True, "run"), (False, "assume")])
def test_what_fills_an_empty_table_has_not_run(*, is_empty: bool, wanted: str) -> None:
    fill = step("DO $$ BEGIN INSERT INTO flag (name) VALUES ('a'); END $$", locks=WRITES)
    locked = chain_of(FLAG, *TABLES, fill)
    wish = Wish(rows={"SELECT NOT EXISTS (SELECT FROM public.flag)": is_empty})

    assert wanted == verdicts(decided(locked, state(locked, 7), wish=wish))[7]


def test_what_a_delete_would_find_may_have_been_written_behind_it() -> None:
    opaque = "INSERT INTO flag (name) SELECT name FROM flag"
    texts = ("DELETE FROM flag WHERE name = 'd'", opaque, insert("x"))
    locked = chain_of(FLAG, *TABLES, *(step(sql, locks=WRITES) for sql in texts))
    wish = Wish(rows={f"SELECT NOT ({row_of('x')})": True})

    assert ["assume", "assume", "run"] == verdicts(decided(locked, state(locked, 7), wish=wish))[7:]


def test_a_delete_on_another_table_in_a_block_takes_no_evidence_away() -> None:
    block = "DELETE FROM other WHERE name IN (SELECT name FROM flag); DELETE FROM flag WHERE name = 'z'"
    steps = [step(insert("d"), locks=WRITES), step(block, locks={**WRITES, "public.other": "RX"})]
    asked = f"SELECT NOT ({row_of('d')})"

    assert (
        "run"
        == verdicts(
            decided(chain_of(FLAG, *TABLES, *steps), state(chain_of(FLAG, *TABLES), 7), wish=Wish(rows={asked: True}))
        )[7]
    )


COLUMN, ADDED = {"column public.flag.x": "text"}, ["column public.flag.x"]
LEAVES_NOTHING = {
    "a column": [
        step("ALTER TABLE flag ADD x text", COLUMN, file="2"),
        step("UPDATE flag SET x = name", locks=WRITES, file="2"),
        step("UPDATE flag SET name = x || env", locks=WRITES, file="2"),
        step("ALTER TABLE flag DROP x", gone=ADDED, file="2"),
    ],
    "a block": [step("ALTER TABLE flag DISABLE TRIGGER t; UPDATE flag SET name = name || env", locks=WRITES, file="2")],
    "rows alone": [step("UPDATE flag SET name = name || env", locks=WRITES, file="2")],
}


@pytest.mark.parametrize("name", LEAVES_NOTHING)
def test_of_a_file_that_leaves_no_fact_nothing_shows_whether_it_has_run(name: str) -> None:
    steps = LEAVES_NOTHING[name]
    locked = chain_of(FLAG, *steps, step("CREATE TABLE b ()", {"table public.b": ""}, file="3"))

    def reasons(end: int) -> set[str]:
        return {one.reason for one in decided(locked, state(locked, end)).steps if one.verdict == "assume"}

    assert NOTHING_SHOWS in reasons(1)
    assert NOTHING_SHOWS not in reasons(len(locked.steps))
