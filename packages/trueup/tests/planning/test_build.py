"""Verdicts turned into statements, in order."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.chain.model import LockedChain
from trueup.decide.model import Wish
from trueup.planning.build import build
from trueup.planning.model import Plan
from trueup_testing.facts import chain_of, decided, state, step

pytestmark = pytest.mark.unit

LEADS = {"table public.leads": "", "column public.leads.id": "integer"}
INDEX = {"index public.idx": "ON public.leads USING btree (phone)", "valid public.idx": ""}
CHAIN = chain_of(
    step("CREATE TABLE leads (id int)", LEADS),
    step("ALTER TABLE leads ADD phone text", {"column public.leads.phone": "text"}, context=("SET LOCAL x TO y",)),
    step("CREATE INDEX CONCURRENTLY idx ON leads (phone)", INDEX, no_transaction=True),
    step("CREATE TABLE calls (id int)", {"table public.calls": "", "column public.calls.id": "integer"}),
)


def plan(locked: LockedChain, live: dict[str, str], **wanted: Any) -> Plan:
    return build(locked, decided(locked, live, **wanted))


def sent(built: Plan) -> list[str]:
    return [statement for action in built.actions for statement in action.statements]


def test_pending_steps_are_sent_as_written_and_in_order() -> None:
    built = plan(CHAIN, {})

    assert [statement for step in CHAIN.steps for statement in step.statements] == sent(built)
    assert [step.id for step in CHAIN.steps] == [action.id for action in built.actions]
    assert [True, True, False, True] == [action.transaction for action in built.actions]
    assert [(), ("SET LOCAL x TO y",), (), ()] == [action.context for action in built.actions]
    assert all(action.marks for action in built.actions)
    assert () == built.settled


def test_nothing_is_sent_for_what_is_there() -> None:
    built = plan(CHAIN, state(CHAIN, 4))

    assert () == built.actions
    assert (0, 1, 2, 3) == built.settled


def test_marked_steps_need_nothing_at_all() -> None:
    built = plan(CHAIN, state(CHAIN, 4), marked=range(4))

    assert () == built.actions
    assert () == built.settled


def test_healing_comes_first_and_marks_nothing() -> None:
    live = state(CHAIN, 3)
    del live["index public.idx"], live["valid public.idx"]
    locked = chain_of(*zip(CHAIN.steps, CHAIN.effects, strict=True), step("CREATE TABLE z ()", {"table public.z": ""}))

    built = plan(locked, {**live, "table public.calls": "", "column public.calls.id": "integer"})

    assert ["CREATE INDEX idx ON public.leads USING btree (phone)", "CREATE TABLE z ()"] == sent(built)
    heal, run = built.actions
    assert (None, "heal", False) == (heal.step, heal.verdict, heal.marks)
    assert "missing; step " in heal.reason
    assert (4, "run", True) == (run.step, run.verdict, run.marks)


def test_a_step_is_completed_with_its_mark_in_the_last_part() -> None:
    locked = chain_of(
        step("CREATE TABLE a ()", {"table public.a": "", "column public.a.x": "integer"}),
        step(
            "ALTER TABLE a ADD y int, ADD CHECK (y > 0)",
            {
                "column public.a.y": "integer",
                "constraint public.a.a_y_check": "CHECK ((y > 0))",
                "validated public.a.a_y_check": "",
            },
        ),
        step("CREATE TABLE b ()", {"table public.b": ""}),
    )
    built = plan(locked, {**state(locked, 1), "column public.a.y": "integer"}, marked=[0])

    assert [
        "ALTER TABLE public.a ADD CONSTRAINT a_y_check CHECK ((y > 0)) NOT VALID",
        "ALTER TABLE public.a VALIDATE CONSTRAINT a_y_check",
        "CREATE TABLE b ()",
    ] == sent(built)
    assert [False, True, True] == [action.marks for action in built.actions]
    assert ["complete", "complete", "run"] == [action.verdict for action in built.actions]


def test_a_step_that_no_statement_completes_is_a_conflict() -> None:
    locked = chain_of(
        step("CREATE TABLE a ()", {"table public.a": "", "storage public.a": "fillfactor=70"}),
        step("CREATE SCHEMA b", {"table public.b": ""}, gone=["storage public.a"]),
        step("CREATE TABLE c ()", {"table public.c": ""}),
    )

    built = plan(locked, {**state(locked, 1), "table public.b": "", "column public.a.x": "text"}, marked=[0])

    (conflict,) = built.conflicts
    assert "2_b_schema" == conflict.about
    assert ["storage public.a"] == [difference.fact for difference in conflict.differences]
    assert "no statement makes them" in conflict.why
    assert 1 not in built.settled


def test_conflicts_say_what_and_what_to_do() -> None:
    locked = chain_of(
        step("CREATE TABLE a ()", {"table public.a": "", "column public.a.x": "integer"}),
        step("ALTER TABLE a ALTER x TYPE bigint", {"column public.a.x": "bigint"}),
    )

    built = plan(locked, {**state(locked, 1), "column public.a.x": "text"}, marked=[0])

    (conflict,) = built.conflicts
    (difference,) = conflict.differences
    assert "2_a_x_altercolumntype" == conflict.about
    assert ("column public.a.x", "bigint", "text") == (difference.fact, difference.wanted, difference.found)
    assert "resolve 2_a_x_altercolumntype --applied" in conflict.hint
    assert [] == sent(built)


def test_a_lost_table_that_the_ledger_marks_is_a_conflict() -> None:
    live = state(CHAIN, 3)

    built = plan(CHAIN, live, marked=range(4))

    (conflict,) = built.conflicts
    assert "table public.calls: the ledger says that 4_calls_table made it, but it is not there" == str(conflict)
    assert "backup" in conflict.hint
    assert () == built.actions


def test_what_cannot_be_made_is_a_conflict() -> None:
    locked = chain_of(
        step("CREATE TABLE a ()", {"table public.a": "", "function public.f()": "d41d"}),
        step("CREATE TABLE b ()", {"table public.b": ""}),
    )
    live = state(locked, 2)
    del live["function public.f()"]

    (conflict,) = plan(locked, live).conflicts

    (difference,) = conflict.differences
    assert ("function public.f()", "d41d", None) == (difference.fact, difference.wanted, difference.found)
    assert "no statement of the chain defines it" in conflict.why
    assert "by hand" in conflict.hint


def test_a_function_is_healed_by_the_step_that_last_defined_it() -> None:
    first, second = (f"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT {n} $$" for n in (1, 2))
    locked = chain_of(
        step(first, {"function public.f()": "1"}),
        step(
            second.replace("CREATE", "create or replace"), {"function public.f()": "2"}, context=("SET LOCAL a TO b",)
        ),
        step("CREATE TABLE b ()", {"table public.b": ""}),
        step("CREATE TABLE c ()", {"table public.c": ""}),
    )
    live = state(locked, 4)
    del live["function public.f()"]

    built = plan(locked, live, marked=range(4))

    assert [second.replace("CREATE", "CREATE OR REPLACE")] == sent(built)
    assert ("SET LOCAL a TO b",) == built.actions[0].context


def test_an_object_of_another_name_is_renamed_only_where_a_step_names_it() -> None:
    live = {
        **state(CHAIN, 4),
        "index public.ix_leads_phone": INDEX["index public.idx"],
        "valid public.ix_leads_phone": "",
    }
    del live["index public.idx"], live["valid public.idx"]
    made = list(zip(CHAIN.steps, CHAIN.effects, strict=True))
    indifferent = chain_of(*made, step("CREATE TABLE z ()", {"table public.z": ""}))
    dropping = chain_of(*made, step("DROP INDEX idx", gone=INDEX))

    assert ["CREATE TABLE z ()"] == sent(plan(indifferent, live))
    assert ["ALTER INDEX public.ix_leads_phone RENAME TO idx", "DROP INDEX idx"] == sent(
        plan(dropping, live, marked=range(4))
    )


def test_only_what_was_asked_for_is_sent() -> None:
    built = plan(CHAIN, {}, wish=Wish(until=2))

    assert ["1_leads_table", "2_leads_phone"] == [action.id for action in built.actions]


def test_a_lost_column_is_filled_by_the_chain_s_own_update_before_not_null() -> None:
    locked = chain_of(
        step("CREATE TABLE a (x int)", {"table public.a": "", "column public.a.x": "integer"}),
        step("ALTER TABLE a ADD y int", {"column public.a.y": "integer"}),
        step("UPDATE a SET y = x", locks={"public.a": "RX"}),
        step("ALTER TABLE a ALTER y SET NOT NULL", {"not null public.a.y": ""}),
        step("CREATE TABLE b ()", {"table public.b": ""}),
    )
    live = state(locked, 5)
    del live["column public.a.y"], live["not null public.a.y"]

    assert [
        "ALTER TABLE public.a ADD COLUMN y integer",
        "UPDATE a SET y = x",
        "ALTER TABLE public.a ALTER COLUMN y SET NOT NULL",
    ] == sent(plan(locked, live, marked=range(5)))


def test_rows_of_a_table_that_was_renamed_early_are_asked_for_by_its_name_here() -> None:
    columns = {"table public.{}": "", "column public.{}.y": "integer", "not null public.{}.y": ""}
    before, after = ({key.format(name): value for key, value in columns.items()} for name in "ac")
    locked = chain_of(
        step("CREATE TABLE a (y int NOT NULL)", before),
        step("CREATE INDEX i ON a (y)", {"index public.i": "ON public.a USING btree (y)"}, locks={"public.a": "SUE"}),
        step("ALTER TABLE a RENAME TO c", after, gone=before),
    )

    built = plan(locked, {"table public.c": "", "column public.c.y": "integer"}, marked=[0])

    (asked,) = (probe.sql for probe in built.probes if probe.fact == "not null public.a.y")
    assert 'WITH "a" AS (SELECT * FROM public.c) SELECT EXISTS (SELECT FROM a WHERE y IS NULL)' == asked
