"""The values that facts take along a chain."""

from __future__ import annotations

import pytest

from trueup.decide.trajectory import Trajectories, fold
from trueup_testing.facts import chain_of, step

pytestmark = pytest.mark.unit

PHONE = "column public.leads.phone"
LOCKED = chain_of(
    step("CREATE TABLE leads (phone text)", {"table public.leads": "", PHONE: "text"}),
    step("ALTER TABLE leads ALTER phone TYPE varchar", {PHONE: "character varying"}),
    step("ALTER TABLE leads DROP phone", gone=[PHONE]),
    step("ALTER TABLE leads ADD phone text", {PHONE: "text"}),
    base={"table auth.users": "", PHONE: "bytea"},
)
PATHS = Trajectories(LOCKED.effects, LOCKED.base)


def test_a_fact_s_values_in_order() -> None:
    assert [(0, "bytea"), (1, "text"), (2, "character varying"), (3, None), (4, "text")] == PATHS.of[PHONE]


@pytest.mark.parametrize(
    "position, value", [(0, "bytea"), (1, "text"), (2, "character varying"), (3, None), (4, "text"), (9, "text")]
)
def test_the_value_at_a_position(position: int, value: str | None) -> None:
    assert value == PATHS.value_at(PHONE, position)


@pytest.mark.parametrize("value, place", [("text", 4), ("character varying", 2), (None, 3), ("integer", -1)])
def test_the_last_place_of_a_value(value: str | None, place: int) -> None:
    assert place == PATHS.last_place(PHONE, value)


def test_the_last_step_that_touches_a_fact() -> None:
    assert [-1, 0, 1, 2, 3] == [PATHS.last_setter(PHONE, position) for position in range(5)]
    assert -1 == PATHS.last_setter("table auth.users", 4)


def test_what_a_chain_manages() -> None:
    assert PATHS.manages(PHONE)
    assert PATHS.manages("default public.leads.phone")
    assert not PATHS.manages("column public.leads.fax")
    assert not PATHS.manages("default public.leads.fax")
    assert not PATHS.manages("index public.leads_phone_idx")
    assert not PATHS.manages("table auth.users")


def test_folding_keeps_what_is_gone() -> None:
    assert {"table auth.users": "", "table public.leads": "", PHONE: None} == fold(LOCKED.effects, [0, 2], LOCKED.base)


def test_a_column_may_get_back_a_name_that_it_had() -> None:
    x, y = "column public.a.x", "column public.a.y"
    locked = chain_of(
        step("CREATE TABLE a (x int)", {"table public.a": "", x: "integer"}),
        step("ALTER TABLE a RENAME x TO y", {y: "integer"}, gone=[x]),
        step("ALTER TABLE a RENAME y TO x", {x: "integer"}, gone=[y]),
    )
    paths = Trajectories(locked.effects, locked.base)

    assert [x, y, x] == list(paths.names(x))
    assert -1 == paths.step_not_run(x, "text")
