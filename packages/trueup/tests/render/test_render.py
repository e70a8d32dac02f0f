"""DDL for a set of facts, in an order in which it can run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from trueup.render.render import CannotRender, Rendered, render

pytestmark = pytest.mark.unit

State = Mapping[str, str | None]


def rendered(
    keys: list[str],
    wanted: State,
    found: State | None = None,
    *,
    sources: Mapping[str, str] | None = None,
    renamed: Mapping[str, str] | None = None,
) -> list[Rendered]:
    return render(
        keys,
        wanted,
        found or {},
        made_by=lambda key: list(wanted).index(key) if key in wanted else -1,
        source=lambda key: (sources or {}).get(key, ""),
        renamed=renamed or {},
    )


def statements(*arguments: Any, **named: Any) -> list[str]:
    return [statement for one in rendered(*arguments, **named) for statement in one.statements]


TABLE = {
    "table app.a": "",
    "column app.a.id": "integer",
    "not null app.a.id": "",
    "constraint app.a.pk": "PRIMARY KEY (id)",
    "validated app.a.pk": "",
    "index app.i": "ON app.a USING btree (id)",
    "valid app.i": "",
}


def test_a_table_comes_with_its_columns_and_then_its_keys() -> None:
    one, key, index = rendered(list(reversed(TABLE)), TABLE)

    assert ("CREATE TABLE app.a (\n    id integer NOT NULL\n)",) == one.statements
    assert {"table app.a", "column app.a.id", "not null app.a.id"} == set(one.keys)
    assert {"constraint app.a.pk", "validated app.a.pk"} == set(key.keys)
    assert ("CREATE INDEX i ON app.a USING btree (id)",) == index.statements
    assert {"index app.i", "valid app.i"} == set(index.keys)


def test_a_check_is_validated_in_a_transaction_of_its_own() -> None:
    wanted = {"constraint app.a.k": "CHECK ((x > 0))", "validated app.a.k": ""}

    first, second = rendered(list(wanted), wanted)

    assert ("ALTER TABLE app.a ADD CONSTRAINT k CHECK ((x > 0)) NOT VALID",) == first.statements
    assert ("ALTER TABLE app.a VALIDATE CONSTRAINT k",) == second.statements


def test_a_check_that_is_replaced_is_validated_anew() -> None:
    wanted = {"constraint app.a.k": "CHECK ((x > 0))", "validated app.a.k": ""}
    found = {"constraint app.a.k": "CHECK ((x > 1))", "validated app.a.k": ""}

    assert [
        "ALTER TABLE app.a DROP CONSTRAINT k, ADD CONSTRAINT k CHECK ((x > 0)) NOT VALID",
        "ALTER TABLE app.a VALIDATE CONSTRAINT k",
    ] == statements(["constraint app.a.k"], wanted, found)


def test_a_constraint_that_the_chain_leaves_unvalidated_stays_so() -> None:
    wanted = {"constraint app.a.k": "FOREIGN KEY (x) REFERENCES app.b(id)"}

    assert ["ALTER TABLE app.a ADD CONSTRAINT k FOREIGN KEY (x) REFERENCES app.b(id) NOT VALID"] == statements(
        list(wanted), wanted
    )


def test_not_null_of_a_new_column_comes_behind_it() -> None:
    wanted = {"table app.a": "", "column app.a.x": "integer", "not null app.a.x": ""}

    assert [
        "ALTER TABLE app.a ADD COLUMN x integer",
        "ALTER TABLE app.a ALTER COLUMN x SET NOT NULL",
    ] == statements(["not null app.a.x", "column app.a.x"], wanted, {"table app.a": ""})


def test_not_null_of_a_new_column_with_a_default_comes_with_it() -> None:
    wanted = {"column app.a.x": "integer", "default app.a.x": "0", "not null app.a.x": ""}

    assert ["ALTER TABLE app.a ADD COLUMN x integer DEFAULT 0 NOT NULL"] == statements(
        list(wanted), wanted, {"table app.a": ""}
    )


def test_defaults_of_one_table_are_set_at_once() -> None:
    wanted = {"default app.a.x": "1", "default app.b.y": "2", "default app.a.z": "3"}
    found = {"column app.a.x": "integer", "column app.b.y": "integer", "column app.a.z": "integer"}

    assert [
        "ALTER TABLE app.a ALTER COLUMN x SET DEFAULT 1,\n    ALTER COLUMN z SET DEFAULT 3",
        "ALTER TABLE app.b ALTER COLUMN y SET DEFAULT 2",
    ] == statements(list(wanted), wanted, found)


def test_a_function_is_made_by_the_chain_s_own_text() -> None:
    text = "CREATE OR REPLACE FUNCTION app.f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$"

    assert [text] == statements(["function app.f()"], {"function app.f()": "d41d"}, sources={"function app.f()": text})


def test_a_function_that_returns_rows_of_a_missing_table_comes_behind_it() -> None:
    wanted = {"function app.f()": "d41d", "table app.leads": ""}
    text = "CREATE OR REPLACE FUNCTION app.f() RETURNS SETOF app.leads LANGUAGE sql AS $$ SELECT 1 $$"

    assert statements(list(wanted), wanted, sources={"function app.f()": text})[1] == text


def test_an_owned_sequence_starts_behind_the_rows() -> None:
    wanted = {"sequence owner app.s": "app.a.id", "column app.a.id": "integer"}

    owned, filled = statements(["sequence owner app.s"], wanted, {"column app.a.id": "integer"})

    assert "ALTER SEQUENCE app.s OWNED BY app.a.id" == owned
    assert "q.seqrelid = 'app.s'::regclass" in filled


def test_a_constraint_that_is_called_otherwise_here_is_validated_under_its_name() -> None:
    assert ["ALTER TABLE app.a VALIDATE CONSTRAINT other"] == statements(
        ["validated app.a.k"],
        {"validated app.a.k": ""},
        renamed={"constraint app.a.k": "constraint app.a.other"},
    )


def test_what_a_step_removes_is_dropped() -> None:
    wanted: State = {"view app.v": None, "default app.a.x": None}

    assert {"DROP VIEW app.v", "ALTER TABLE app.a ALTER COLUMN x DROP DEFAULT"} == set(
        statements(list(wanted), wanted, {"view app.v": "AS SELECT 1;", "default app.a.x": "1"})
    )


@pytest.mark.parametrize(
    "key, wanted, found",
    [
        ("table app.a", None, ""),
        ("column app.a.x", None, "integer"),
        ("table app.a", "PARTITION BY LIST (x)", ""),
        ("role app_user", "", None),
        ("collation app.a.x", '"C"', '"de"'),
        ("generated app.a.x", "(1) STORED", None),
        ("function app.f()", "d41d", None),
    ],
)
def test_what_cannot_be_made_from_its_value_is_said(key: str, wanted: str | None, found: str | None) -> None:
    with pytest.raises(CannotRender) as caught:
        rendered([key], {key: wanted}, {key: found, "column app.a.x": "integer"})

    assert key == caught.value.key
    assert caught.value.why
