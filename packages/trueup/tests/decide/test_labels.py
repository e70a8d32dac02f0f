"""Labels of an enum in another order."""

from __future__ import annotations

import pytest

from trueup.decide.labels import in_order
from trueup.decide.trajectory import Trajectories
from trueup_testing.facts import chain_of, step

pytestmark = pytest.mark.unit

E = "enum public.e"
CHAIN = chain_of(
    step("CREATE TYPE e AS ENUM ('a')", {E: "'a'"}),
    step("ALTER TYPE e ADD VALUE 'b'", {E: "'a', 'b'"}),
    step("ALTER TYPE e ADD VALUE 'c'", {E: "'a', 'b', 'c'"}),
)
PATHS = Trajectories(CHAIN.effects, CHAIN.base)
SWAPPED = {E: "'a', 'c', 'b'", "column public.t.x": "public.e"}
NO_ROW = "SELECT NOT EXISTS (SELECT FROM public.t WHERE x::text IN ('c', 'b'))"


def test_labels_that_no_row_has_change_places() -> None:
    facts, (one,), asked = in_order(SWAPPED, PATHS, {NO_ROW: True})

    assert "'a', 'b', 'c'" == facts[E]
    assert {NO_ROW} == asked
    assert [
        "ALTER TYPE public.e RENAME VALUE 'c' TO 'trueup 0'",
        "ALTER TYPE public.e RENAME VALUE 'b' TO 'trueup 1'",
        "ALTER TYPE public.e RENAME VALUE 'trueup 0' TO 'b'",
        "ALTER TYPE public.e RENAME VALUE 'trueup 1' TO 'c'",
    ] == [*one.statements]


@pytest.mark.parametrize("answers", [{}, {NO_ROW: False}])
def test_what_rows_have_stays(answers: dict[str, bool]) -> None:
    facts, done, asked = in_order(SWAPPED, PATHS, answers)

    assert (SWAPPED, [], {NO_ROW}) == (facts, done, asked)


@pytest.mark.parametrize(
    "more",
    [
        {"default public.t.x": "'c'::public.e"},
        {"type public.c": "(x public.e)"},
        {"domain public.d": "public.e NOT NULL"},
        {E: "'a', 'c'"},
        {E: "'a', 'other', 'b'"},
    ],
)
def test_what_is_named_listed_or_in_order_stays(more: dict[str, str]) -> None:
    found = {**SWAPPED, **more}

    assert (found, [], set()) == in_order(found, PATHS, {NO_ROW: True})


def test_lists_are_asked_as_well() -> None:
    _, _, asked = in_order({**SWAPPED, "column public.t.x": "public.e[]"}, PATHS, {})

    assert {"SELECT NOT EXISTS (SELECT FROM public.t WHERE x::text[] && ARRAY['c', 'b'])"} == asked
