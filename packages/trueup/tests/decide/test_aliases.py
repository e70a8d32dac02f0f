"""Constraints and indexes of the wanted definition under another name."""

from __future__ import annotations

import pytest

from trueup.decide.aliases import with_aliases
from trueup.decide.trajectory import Trajectories
from trueup_testing.facts import chain_of, decided, step, verdicts

pytestmark = pytest.mark.unit

ON_PHONE = "ON public.leads USING btree (phone)"
TABLE = step("CREATE TABLE leads (phone text)", {"table public.leads": "", "column public.leads.phone": "text"})
INDEX = step("CREATE INDEX a ON leads (phone)", {"index public.a": ON_PHONE, "valid public.a": ""})
SAME_AGAIN = step("CREATE INDEX b ON leads (phone)", {"index public.b": ON_PHONE, "valid public.b": ""})
CHECK = step(
    "ALTER TABLE leads ADD CONSTRAINT c CHECK (phone <> '')",
    {"constraint public.leads.c": "CHECK ((phone <> ''::text))", "validated public.leads.c": ""},
)
ROWS = {"table public.leads": "", "column public.leads.phone": "text"}


def test_an_index_under_another_name_satisfies() -> None:
    locked = chain_of(TABLE, INDEX)
    live = {**ROWS, "index public.ix_leads_phone": ON_PHONE, "valid public.ix_leads_phone": ""}

    decision = decided(locked, live)

    assert ["reconcile", "reconcile"] == verdicts(decision)
    assert {"index public.a": "index public.ix_leads_phone"} == decision.renamed
    assert not decision.heal
    assert not decision.drift


def test_a_constraint_under_another_name_satisfies() -> None:
    locked = chain_of(TABLE, CHECK)
    live = {
        **ROWS,
        "constraint public.leads.phone_check": "CHECK ((phone <> ''::text))",
        "validated public.leads.phone_check": "",
    }

    assert ["reconcile", "reconcile"] == verdicts(decided(locked, live))


def test_one_object_satisfies_one_fact_only() -> None:
    locked = chain_of(TABLE, INDEX, SAME_AGAIN)
    live = {**ROWS, "index public.other": ON_PHONE, "valid public.other": ""}

    _, renamed = with_aliases(live, Trajectories(locked.effects, locked.base))

    assert 1 == len(renamed)


def test_exact_names_come_first() -> None:
    locked = chain_of(TABLE, INDEX, SAME_AGAIN)
    live = {**ROWS, "index public.b": ON_PHONE, "index public.other": ON_PHONE}

    _, renamed = with_aliases(live, Trajectories(locked.effects, locked.base))

    assert {"index public.a": "index public.other"} == renamed


def test_another_definition_or_another_table_does_not_satisfy() -> None:
    locked = chain_of(TABLE, INDEX)
    live = {
        **ROWS,
        "index public.x": "UNIQUE ON public.leads USING btree (phone)",
        "index public.y": "ON public.calls USING btree (phone)",
    }

    _, renamed = with_aliases(live, Trajectories(locked.effects, locked.base))

    assert {} == renamed


def test_an_invalid_index_under_another_name_is_unfinished() -> None:
    locked = chain_of(TABLE, INDEX)

    decision = decided(locked, {**ROWS, "index public.other": ON_PHONE})

    assert "valid public.a" in decision.heal


def test_a_table_is_clustered_on_an_index_whatever_that_is_called() -> None:
    index = "ON public.a USING btree (x)"
    a = {"table public.a": "", "column public.a.x": "integer"}
    wanted = {"index public.i": index, "valid public.i": "", "cluster on public.a": "i"}
    locked = chain_of(step("CREATE TABLE a (x int)", a), step("CREATE INDEX i ON a (x)", wanted))
    live = {**a, "index public.other": index, "valid public.other": "", "cluster on public.a": "other"}

    decision = decided(locked, live)

    assert ([], {}) == (decision.drift, decision.heal)
