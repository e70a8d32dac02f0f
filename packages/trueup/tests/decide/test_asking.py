"""Rows are asked for under the names that their tables and columns have here."""

from __future__ import annotations

import pytest

from trueup.decide.asking import as_named_here
from trueup.decide.lent import Lent

pytestmark = pytest.mark.unit

LENT = (
    Lent(3, "column public.t.a", "column public.t.b"),
    Lent(4, "table public.t", "table public.u"),
    Lent(5, "column public.u.b", "column public.u.c"),
    Lent(6, "table public.u", 'table s."V"'),
)


@pytest.mark.parametrize("table", ["t", "public.t"])
def test_a_table_stands_in_for_itself(table: str) -> None:
    query = f"SELECT NOT EXISTS (SELECT FROM {table} WHERE t.a = 1)"

    wanted = 'WITH "t" AS (SELECT *, "c" AS "a" FROM s."V") SELECT NOT EXISTS (SELECT FROM t WHERE t.a = 1)'
    assert wanted == as_named_here(query, LENT)


def test_other_tables_are_asked_as_they_are() -> None:
    query = "SELECT EXISTS (SELECT FROM s.t WHERE a = 1)"

    assert query == as_named_here(query, LENT)
