"""In which order missing facts are made."""

from __future__ import annotations

import pytest

from trueup.render.order import in_order

pytestmark = pytest.mark.unit

SORTED = [
    "schema app",
    "extension pg_trgm",
    "enum app.mood",
    "sequence app.leads_id_seq",
    "table app.leads",
    "column app.leads.phone",
    "function app.touch()",
    "sequence owner app.leads_id_seq",
    "default app.leads.id",
    "not null app.leads.phone",
    "constraint app.leads.pk",
    "index app.key",
    "constraint app.leads.chk",
    "constraint app.calls.fk",
    "index app.idx",
    "valid app.idx",
    "validated app.calls.fk",
    "trigger app.leads.touched",
    "trigger state app.leads.touched",
    "row security app.leads",
    "comment on table app.leads",
]
VALUES = {
    "index app.key": "UNIQUE ON app.leads USING btree (id)",
    "constraint app.leads.pk": "PRIMARY KEY (id)",
    "constraint app.leads.chk": "CHECK ((id > 0))",
    "constraint app.calls.fk": "FOREIGN KEY (lead_id) REFERENCES app.leads(id)",
}


def test_everything_comes_after_what_it_needs() -> None:
    keys: dict[str, str | None] = {key: VALUES.get(key, "") for key in reversed(SORTED)}

    assert SORTED == in_order(keys, lambda _: 0)


def test_within_a_kind_the_chain_s_order_counts() -> None:
    keys: dict[str, str | None] = {"view app.a": "AS SELECT b;", "view app.b": "AS SELECT 1;"}

    assert ["view app.b", "view app.a"] == in_order(keys, lambda key: 1 if key == "view app.a" else 0)


def test_a_function_that_a_table_uses_comes_before_it() -> None:
    keys: dict[str, str | None] = {"table app.leads": "", "function app.code()": "", "function app.late()": ""}

    order = in_order(keys, lambda _: 0, early_functions=frozenset({"function app.code()"}))

    assert ["function app.code()", "table app.leads", "function app.late()"] == order


@pytest.mark.parametrize("first", [0, 1])
def test_an_aggregate_comes_after_the_function_of_its_name(first: int) -> None:
    keys: dict[str, str | None] = {"aggregate app.max(uuid)": "", "function app.max(uuid, uuid)": ""}
    texts = {
        "aggregate app.max(uuid)": "CREATE AGGREGATE max (uuid) (sfunc = max)",
        "function app.max(uuid, uuid)": "max",
    }

    order = in_order(keys, lambda key: first if key.startswith("function") else 0, needs=lambda key: texts[key])

    assert ["function app.max(uuid, uuid)", "aggregate app.max(uuid)"] == order


@pytest.mark.parametrize("first", [0, 1])
def test_a_function_comes_after_the_view_of_its_name_whose_rows_it_returns(first: int) -> None:
    keys: dict[str, str | None] = {"view app.calls": "SELECT 1", "function app.calls()": ""}
    texts = {"view app.calls": "SELECT calls.n FROM app.others AS calls"}
    texts["function app.calls()"] = "CREATE FUNCTION calls() RETURNS SETOF calls"

    order = in_order(keys, lambda key: first if key.startswith("function") else 0, needs=lambda key: texts[key])

    assert ["view app.calls", "function app.calls()"] == order


def test_a_generated_column_comes_after_those_that_it_is_made_of() -> None:
    keys: dict[str, str | None] = {
        "column app.a.date": "date",
        "generated app.a.date": "…",
        "column app.a.value": "jsonb",
    }

    order = in_order(keys, lambda _: 0)

    assert ["column app.a.value", "column app.a.date"] == [key for key in order if key.startswith("column ")]
