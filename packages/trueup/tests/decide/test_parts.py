from __future__ import annotations

from typing import Any

import pytest

from trueup.chain.model import Effect, Step
from trueup.decide.parts import Partly
from trueup.decide.rows import Rows, emptiness_of

pytestmark = pytest.mark.unit

TABLE = Effect(set={"table public.a": ""})
COLUMN = Effect(set={"column public.b.x": "integer", "default public.b.x": "0"})
GONE = Effect(gone=("trigger public.b.t",))
AGAIN = Effect(set={"trigger public.b.t": "new"})


def step(*tags: str) -> Step:
    return Step(
        id="1_block",
        migration="1",
        number="1",
        path="1.sql",
        line=1,
        statements=tags,
        tags=tags,
        hash="",
    )


def whole(*parts: Effect) -> Effect:
    values = {key: value for part in parts for key, value in part.set.items()}
    gone = tuple(key for part in parts for key in part.gone if key not in values)
    return Effect(set=values, gone=gone, parts=parts)


def chosen(
    now: dict[str, str | None],
    *parts: Effect,
    tags: tuple[str, ...] = (),
    texts: tuple[str, ...] = (),
    rows: dict[str, bool] | None = None,
    before: dict[str, str] | None = None,
) -> list[int] | None:
    tags = tags or ("create_stmt",) * len(parts)
    there = {key: value for key, value in now.items() if value is not None}
    block = step(*tags)._replace(statements=texts or tags)
    partly = Partly(
        block,
        whole(*parts),
        now,
        Rows(there, {emptiness_of(t): not some for t, some in (rows or {}).items()}),
        before=(before or {}).get,
        beyond=lambda _: False,
    )
    return partly.statements_to_run()


def test_only_the_statements_that_are_missing_run() -> None:
    assert [1] == chosen({"table public.a": ""}, TABLE, COLUMN)
    assert [0] == chosen(dict(COLUMN.set), TABLE, COLUMN)


def test_what_is_taken_away_and_made_again_is_judged_by_what_is_made() -> None:
    old: dict[str, str | None] = {"trigger public.b.t": "old", **COLUMN.set}
    new: dict[str, str | None] = {"trigger public.b.t": "new"}

    assert [0, 2] == chosen(old, GONE, COLUMN, AGAIN)
    assert [1] == chosen(new, GONE, COLUMN, AGAIN)


def test_half_a_statement_is_a_persons_decision() -> None:
    assert chosen({"column public.b.x": "integer"}, TABLE, COLUMN) is None


INSERT: Any = {
    "tags": ("create_stmt", "alter_table_stmt", "insert_stmt"),
    "texts": ("", "", "INSERT INTO a VALUES (1)"),
}


def test_rows_written_beside_what_is_there_are_a_persons_decision() -> None:
    assert chosen({"table public.a": ""}, TABLE, COLUMN, Effect(), **INSERT) is None
    assert chosen({"table public.a": ""}, TABLE, COLUMN, Effect(), **INSERT, rows={"public.a": True}) is None
    assert [1, 2] == chosen({"table public.a": ""}, TABLE, COLUMN, Effect(), tags=("a", "b", "variable_set_stmt"))


def test_a_table_that_is_missing_or_empty_is_filled() -> None:
    assert [0, 2] == chosen(dict(COLUMN.set), TABLE, COLUMN, Effect(), **INSERT)
    assert [1, 2] == chosen({"table public.a": ""}, TABLE, COLUMN, Effect(), **INSERT, rows={"public.a": False})


def test_a_table_that_was_not_there_to_be_dropped_is_not_dropped_where_it_is_early() -> None:
    drop: Any = {"tags": ("alter_table_stmt", "drop_stmt", "create_stmt"), "texts": ("", "DROP TABLE IF EXISTS a", "")}

    assert [0] == chosen({"table public.a": ""}, COLUMN, Effect(), TABLE, **drop, rows={"public.a": True})


def test_rows_are_written_between_neighbours_that_have_not_run() -> None:
    update: Any = {"tags": ("alter_table_stmt", "update_stmt", "create_stmt"), "texts": ("", "UPDATE b SET x = 1", "")}
    there: dict[str, str | None] = {"table public.b": "", "table public.a": ""}

    assert [0, 1] == chosen(there, COLUMN, Effect(), TABLE, **update)
    assert chosen({**COLUMN.set, "table public.b": ""}, COLUMN, Effect(), TABLE, **update) is None


def test_what_reads_a_column_that_is_gone_already_has_nothing_to_do_without_rows() -> None:
    dropped = Effect(gone=("column public.b.y",))
    update: Any = {"tags": ("alter_table_stmt", "update_stmt", "drop_stmt"), "texts": ("", "UPDATE b SET x = y", "")}
    there: dict[str, str | None] = {"table public.b": ""}
    update["before"] = {"column public.b.y": "integer"}

    assert [0] == chosen(there, COLUMN, Effect(), dropped, **update, rows={"public.b": False})
    assert chosen(there, COLUMN, Effect(), dropped, **update, rows={"public.b": True}) is None


def test_what_stands_between_statements_that_have_not_run_has_not_run_either() -> None:
    insert = "INSERT INTO c (name) VALUES ('b')"
    there: dict[str, str | None] = {"table public.c": "", "table public.other": ""}
    others = Effect(set={"table public.other": ""})
    tags = ("create_stmt", "create_stmt", "insert_stmt")

    assert [1, 2] == chosen(there, others, TABLE, Effect(), tags=tags, texts=("", "", insert), rows={"public.c": True})
    assert [0, 2] == chosen(there, TABLE, others, Effect(), tags=tags, texts=("", "", insert), rows={"public.c": True})


