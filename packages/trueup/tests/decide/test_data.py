"""Steps that leave no trace in the catalog."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.chain.model import LockedChain
from trueup.decide.model import Decision, Wish
from trueup_testing.facts import chain_of, decided, state, step, verdicts

pytestmark = pytest.mark.unit

WRITES_A = {"public.a": "RX"}


def chain(sql: str, **more: Any) -> LockedChain:
    """A, then the step in question, then a column of A and other tables."""
    return chain_of(
        step("CREATE TABLE a (x int)", {"table public.a": "", "column public.a.x": "integer"}),
        step(sql, locks=WRITES_A, **more),
        step("ALTER TABLE a ADD y int", {"column public.a.y": "integer"}),
        step("CREATE TABLE b ()", {"table public.b": ""}),
        *(step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}) for n in "cde"),
    )


UPDATE = chain("UPDATE a SET x = x + 1")
GUARDED = chain("UPDATE a SET x = 1 WHERE x IS NULL")


def second(decision: Decision) -> tuple[str, str]:
    return verdicts(decision)[1], decision.steps[1].reason


def test_on_an_empty_database_it_runs() -> None:
    assert ("run", "the database is empty") == second(decided(UPDATE, {}))


def test_its_mark_is_taken() -> None:
    assert ("skip", "marked in the ledger") == second(decided(UPDATE, state(UPDATE, 7), marked=[1]))


def test_without_a_ledger_its_place_decides_where_all_around_agrees() -> None:
    assert ("assume", "everything around it is there") == second(decided(UPDATE, state(UPDATE, 7)))


def test_behind_the_anchor_it_runs() -> None:
    locked = chain_of(
        step("CREATE TABLE a (x int)", {"table public.a": "", "column public.a.x": "integer"}, file="1"),
        step("CREATE TABLE b ()", {"table public.b": ""}, file="2"),
        step("UPDATE a SET x = 1", locks=WRITES_A, file="2"),
        step("CREATE TABLE c ()", {"table public.c": ""}, file="2"),
    )

    assert ["reconcile", "run", "run", "run"] == verdicts(decided(locked, state(locked, 1)))


def test_in_trueup_s_own_ledger_no_mark_means_that_it_did_not_run() -> None:
    live = state(UPDATE, [0])

    assert ("run", "not in the ledger") == second(decided(UPDATE, live, marked=[0]))


def test_an_index_build_that_was_killed_before_its_mark_says_nothing_about_what_follows() -> None:
    locked = chain_of(
        step("CREATE TABLE a (x int)", {"table public.a": "", "column public.a.x": "integer"}),
        step("CREATE INDEX CONCURRENTLY i ON a (x)", {"index public.i": "ON public.a USING btree (x)"}),
        step("INSERT INTO a VALUES (1)", locks=WRITES_A),
    )

    assert ["skip", "reconcile", "run"] == verdicts(decided(locked, state(locked, 2), marked=[0]))


def test_it_never_runs_again_behind_a_mark_of_trueup_s_that_follows_it() -> None:
    verdict, _ = second(decided(UPDATE, state(UPDATE, 7), marked=[0, 2, 3, 4, 5, 6]))

    assert verdict in ("run", "conflict")  # its turn was missed; it is not taken as done


def test_what_repeats_harmlessly_runs_unless_it_has_surely_run() -> None:
    last = chain_of(*zip(GUARDED.steps[:2], GUARDED.effects[:2], strict=True))

    assert ("run", "it repeats harmlessly") == second(decided(last, state(last, 2)))
    assert "assume" == second(decided(GUARDED, state(GUARDED, 7)))[0]


@pytest.mark.parametrize("filled, verdict", [(True, "assume"), (False, "run")])
def test_a_guard_is_not_needed_in_a_file_that_has_been_run_in_order(*, filled: bool, verdict: str) -> None:
    locked = chain_of(
        *(step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}) for n in "bcdef"),
        step("CREATE TABLE a (x int)", {"table public.a": "", "column public.a.x": "integer"}),
        step("UPDATE a SET x = 1 WHERE x IS NULL", locks=WRITES_A, file="9"),
        step("CREATE INDEX i ON a (x)", {"index public.i": "ON public.a USING btree (x)"}, file="9"),
        *(step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}) for n in "gh"),
    )
    wish = Wish(rows={'SELECT EXISTS (SELECT FROM "a" WHERE "x" IS NOT NULL)': filled})

    assert verdict == verdicts(decided(locked, state(locked, 8), wish=wish))[6]
    assert "run" == verdicts(decided(locked, state(locked, [*range(6), 7, 9]), wish=wish))[6]


def test_what_no_longer_fits_its_table_is_not_repeated() -> None:
    locked = chain_of(
        step("CREATE TABLE a (x int)", {"table public.a": "", "column public.a.x": "integer"}),
        step("UPDATE a SET x = 1 WHERE x IS NULL", locks=WRITES_A),
        step("ALTER TABLE a DROP x", gone=["column public.a.x"], locks={"public.a": "AE"}),
        step("CREATE TABLE b ()", {"table public.b": ""}),
    )

    assert "assume" == second(decided(locked, state(locked, 4)))[0]


def test_something_missing_that_it_names_makes_it_a_person_s_matter() -> None:
    live = state(UPDATE, 7)
    del live["column public.a.x"]

    verdict, reason = second(decided(UPDATE, live))

    assert "conflict" == verdict
    assert "it uses what was missing" in reason


def test_the_table_it_fills_was_missing_so_it_runs() -> None:
    live = {key: value for key, value in state(UPDATE, 7).items() if "public.a" not in key}

    assert ("run", "the table it fills was missing") == second(decided(UPDATE, live))


def test_something_missing_elsewhere_does_not_matter() -> None:
    live = state(UPDATE, 7)
    del live["table public.b"]

    assert "assume" == second(decided(UPDATE, live))[0]


def test_something_early_on_its_table_makes_it_a_person_s_matter() -> None:
    locked = chain_of(
        step("CREATE TABLE a (x int)", {"table public.a": "", "column public.a.x": "integer"}, file="1"),
        step("CREATE TABLE b ()", {"table public.b": ""}, file="2"),
        step("CREATE TABLE c ()", {"table public.c": ""}, file="2"),
        step("UPDATE a SET x = 1", locks=WRITES_A, file="2"),
        step("ALTER TABLE a ADD y int", {"column public.a.y": "integer"}, file="2"),
    )
    live = state(locked, [0, 4])

    decision = decided(locked, live)

    assert ["reconcile", "run", "run", "conflict", "reconcile"] == verdicts(decision)


def test_ddl_that_changes_nothing_is_no_data_step() -> None:
    locked = chain("ALTER TABLE a DROP COLUMN IF EXISTS z")

    assert "reconcile" == second(decided(locked, state(locked, 7)))[0]
    assert "reconcile" == second(decided(locked, state(locked, 1), marked=[0]))[0]
    locked = chain("ALTER TABLE a OWNER TO me")
    assert "run" == second(decided(locked, state(locked, 1), marked=[0]))[0]


def test_a_conflict_does_not_stop_what_comes_after_from_being_judged() -> None:
    live = state(UPDATE, 7)
    del live["column public.a.x"]

    assert ["reconcile", "conflict", *["reconcile"] * 5] == verdicts(decided(UPDATE, live))


IF_NONE = "INSERT INTO a (x) SELECT 1 WHERE NOT EXISTS (SELECT FROM a)"
A_WITH_X = step("CREATE TABLE a (x int)", {"table public.a": "", "column public.a.x": "integer"})
ADD_Y = step("ALTER TABLE a ADD y int", {"column public.a.y": "integer"})
OTHERS = [step(f"CREATE TABLE {name} ()", {f"table public.{name}": ""}) for name in "bcdefg"]
ADD_Z = step("ALTER TABLE a ADD z int NOT NULL", {"column public.a.z": "integer", "not null public.a.z": ""})
DROP_X = step("ALTER TABLE a DROP x", gone=["column public.a.x"])
INSERT = chain_of(A_WITH_X, *OTHERS, step("INSERT INTO a (x) VALUES (1)", locks=WRITES_A), ADD_Y, ADD_Z, DROP_X)


def written(locked: LockedChain, live: dict[str, str], **rows: bool) -> tuple[str, str]:
    """Verdict and reason for the step that writes rows; `rows` says which tables have some."""
    empty = {f"SELECT NOT EXISTS (SELECT FROM public.{table})": not some for table, some in rows.items()}
    decision = decided(locked, live, wish=Wish(rows=empty))
    (index,) = (i for i, one in enumerate(locked.steps) if one.has_data)
    return verdicts(decision)[index], decision.steps[index].reason


def test_the_nearest_step_on_its_table_tells_more_than_a_distant_one() -> None:
    locked = chain_of(A_WITH_X, *OTHERS, step("UPDATE a SET x = 1", locks=WRITES_A), ADD_Y, ADD_Z)

    assert ("run", "nothing beside it is there") == written(locked, state(locked, [0, 9]))
    assert "conflict" == written(locked, state(locked, [0, 8]))[0]


def test_a_table_without_rows_was_not_filled() -> None:
    early = state(INSERT, [0, 8])

    assert "SELECT NOT EXISTS (SELECT FROM public.a)" in decided(INSERT, early).asked
    assert ("run", "the tables that it writes have no rows") == written(INSERT, early, a=False)
    assert "conflict" == written(INSERT, early, a=True)[0]


def test_what_a_later_step_has_done_early_can_make_it_impossible() -> None:
    verdict, reason = written(INSERT, state(INSERT, [0, 9]), a=False)

    assert ("conflict", True) == (verdict, "not null public.a.z" in reason)


def test_not_null_that_came_early_is_nothing_to_a_step_that_only_reads_its_table() -> None:
    b = step("CREATE TABLE b (n int)", {"table public.b": "", "column public.b.n": "integer"})
    early = step("ALTER TABLE b ALTER n SET NOT NULL", {"not null public.b.n": ""})
    insert = step("INSERT INTO a (x) SELECT 1 FROM b", locks={**WRITES_A, "public.b": "AS"})
    locked = chain_of(A_WITH_X, b, *OTHERS, insert, ADD_Y, early)
    live = {**state(locked, 2), "not null public.b.n": ""}

    assert "run" == written(locked, live, a=False)[0]


def test_a_table_made_early_is_filled_only_where_it_is_empty() -> None:
    locked = chain_of(*OTHERS, A_WITH_X, step("INSERT INTO a VALUES (1)", locks=WRITES_A), ADD_Y)
    live = state(locked, [0, 6])

    assert "run" == written(locked, live, a=False)[0]
    assert "conflict" == written(locked, live, a=True)[0]


def test_what_was_lost_later_does_not_undo_what_was_passed() -> None:
    live = state(UPDATE, 7)
    moved = chain("UPDATE a SET w = 1")
    del live["column public.a.x"]

    assert "assume" == second(decided(moved, live))[0]


@pytest.mark.parametrize("others, verdict", [(7, "conflict"), (14, "assume")])
def test_what_has_surely_run_and_reads_what_was_lost_since_is_not_done_again(others: int, verdict: str) -> None:
    facts = {"table public.a": "", "column public.a.x": "integer", "column public.a.y": "integer"}
    locked = chain_of(
        step("CREATE TABLE a (x int, y int)", facts),
        step("UPDATE a SET y = x", locks=WRITES_A),
        *(step(f"CREATE TABLE t{n} ()", {f"table public.t{n}": ""}) for n in range(others)),
    )
    live = state(locked, others + 2)
    del live["column public.a.x"]

    assert verdict == second(decided(locked, live))[0]


def test_nor_is_what_reads_a_table_that_has_no_rows() -> None:
    locked = chain_of(
        step("CREATE TABLE a (x int)", {"table public.a": "", "column public.a.x": "integer"}),
        step("CREATE TABLE b (y int)", {"table public.b": "", "column public.b.y": "integer"}),
        step("UPDATE a SET x = now_() FROM b WHERE x = y", locks={**WRITES_A, "public.b": "AS"}),
        *(step(f"CREATE TABLE t{n} ()", {f"table public.t{n}": ""}) for n in range(14)),
    )
    live = state(locked, 17)
    del live["column public.b.y"]

    assert "assume" == written(locked, live, a=True, b=False)[0]


def test_what_cannot_run_any_more_leaves_nothing_to_decide() -> None:
    locked = chain_of(
        step("CREATE TABLE old (x int)", {"table public.old": "", "column public.old.x": "integer"}),
        A_WITH_X,
        step("INSERT INTO a (x) SELECT x FROM old", locks={**WRITES_A, "public.old": "AS"}),
        step("DROP TABLE old", gone=["table public.old", "column public.old.x"]),
        *OTHERS,
    )
    live = state(locked, 10)
    del live["column public.a.x"]

    assert "assume" == written(locked, live, a=True)[0]

    without = {key: value for key, value in live.items() if "public.a" not in key}
    assert "assume" == verdicts(decided(locked, without))[2]


def test_nor_does_what_selects_from_a_view_that_is_gone() -> None:
    locked = chain_of(
        A_WITH_X,
        step("CREATE VIEW v AS SELECT 1 AS x", {"view public.v": "SELECT 1"}),
        step("INSERT INTO a (x) SELECT x FROM v", locks=WRITES_A),
        step("DROP VIEW v", gone=["view public.v"]),
        *OTHERS,
    )
    live = {key: value for key, value in state(locked, 10).items() if key != "column public.a.x"}

    assert ("assume", "it could not run any more: view public.v is gone since") == written(locked, live, a=False)


def test_a_file_that_was_left_out_has_not_written_its_rows() -> None:
    beside = step("CREATE TABLE h ()", {"table public.h": ""}, file="40")
    locked = chain_of(A_WITH_X, *OTHERS, beside, step("UPDATE a SET x = 2", locks=WRITES_A, file="40"), ADD_Y)
    live = state(locked, 10)
    del live["table public.h"]

    assert ("conflict", True) == (written(locked, live)[0], "beside it" in written(locked, live)[1])
    assert "assume" == written(locked, live, a=False)[0]


SEEDS = "INSERT INTO a (x, y) VALUES (1, now()), (-2, 'z')"
FIRST_ROW, SECOND_ROW = (
    'EXISTS (SELECT FROM "a" WHERE "x" = 1)',
    'EXISTS (SELECT FROM "a" WHERE "x" = -2 AND "y" = \'z\')',
)
ASKED = f"SELECT ({FIRST_ROW}) AND ({SECOND_ROW})"


@pytest.mark.parametrize("there, verdict", [(True, "assume"), (False, "run")])
def test_rows_that_are_there_are_not_written_again(*, there: bool, verdict: str) -> None:
    locked = chain_of(A_WITH_X, *OTHERS, step(SEEDS, locks=WRITES_A), ADD_Y)

    assert ASKED in decided(locked, state(locked, 1)).asked
    assert verdict == verdicts(decided(locked, state(locked, 1), wish=Wish(rows={ASKED: there})))[7]


@pytest.mark.parametrize("there, verdict", [(True, "assume"), (False, "run")])
def test_rows_with_keys_that_are_there_would_be_refused(*, there: bool, verdict: str) -> None:
    key = step("ALTER TABLE a ADD PRIMARY KEY (x)", {"constraint public.a.k": "PRIMARY KEY (x)"})
    locked = chain_of(A_WITH_X, key, *OTHERS, step("INSERT INTO a (x, y) VALUES (1, 'a')", locks=WRITES_A), ADD_Y)
    asked = f"SELECT ({FIRST_ROW})"
    live, marks = state(locked, 8), range(8)

    assert asked in decided(locked, live, marked=marks).asked
    assert verdict == verdicts(decided(locked, live, marked=marks, wish=Wish(rows={asked: there})))[8]


@pytest.mark.parametrize(
    "before, verdict",
    [
        ("UPDATE a SET y = 'b'", "assume"),
        ("UPDATE a SET x = 3 - x", "run"),
        ("DELETE FROM a", "run"),
        ("INSERT INTO a (x) VALUES (3)", "assume"),
    ],
)
def test_a_row_is_known_by_its_key_unless_a_step_before_may_take_it(before: str, verdict: str) -> None:
    key = step("ALTER TABLE a ADD PRIMARY KEY (x)", {"constraint public.a.k": "PRIMARY KEY (x)"})
    steps = [step(sql, locks=WRITES_A) for sql in (before, "INSERT INTO a (x, y) VALUES (1, 'a')")]
    locked = chain_of(A_WITH_X, key, *OTHERS, *steps, ADD_Y)
    wish = Wish(rows={f"SELECT ({FIRST_ROW})": True})

    assert ["run", verdict] == verdicts(decided(locked, state(locked, 8), marked=range(8), wish=wish))[8:10]


@pytest.mark.parametrize(
    "sql, verdict",
    [
        ("UPDATE a SET x = x + 1", "conflict"),
        ("UPDATE a SET x = 1", "run"),
        ("DELETE FROM a WHERE x = 1", "run"),
        ("TRUNCATE a", "run"),
        ("INSERT INTO a SELECT 1", "conflict"),
    ],
)
def test_behind_a_step_whose_mark_was_lost_only_what_ends_the_same_is_done_again(sql: str, verdict: str) -> None:
    locked = chain_of(A_WITH_X, ADD_Y, step(sql, locks=WRITES_A), *OTHERS)

    decision = decided(locked, state(locked, 2), marked=[0])

    assert verdict == verdicts(decision)[2]
    assert "run" == verdicts(decided(locked, state(locked, 2), marked=[0, 1]))[2]


@pytest.mark.parametrize(
    "facts, verdict",
    [
        ({"trigger public.a.t": "…"}, "assume"),
        ({"column public.a.y": "integer", "not null public.a.y": ""}, "assume"),
        ({"column public.a.y": "integer", "not null public.a.y": "", "default public.a.y": "0"}, "run"),
        ({"not null public.a.x": ""}, "run"),
        ({"constraint public.a.k": "CHECK ((x > 1))"}, "run"),
    ],
)
def test_a_row_that_would_be_refused_by_now_is_not_written_again(facts: dict[str, str], verdict: str) -> None:
    insert = step(IF_NONE, locks=WRITES_A)
    locked = chain_of(A_WITH_X, insert, step("ALTER TABLE a ADD y int", facts))

    assert verdict == verdicts(decided(locked, state(locked, 3)))[1]


NONE_THERE = f"SELECT NOT (({FIRST_ROW}))"


@pytest.mark.parametrize("missing, verdict", [(True, "run"), (False, "assume")])
def test_at_the_place_where_no_fact_says_whether_they_were_written_the_rows_are_asked(
    *, missing: bool, verdict: str
) -> None:
    locked = chain_of(A_WITH_X, step("INSERT INTO a (x, y) VALUES (1, '{}')", locks=WRITES_A), *OTHERS)
    live = state(locked, 1)

    assert NONE_THERE in decided(locked, live).asked
    assert verdict == verdicts(decided(locked, live, wish=Wish(rows={NONE_THERE: missing})))[1]


KEY = step("ALTER TABLE a ADD PRIMARY KEY (x)", {"constraint public.a.k": "PRIMARY KEY (x)"})
COPY = "INSERT INTO a (x) SELECT x FROM b"
SELECTED = 'SELECT FROM (SELECT x FROM b) AS new("x") WHERE'
OLD = 'EXISTS (SELECT FROM "a" AS old WHERE old."x" = CAST(new."x" AS integer))'
ALL_THERE, NONE_NEW = f"SELECT NOT EXISTS ({SELECTED} NOT {OLD})", f"SELECT NOT EXISTS ({SELECTED} {OLD})"


@pytest.mark.parametrize(
    "rows, verdict",
    [({ALL_THERE: True}, "assume"), ({NONE_NEW: True}, "run"), ({ALL_THERE: False, NONE_NEW: False}, "conflict")],
)
def test_rows_that_are_selected_are_known_by_their_keys(rows: dict[str, bool], verdict: str) -> None:
    locked = chain_of(A_WITH_X, KEY, ADD_Y, step(COPY, locks=WRITES_A), *OTHERS)
    decision = decided(locked, state(locked, 3), marked=[0, 1], wish=Wish(rows=rows))

    assert verdict == verdicts(decision)[3]


@pytest.mark.parametrize("sql", ["UPDATE b SET x = 1", "INSERT INTO b (x) VALUES (7)"])
def test_rows_that_are_selected_are_not_known_where_a_step_before_writes_them(sql: str) -> None:
    fill = step(sql, locks={"public.b": "RX"})
    locked = chain_of(A_WITH_X, KEY, OTHERS[0], ADD_Y, fill, step(COPY, locks={**WRITES_A, "public.b": "AS"}))

    assert (
        "run" == verdicts(decided(locked, state(locked, 4), marked=[0, 1, 2, 3], wish=Wish(rows={ALL_THERE: True})))[5]
    )


NOTHING = 'SELECT NOT EXISTS (SELECT FROM "a" WHERE ("a"."x" IS DISTINCT FROM (1)) AND (x = 2))'


@pytest.mark.parametrize("nothing, verdict", [(True, "assume"), (False, "conflict")])
def test_where_no_row_would_change_it_makes_no_difference_whether_it_has_run(*, nothing: bool, verdict: str) -> None:
    locked = chain_of(A_WITH_X, *OTHERS, step("UPDATE a SET x = 1 WHERE x = 2", locks=WRITES_A), ADD_Y, ADD_Z)

    assert verdict == verdicts(decided(locked, state(locked, [0, 8]), wish=Wish(rows={NOTHING: nothing})))[7]


@pytest.mark.parametrize("facts, verdict", [({}, "run"), ({"not null public.a.y": ""}, "assume")])
def test_a_column_that_was_missing_is_filled_by_the_step_that_fills_it(facts: dict[str, str], verdict: str) -> None:
    locked = chain_of(
        A_WITH_X, ADD_Y, step("UPDATE a SET y = 1 WHERE x = 1", locks=WRITES_A), step("SELECT 1", facts), *OTHERS
    )
    live = state(locked, len(locked.steps))
    del live["column public.a.y"]
    live.pop("not null public.a.y", None)

    assert verdict == verdicts(decided(locked, live))[2]


def test_a_step_whose_column_was_retyped_since_was_not_left_out() -> None:
    column, default = "column public.a.y", "default public.a.y"
    add = step("ALTER TABLE a ADD y int DEFAULT 1", {column: "integer", default: "1"}, file="2")
    fill = step("UPDATE a SET y = 2", locks=WRITES_A, file="2")
    locked = chain_of(A_WITH_X, add, fill, step("ALTER TABLE a ALTER y TYPE bigint", {column: "bigint"}), *OTHERS)
    live = state(locked, len(locked.steps))
    del live[default]

    assert "assume" == verdicts(decided(locked, live))[2]


def test_labels_added_to_an_enum_since_do_not_keep_a_row_from_being_written() -> None:
    mood = step("CREATE TYPE mood AS ENUM ('a')", {"enum public.mood": "'a'"})
    insert = step(IF_NONE, locks=WRITES_A)
    more = step("ALTER TYPE mood ADD VALUE 'b'", {"enum public.mood": "'a', 'b'"})
    other = step("ALTER TYPE mood RENAME VALUE 'a' TO 'c'", {"enum public.mood": "'c'"})

    moody = step("ALTER TABLE a ADD mood mood", {"column public.a.mood": "mood"})

    added, lost = chain_of(A_WITH_X, mood, insert, more), chain_of(A_WITH_X, mood, insert, other)
    used = chain_of(A_WITH_X, mood, moody, insert, other)

    assert "run" == verdicts(decided(added, state(added, 4)))[2]
    assert "run" == verdicts(decided(lost, state(lost, 4)))[2]  # no column of its table is of that type
    assert "assume" == verdicts(decided(used, state(used, 5)))[3]


@pytest.mark.parametrize("later", ["DELETE FROM a WHERE x = 1", "UPDATE a SET x = 2", "TRUNCATE a"])
def test_a_guarded_row_that_a_later_step_has_taken_away_is_not_written_again(later: str) -> None:
    insert = step(IF_NONE, locks=WRITES_A)
    locked = chain_of(A_WITH_X, insert, step(later, locks=WRITES_A), *OTHERS)

    assert ["assume", "assume"] == verdicts(decided(locked, state(locked, 9)))[1:3]


def test_rows_that_were_copied_long_ago_are_not_copied_again() -> None:
    copy = step(
        "INSERT INTO a (x) SELECT x FROM b WHERE NOT EXISTS (SELECT FROM a WHERE a.x = b.x)",
        locks={"public.a": "RX", "public.b": "AS"},
    )
    locked = chain_of(A_WITH_X, OTHERS[0], copy, *OTHERS[1:])
    fresh = chain_of(A_WITH_X, OTHERS[0], copy, OTHERS[1])

    assert "assume" == written(locked, state(locked, len(locked.steps)), a=True)[0]
    assert "run" == written(fresh, state(fresh, 4), a=True)[0]


@pytest.mark.parametrize(
    "sql, verdict",
    [
        ("INSERT INTO a (x) VALUES (1) ON CONFLICT DO NOTHING", "run"),
        ("INSERT INTO a (x) SELECT 1 ON CONFLICT (x) DO NOTHING", "run"),
        ("INSERT INTO a (y) VALUES (1) ON CONFLICT DO NOTHING", "assume"),
        ("INSERT INTO a (x) VALUES (1) ON CONFLICT (y) DO NOTHING", "assume"),
        ("INSERT INTO a (x) VALUES (nextval('s')) ON CONFLICT DO NOTHING", "assume"),
        ("INSERT INTO a (x) SELECT random() ON CONFLICT DO NOTHING", "assume"),
        ("INSERT INTO a DEFAULT VALUES ON CONFLICT DO NOTHING", "assume"),
    ],
)
def test_on_conflict_is_a_guard_only_where_a_key_is_given_the_same_again(sql: str, verdict: str) -> None:
    locked = chain_of(A_WITH_X, KEY, ADD_Y, step(sql, locks=WRITES_A), *OTHERS)

    assert verdict == written(locked, state(locked, len(locked.steps)), a=True)[0]


PARENT = step("CREATE TABLE p (x int)", {"table public.p": "", "constraint public.p.k": "PRIMARY KEY (x)"})
REFERS = step(
    "ALTER TABLE a ADD FOREIGN KEY (x) REFERENCES p",
    {"constraint public.a.f": "FOREIGN KEY (x) REFERENCES public.p(x)"},
)
GUARDED_ROW = step(IF_NONE, locks=WRITES_A)


def test_rows_are_not_written_whose_parents_are_only_taken_as_there() -> None:
    fill = step("INSERT INTO p (x) VALUES (1)", locks={"public.p": "RX"})
    with_parents = chain_of(A_WITH_X, PARENT, REFERS, fill, GUARDED_ROW, *OTHERS)
    without = chain_of(A_WITH_X, PARENT, REFERS, GUARDED_ROW, *OTHERS)

    assert ["assume", "assume"] == verdicts(decided(with_parents, state(with_parents, 5)))[3:5]
    assert "run" == verdicts(decided(without, state(without, 4)))[3]


def test_a_table_that_a_step_before_it_is_still_to_make_was_not_written() -> None:
    copy = step("INSERT INTO b SELECT x FROM a", locks={"public.b": "RX", "public.a": "AS"})
    locked = chain_of(A_WITH_X, OTHERS[1], OTHERS[0], copy, ADD_Y)

    verdict, reason = written(locked, state(locked, [0, 4]), a=True)

    assert ("run", "table public.b, which it uses, is not there yet") == (verdict, reason)


def test_a_column_that_a_step_before_it_is_still_to_make_was_not_filled() -> None:
    fill = step("UPDATE a SET z = 1 WHERE Y", locks=WRITES_A)
    early = step("ALTER TABLE a ADD c int", {"column public.a.c": "integer"})
    add = step("ALTER TABLE a ADD y int NOT NULL DEFAULT 1", {**ADD_Y[1].set, "default public.a.y": "1"})
    locked = chain_of(A_WITH_X, add, fill, early, *OTHERS)

    verdict, reason = written(locked, state(locked, [0, 3]), a=True)

    assert ("run", "column public.a.y, which it uses, is not there yet") == (verdict, reason)


def test_a_guarded_row_whose_key_is_there_was_written() -> None:
    insert = step("INSERT INTO a (x, y) VALUES (1, 'a') ON CONFLICT DO NOTHING", locks=WRITES_A)
    locked = chain_of(
        A_WITH_X, KEY, ADD_Y, insert, step("ALTER TABLE a ALTER y TYPE text", {"column public.a.y": "text"}), *OTHERS
    )
    live = state(locked, len(locked.steps))
    del live["column public.a.y"]

    assert "conflict" == verdicts(decided(locked, live))[3]
    assert "assume" == verdicts(decided(locked, live, wish=Wish(rows={f"SELECT ({FIRST_ROW})": True})))[3]


REFERS_TO_P = "FOREIGN KEY (x) REFERENCES public.p(id)"


@pytest.mark.parametrize("is_missing, verdict", [(True, "assume"), (False, "run")])
def test_a_row_is_not_written_that_refers_to_one_that_is_only_taken_as_there(*, is_missing: bool, verdict: str) -> None:
    parent = step("CREATE TABLE p (id int)", {"table public.p": "", "column public.p.id": "integer"})
    child = step(
        "CREATE TABLE a (x int)",
        {"table public.a": "", "column public.a.x": "integer", "constraint public.a.f": REFERS_TO_P},
    )
    parents = step("INSERT INTO p SELECT * FROM other", locks={"public.p": "RX"})
    row = step("INSERT INTO a (x) VALUES (7)", locks={**WRITES_A, "public.p": "RS"})
    locked = chain_of(parent, child, parents, *OTHERS, row)
    asked = "SELECT NOT (EXISTS (SELECT FROM public.p WHERE id = 7))"
    gone = 'SELECT NOT ((EXISTS (SELECT FROM "a" WHERE "x" = 7)))'
    wish = Wish(rows={asked: is_missing, gone: True})

    found = verdicts(decided(locked, state(locked, len(locked.steps)), wish=wish))

    assert ["assume", verdict] == [found[2], found[-1]]


@pytest.mark.parametrize("dropped, verdict", [(True, "run"), (False, "conflict")])
def test_a_row_whose_key_is_there_is_not_written_unless_the_key_is_dropped_before(
    *, dropped: bool, verdict: str
) -> None:
    key = step("ALTER TABLE a ADD PRIMARY KEY (x)", {"constraint public.a.k": "PRIMARY KEY (x)"})
    drop = step("ALTER TABLE a DROP CONSTRAINT k", gone=["constraint public.a.k"])
    row = step("INSERT INTO a (x, y) VALUES (1, 'b'), (2, 'c')", locks=WRITES_A)
    locked = chain_of(A_WITH_X, key, *OTHERS, drop if dropped else ADD_Y, row)
    there, other = ('(EXISTS (SELECT FROM "a" WHERE "x" = 1))', '(EXISTS (SELECT FROM "a" WHERE "x" = 2))')
    wish = Wish(rows={f"SELECT {there} OR {other}": True, f"SELECT {there} AND {other}": False})

    assert verdict == verdicts(decided(locked, state(locked, 8), marked=range(8), wish=wish))[9]


IS_THERE = '(EXISTS (SELECT FROM "a" WHERE "x" = 1))'


@pytest.mark.parametrize("there, verdict", [(False, "run"), (True, "assume"), (None, "conflict")])
def test_where_later_steps_on_its_table_are_there_its_rows_tell(*, there: bool | None, verdict: str) -> None:
    locked = chain_of(A_WITH_X, *OTHERS, step("INSERT INTO a (x) VALUES (1)", locks=WRITES_A), ADD_Y, ADD_Z)
    rows = {} if there is None else {f"SELECT {IS_THERE}": there, f"SELECT NOT ({IS_THERE})": not there}

    assert verdict == verdicts(decided(locked, state(locked, [0, 8]), wish=Wish(rows=rows)))[7]


def test_what_the_server_would_refuse_whole_is_there() -> None:
    locked = chain_of(A_WITH_X, KEY, *OTHERS, step("INSERT INTO a (x) VALUES (1)", locks=WRITES_A))
    rows = {f"SELECT {IS_THERE}": True, f"SELECT ({IS_THERE})": True}

    decision = decided(locked, state(locked, 2), marked=[0, 1], wish=Wish(rows=rows))

    assert ("assume", "rows with the keys that it writes are there") == (
        verdicts(decision)[8],
        decision.steps[8].reason,
    )


def test_behind_a_step_that_is_to_run_nothing_has_run_without_a_mark() -> None:
    insert, call = (step(sql, locks=WRITES_A) for sql in ("INSERT INTO a (x) VALUES (1)", "CALL f()"))
    locked = chain_of(A_WITH_X, ADD_Y, OTHERS[0], OTHERS[1], insert, call, OTHERS[2])
    rows = {f"SELECT {IS_THERE}": False, f"SELECT NOT ({IS_THERE})": True}

    assert "conflict" == verdicts(decided(locked, state(locked, 4), marked=[0]))[5]
    assert "run" == verdicts(decided(locked, state(locked, 4), marked=[0], wish=Wish(rows=rows)))[5]


@pytest.mark.parametrize("wider, verdict", [("bigint", "run"), ("text", "conflict")])
def test_a_type_that_only_grows_is_in_nobody_s_way(wider: str, verdict: str) -> None:
    grow = step("ALTER TABLE a ALTER x TYPE …", {"column public.a.x": wider}, locks={"public.a": "AE"})
    locked = chain_of(A_WITH_X, *OTHERS, step("INSERT INTO a (x) VALUES (1)", locks=WRITES_A), grow)
    rows = {f"SELECT {IS_THERE}": False, f"SELECT NOT ({IS_THERE})": True}

    assert verdict == verdicts(decided(locked, state(locked, 9), wish=Wish(rows=rows)))[7]


@pytest.mark.parametrize("sql, verdict", [("UPDATE a SET x = x + 1", "assume"), ("UPDATE a SET x = y", "conflict")])
def test_a_lost_column_that_a_step_does_not_name_says_nothing_of_it(sql: str, verdict: str) -> None:
    locked = chain_of(
        A_WITH_X,
        ADD_Y,
        *OTHERS,
        step(sql, locks=WRITES_A),
        *(step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}) for n in "hijklmn"),
    )
    live = {key: value for key, value in state(locked, len(locked.steps)).items() if key != "column public.a.y"}

    assert verdict == verdicts(decided(locked, live))[8]


def test_a_block_that_makes_what_is_missing_is_not_repeated_long_after() -> None:
    locked = chain("DO $$ BEGIN CREATE TYPE … EXCEPTION WHEN duplicate_object THEN NULL; END $$", guarded=True)

    assert "assume" == second(decided(locked, state(locked, 7)))[0]
    assert "run" == second(decided(locked, state(locked, 1), marked=[0]))[0]


@pytest.mark.parametrize(
    "source, verdict", [("SELECT x FROM p", "run"), ("SELECT x FROM b", "run"), ("VALUES (1)", "assume")]
)
def test_rows_that_a_guarded_insert_selects_of_a_table_are_there(source: str, verdict: str) -> None:
    key = step("ALTER TABLE a ADD PRIMARY KEY (x)", {"constraint public.a.a_pkey": "PRIMARY KEY (x)"})
    fill = step("INSERT INTO p VALUES (1)", locks={"public.p": "RX"})
    row = step(f"INSERT INTO a (x) {source} ON CONFLICT DO NOTHING", locks={**WRITES_A, "public.p": "AS"})
    child = {"table public.b": "", "constraint public.b.f": "FOREIGN KEY (x) REFERENCES public.p(x)"}
    locked = chain_of(A_WITH_X, PARENT, REFERS, key, step("CREATE TABLE b (x int REFERENCES p)", child), fill, row)

    assert verdict == verdicts(decided(locked, state(locked, 7)))[6]


def test_a_key_that_an_insert_does_not_name_has_its_default_though_that_is_missing() -> None:
    one = {"table public.a": "", "column public.a.x": "integer", "column public.a.y": "integer"}
    made = step(
        "CREATE TABLE a (x int, y int DEFAULT 1 UNIQUE)",
        {**one, "default public.a.y": "1", "constraint public.a.k": "UNIQUE (y)"},
    )
    locked = chain_of(made, *OTHERS, step("INSERT INTO a (x) VALUES (0)", locks=WRITES_A))
    live = {key: value for key, value in state(locked, 8).items() if not key.startswith("default ")}
    there, missing = '(EXISTS (SELECT FROM "a" WHERE "y" = 1))', IS_THERE.replace("1", "0")
    wish = Wish(rows={f"SELECT {there}": True, f"SELECT NOT ({missing})": True})

    last = decided(locked, live, wish=wish).steps[-1]

    assert ("assume", "rows with the keys that it writes are there") == (last.verdict, last.reason)


@pytest.mark.parametrize("other, verdict", [(2, "assume"), (1, "run")])
def test_a_row_is_not_written_with_a_value_of_one_that_is_only_taken_as_there(other: int, verdict: str) -> None:
    value = "(SELECT y + 1 FROM a WHERE x = 1)"
    between = f"INSERT INTO a (x) VALUES ({other})"
    steps = ("INSERT INTO a SELECT * FROM other", between, f"INSERT INTO a (x, y) VALUES (3, {value})")
    seeds, *others = (step(sql, locks=WRITES_A) for sql in steps)
    locked = chain_of(A_WITH_X, ADD_Y, seeds, *OTHERS, *others)
    asked = "SELECT NOT (EXISTS (SELECT FROM a WHERE x = 1))"
    missing = (f'SELECT NOT ((EXISTS (SELECT FROM "a" WHERE "x" = {n})))' for n in (1, 2))
    own = f'SELECT NOT ((EXISTS (SELECT FROM "a" WHERE "x" = 3 AND "y" = {value})))'
    wish = Wish(rows=dict.fromkeys((asked, own, *missing), True))

    found = verdicts(decided(locked, state(locked, len(locked.steps)), wish=wish))

    assert ["assume", verdict] == [found[2], found[-1]]


@pytest.mark.parametrize(
    "column, fill, verdict",
    [
        ({}, "UPDATE a SET x = 2", "conflict"),
        ({}, "UPDATE a SET y = 2", "run"),
        ({"default public.a.y": "1"}, "UPDATE a SET x = 2", "run"),
    ],
)
def test_a_lost_column_is_not_made_not_null_before_it_has_values(
    column: dict[str, str], fill: str, verdict: str
) -> None:
    add = step("ALTER TABLE a ADD y int", {**ADD_Y[1].set, **column})
    forbid = step("ALTER TABLE a ALTER y SET NOT NULL", {"not null public.a.y": ""})
    locked = chain_of(A_WITH_X, add, *OTHERS, step(fill, locks=WRITES_A), forbid)
    live = {key: value for key, value in state(locked, 8).items() if not key.endswith(".y")}
    empty = Wish(rows={"SELECT NOT EXISTS (SELECT FROM public.a)": True})

    assert verdict == verdicts(decided(locked, live, marked=range(8)))[-1]
    assert "run" == verdicts(decided(locked, live, marked=range(8), wish=empty))[-1]


@pytest.mark.parametrize("behind, verdict", [(True, "assume"), (False, "conflict")])
def test_rows_that_the_server_would_refuse_are_not_selected_again(*, behind: bool, verdict: str) -> None:
    types = {"column public.a.x": "integer", "column public.a.y": "character varying(3)", "not null public.a.x": ""}
    copy = step("INSERT INTO a (x, y) SELECT x, 'far' FROM b WHERE x NOT IN (SELECT x FROM a)", locks=WRITES_A)
    made = step("CREATE TABLE a (x int NOT NULL, y varchar(3))", {"table public.a": "", **types})
    locked = chain_of(made, *OTHERS, copy, *([PARENT] if behind else ()))
    selected = '(SELECT x, \'far\' FROM b WHERE NOT x IN (SELECT x FROM a)) AS new("x", "y")'
    asked = f'SELECT EXISTS (SELECT FROM {selected} WHERE length(new."y"::text) > 3 OR new."x" IS NULL)'

    live = state(locked, len(locked.steps))

    assert "run" == verdicts(decided(locked, live))[7]
    assert verdict == verdicts(decided(locked, live, wish=Wish(rows={asked: True})))[7]


@pytest.mark.parametrize(
    "sql, verdict",
    [("CREATE TEXT SEARCH CONFIGURATION t (COPY = simple)", "conflict"), ("REINDEX TABLE a", "run")],
)
def test_what_is_no_fact_and_can_be_made_only_once_is_not_repeated_behind_a_lost_mark(sql: str, verdict: str) -> None:
    locked = chain_of(A_WITH_X, ADD_Y, step(sql, locks=WRITES_A), *OTHERS[:2])

    assert verdict == verdicts(decided(locked, state(locked, 2), marked=[0]))[2]
    assert "run" == verdicts(decided(locked, state(locked, 2), marked=[0, 1]))[2]


@pytest.mark.parametrize("table, verdict", [("a", "assume"), ("other", "run")])
def test_an_update_with_a_guard_is_not_repeated_on_rows_that_were_written_behind_it(table: str, verdict: str) -> None:
    guarded = step("UPDATE a SET x = 1 WHERE x IS NULL", locks=WRITES_A)
    later = step(f"INSERT INTO {table} VALUES (NULL)", locks={f"public.{table}": "RX"})
    locked = chain_of(A_WITH_X, guarded, later)

    assert verdict == verdicts(decided(locked, state(locked, 3)))[1]


def test_what_was_lost_is_not_copied_into_a_table_though_it_has_no_rows() -> None:
    locked = chain_of(
        step("CREATE TABLE a (x int, y int)", {"table public.a": "", "column public.a.x": "integer"}),
        step("ALTER TABLE a ADD y int", {"column public.a.y": "integer"}),
        step("CREATE TABLE b (y int)", {"table public.b": "", "column public.b.y": "integer"}),
        step("INSERT INTO b SELECT y FROM a", locks={"public.a": "AS", "public.b": "RX"}),
        step("CREATE TABLE c ()", {"table public.c": ""}),
    )
    live = state(locked, 5)
    del live["column public.a.y"]
    wish = Wish(
        rows={"SELECT NOT EXISTS (SELECT FROM public.b)": True, "SELECT NOT EXISTS (SELECT FROM public.a)": False}
    )

    decision = decided(locked, live, wish=wish)

    assert ("conflict", "it reads public.a.y, whose values were lost") == (
        decision.steps[3].verdict,
        decision.steps[3].reason,
    )


def test_behind_a_step_of_its_file_that_has_not_run_it_has_not_either() -> None:
    locked = chain_of(
        step("CREATE TABLE a (x int)", {"table public.a": "", "column public.a.x": "integer"}),
        step("CREATE TABLE b (y int)", {"table public.b": "", "column public.b.y": "integer"}),
        step("ALTER TABLE a ALTER x TYPE bigint", {"column public.a.x": "bigint"}, locks={"public.a": "AE"}, file="3"),
        step("UPDATE a SET x = x * 100", locks=WRITES_A, file="3"),
        step("ALTER TABLE b ALTER y TYPE bigint", {"column public.b.y": "bigint"}),
        step("CREATE INDEX i ON b (y)", {"index public.i": "ON public.b USING btree (y)"}),
    )

    found = verdicts(decided(locked, state(locked, [0, 1, 4, 5])))

    assert ["run", "run"] == found[2:4]
    assert not {"run", "conflict"}.intersection([*found[:2], *found[4:]])


def test_an_update_of_rows_that_are_written_only_now_runs() -> None:
    locked = chain_of(
        step("CREATE TABLE a (x int)", {"table public.a": "", "column public.a.x": "integer"}),
        step("CREATE TABLE b (x int)", {"table public.b": "", "column public.b.x": "integer"}, file="2"),
        step("INSERT INTO b SELECT x FROM a", locks={"public.a": "AS", "public.b": "RX"}, file="2"),
        step("UPDATE b SET x = a.x FROM a", locks={"public.a": "AS", "public.b": "RX"}, file="2"),
        step("DROP TABLE a", gone=["table public.a", "column public.a.x"], file="3"),
    )
    wish = Wish(rows={f"SELECT NOT EXISTS (SELECT FROM public.{name})": name == "b" for name in "ab"})

    assert ["run", "run", "run"] == verdicts(decided(locked, state(locked, 2), wish=wish))[2:]
