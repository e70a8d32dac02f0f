"""What is early on a table that is renamed away."""

from __future__ import annotations

import pytest

from trueup.decide.elsewhere import can_go, in_order_to_go
from trueup.decide.rows import Rows

pytestmark = pytest.mark.unit

COLUMN = "column public.a.x"
UNSET = "SELECT NOT EXISTS (SELECT FROM public.a WHERE x IS DISTINCT FROM 1)"


@pytest.mark.parametrize(
    "key, was, known, goes",
    [
        (COLUMN, None, {UNSET: True}, True),
        (COLUMN, None, {UNSET: False}, False),
        (COLUMN, None, {}, False),
        (COLUMN, "text", {UNSET: True}, False),
        ("default public.a.x", None, {}, True),
        ("default public.a.y", None, {}, False),
        ("index public.i", None, {}, True),
        ("index public.i", "ON public.a USING btree (y)", {}, False),
    ],
)
def test_what_holds_no_value_and_is_not_the_table_s_own_goes(
    key: str, was: str | None, known: dict[str, bool], *, goes: bool
) -> None:
    live = {"table public.a": "", COLUMN: "integer", "default public.a.x": "1"}

    assert goes == can_go(key, was, [COLUMN], Rows(live, known))


def test_what_is_on_a_column_goes_before_it() -> None:
    keys = [COLUMN, "default public.a.x", "index public.i", "constraint public.a.c"]

    assert ["constraint public.a.c", "index public.i", COLUMN] == in_order_to_go(keys)