def test_what_is_there_under_both_names_is_a_persons_decision() -> None:
    made, renamed = (
        Effect(set={"enum public.new": "'a'"}),
        Effect(set={"enum public.old": "'a'"}, gone=("enum public.e",)),
    )
    there: dict[str, str | None] = {"enum public.e": "'a', 'b'", "enum public.old": "'a', 'b'"}

    assert chosen(there, made, renamed, tags=("create_enum_stmt", "rename_stmt")) is None
    assert [0, 1] == chosen({"enum public.e": "'a', 'b'"}, made, renamed, tags=("create_enum_stmt", "rename_stmt"))


def test_defaults_not_null_and_what_goes_along_do_not_tell_whether_a_statement_has_run() -> None:
    made = Effect(set={"column public.b.k": "kind", "default public.b.k": "'a'", "not null public.b.k": ""})
    gone = Effect(gone=("column public.b.x", "index public.b_x", "not null public.b.x"))
    texts = ("ALTER TABLE b ALTER k TYPE kind, ALTER k SET DEFAULT 'a'", "ALTER TABLE b DROP COLUMN x")
    tags = ("alter_table_stmt", "alter_table_stmt")
    there: dict[str, str | None] = {**made.set, "column public.b.k": "text", "column public.b.x": "integer"}

    assert [0, 1] == chosen(there, made, gone, tags=tags, texts=texts)
    assert [1] == chosen({**there, "column public.b.k": "kind"}, made, gone, tags=tags, texts=texts)
    both = ("", "ALTER TABLE b DROP COLUMN x; DROP INDEX b_x")
    assert chosen(there, made, gone, tags=tags, texts=both) is None


def test_what_a_block_makes_and_fills_on_its_way_is_not_gone() -> None:
    parts = (
        Effect(set={"column public.b.new": "text"}),
        Effect(),
        Effect(gone=("column public.b.x", "not null public.b.x")),
        Effect(set={"column public.b.x": "text"}, gone=("column public.b.new",)),
    )
    texts = ("", "UPDATE b SET new = x", "ALTER TABLE b DROP COLUMN x", "ALTER TABLE b RENAME COLUMN new TO x")
    block: Any = {"tags": ("alter_table_stmt", "update_stmt", "alter_table_stmt", "rename_stmt"), "texts": texts}
    there: dict[str, str | None] = {"table public.b": "", "column public.b.x": "integer"}

    assert [0, 1, 2, 3] == chosen(there, *parts, **block, rows={"public.b": True})


def test_what_a_rename_only_changes_is_there_under_one_name() -> None:
    key = "constraint public.c.c_a_fkey"
    renamed = Effect(
        set={"table public.z": "", "constraint public.z.a_pkey": "PRIMARY KEY (x)", key: "REFERENCES public.z(x)"},
        gone=("table public.a", "constraint public.a.a_pkey"),
    )
    chain = {"table public.a": "", "constraint public.a.a_pkey": "PRIMARY KEY (x)", key: "REFERENCES public.a(x)"}
    tags = ("alter_table_stmt", "rename_stmt")

    assert [1] == chosen({**chain, **COLUMN.set}, COLUMN, renamed, tags=tags, before=chain)
    assert chosen({**chain, **COLUMN.set, "table public.z": ""}, COLUMN, renamed, tags=tags, before=chain) is None


def test_a_label_that_is_there_already_is_not_added_again() -> None:
    chain, adds = {"enum public.e": "'a'"}, ("alter_enum_stmt", "alter_enum_stmt", "create_stmt")
    parts = (Effect(set={"enum public.e": "'a', 'b'"}), Effect(set={"enum public.e": "'a', 'b', 'c'"}), TABLE)

    assert [0, 1, 2] == chosen({**chain}, *parts, tags=adds, before=chain)
    assert [1, 2] == chosen({"enum public.e": "'a', 'b'"}, *parts, tags=adds, before=chain)
    assert chosen({"enum public.e": "'a', 'c'"}, *parts, tags=adds, before=chain) is None


def test_what_another_table_gets_and_loses_only_behind_it_is_not_read_by_a_statement() -> None:
    made = [Effect(set={f"column public.{table}.was": "text"}) for table in "ab"]
    called = [Effect(set={f"column public.{t}.x": "text"}, gone=(f"column public.{t}.was",)) for t in "ab"]
    texts = (
        *("ALTER TABLE a ADD was text", "UPDATE a SET was = 'x'", "ALTER TABLE a RENAME was TO x"),
        *("ALTER TABLE b ADD was text", "ALTER TABLE b RENAME was TO x", "DROP INDEX i"),
    )
    tags = ("alter_table_stmt", "update_stmt", "rename_stmt", "alter_table_stmt", "rename_stmt", "drop_stmt")
    dropped = Effect(gone=("index public.i",))
    parts = (made[0], Effect(), called[0], made[1], called[1], dropped)
    now: dict[str, str | None] = {"table public.a": "", "table public.b": ""}

    assert [0, 1, 2, 3, 4] == chosen(now, *parts, tags=tags, texts=texts, rows={"public.a": True, "public.b": True})
