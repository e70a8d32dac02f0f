"""What of a plan can be carried out alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trueup.chain.model import Batches
from trueup.planning.build import build
from trueup.planning.part import Part, backfills, index_builds
from trueup_testing.facts import chain_of, decided, state, step

pytestmark = pytest.mark.unit


def facts(*tables: str) -> dict[str, str]:
    return {
        fact: value
        for table in tables
        for fact, value in ((f"table public.{table}", ""), (f"column public.{table}.id", "bigint"))
    }


CHAIN = chain_of(
    step(
        "CREATE TABLE leads (id bigint); CREATE TABLE calls (id bigint); CREATE TABLE notes (id bigint)",
        facts("leads", "calls", "notes"),
    ),
    step("UPDATE leads SET id = 1", locks={"public.leads": "RX"}, backfill=Batches(columns=("x",))),
    step("UPDATE calls SET id = 1", locks={"public.calls": "RX"}, backfill=Batches(columns=("x",))),
    step("DELETE FROM leads USING calls", locks={"public.leads": "RX", "public.calls": "AS"}, backfill=Batches()),
    step(
        "CREATE INDEX n ON notes (id)",
        {"index public.n": "ON public.notes USING btree (id)", "valid public.n": ""},
        locks={"public.notes": "S"},
    ),
    step("UPDATE notes SET id = 1", locks={"public.notes": "RX"}, backfill=Batches(columns=("x",))),
    step(
        "CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT 2 * $1'",
        {"function public.twice(integer)": "h"},
    ),
    step("UPDATE tags SET x = twice(x)", locks={"public.tags": "RX"}, backfill=Batches(columns=("y",))),
    step(
        "CREATE UNIQUE INDEX l ON leads (id)",
        {"index public.l": "UNIQUE ON public.leads USING btree (id)", "valid public.l": ""},
        locks={"public.leads": "S"},
    ),
    step(
        "CREATE INDEX CONCURRENTLY m ON notes (id)",
        {"index public.m": "ON public.notes USING btree (id)", "valid public.m": ""},
        no_transaction=True,
        locks={"public.notes": "SUE"},
    ),
)


def part(of: Callable[..., Part], *names: str) -> Part:
    plan = build(CHAIN, decided(CHAIN, state(CHAIN, 1), marked=[0]))
    return of(plan, CHAIN, names)


def ids(found: Part) -> list[list[str]]:
    return [[action.id for action in group] for group in found.groups]


def test_backfills_that_share_a_table_are_one_group_and_what_needs_more_waits() -> None:
    found = part(backfills)

    assert [["2_update_leads", "3_update_calls", "4_delete_leads"]] == ids(found)
    assert [("6_update_notes", "5_n"), ("8_update_tags", "7_twice_function")] == [
        (a.id, why) for a, why in found.waiting
    ]


def test_index_builds_wait_for_backfills_of_their_table_and_block_nobody() -> None:
    found = part(index_builds)

    assert [["5_n"]] == ids(found)
    assert [("9_l", "2_update_leads"), ("10_m", "6_update_notes")] == [(a.id, why) for a, why in found.waiting]
    (action,) = found.actions
    assert ("CREATE INDEX CONCURRENTLY n ON notes USING btree (id)",) == action.statements
    assert not action.transaction


def test_some_of_them_by_name() -> None:
    assert [["3_update_calls"]] == ids(part(backfills, "3_update_calls"))
    assert () == part(backfills, "3_update_calls").waiting
    (one,) = part(backfills, "4_delete_leads").waiting
    assert ("4_delete_leads", "2_update_leads") == (one[0].id, one[1])


def test_a_lost_index_waits_for_what_its_table_has_lost() -> None:
    made = chain_of(
        step("CREATE TABLE leads (id bigint, phone text)", {**facts("leads"), "column public.leads.phone": "text"}),
        step(
            "CREATE INDEX p ON leads (phone)",
            {"index public.p": "ON public.leads USING btree (phone)", "valid public.p": ""},
        ),
    )
    live = state(made, 2)
    for fact in ("column public.leads.phone", "index public.p", "valid public.p"):
        del live[fact]
    found = index_builds(build(made, decided(made, live, marked=[0, 1])), made)

    assert [] == ids(found)
    assert [("index public.p", "column public.leads.phone")] == [(a.id, why) for a, why in found.waiting]
