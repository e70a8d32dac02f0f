"""What the clock gives its name to is nobody's fact."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup.chain.steps import read_chain
from trueup.scratch.lock import learn, save
from trueup_testing.chains import MakeChain
from trueup_testing.databases import Databases

pytestmark = pytest.mark.pg

EVENTS = "CREATE TABLE events (id int, at date NOT NULL) PARTITION BY RANGE (at);"
MAKE = (
    "CREATE FUNCTION make(d date) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('CREATE TABLE events_%s\n"
    "PARTITION OF events FOR VALUES FROM (%L) TO (%L)', to_char(d, 'YYYYMM'), d, d + 1); END $$;"
)
INDEX = "CREATE INDEX by_id ON events (id);\nCREATE VIEW days AS SELECT at FROM events;"


def tables_of(databases: Databases, folder: Path) -> set[str]:
    """All that the lock file says of tables, by the names of the tables."""
    locked = learn(read_chain(folder), scratch_url=databases.server_url)
    save(locked)
    facts = {key for effect in locked.effects for key in effect.keys}
    return {key.split()[1].split(".")[1] for key in facts if key.startswith(("table ", "column ", "index ", "view "))}


@pytest.mark.parametrize(
    "call, dated",
    [
        ("SELECT make(date_trunc('month', now())::date);", True),
        ("SELECT make(current_date);", True),
        ("DO $$ BEGIN PERFORM make(clock_timestamp()::date); END $$;", True),
        ("DO $$ BEGIN PERFORM make((SELECT coalesce(min(at), '2020-01-01') FROM public.events)); END $$;", True),
        ("SELECT make('2020-01-01');", False),
        ("DO $$ BEGIN FOR n IN 1..2 LOOP PERFORM make(date '2020-01-01' + 31 * n); END LOOP; END $$;", False),
    ],
)
def test_partitions_of_days_that_the_clock_tells(
    databases: Databases, chain: MakeChain, call: str, dated: bool
) -> None:
    folder = chain({"1_events.sql": f"{EVENTS}\n{MAKE}", "2_call.sql": call, "3_index.sql": INDEX})

    found = tables_of(databases, folder)

    assert {"events", "by_id", "days"} <= found
    assert dated == (not any(name.startswith("events_") for name in found))


def test_what_is_made_on_them_later_goes_with_them_when_only_that_is_learnt(
    databases: Databases, chain: MakeChain
) -> None:
    files = {"1_events.sql": f"{EVENTS}\n{MAKE}", "2_call.sql": "SELECT make(current_date);"}
    tables_of(databases, chain(files))

    found = tables_of(databases, chain({**files, "3_index.sql": f"{INDEX}\nALTER TABLE events ADD z int;"}))

    assert {"events", "by_id", "days"} == found


def test_a_name_that_a_step_writes_out_is_kept(databases: Databases, chain: MakeChain) -> None:
    made = "DO $$ BEGIN EXECUTE 'CREATE TABLE said_2020 AS SELECT now() AS at'; END $$;"

    assert {"said_2020"} == tables_of(databases, chain({"1_made.sql": made}))


def test_a_name_without_a_date_is_kept_though_its_columns_have_the_clock(
    databases: Databases, chain: MakeChain
) -> None:
    made = "DO $$ BEGIN EXECUTE format('CREATE TABLE %s_audit (at timestamptz DEFAULT now())', 'leads'); END $$;"

    assert {"leads_audit"} == tables_of(databases, chain({"1_made.sql": made}))


def test_what_a_block_makes_on_its_way_is_no_such_thing(databases: Databases, chain: MakeChain) -> None:
    block = "BEGIN;\nCREATE TABLE way (id int);\nALTER TABLE way RENAME TO said;\nCOMMIT;"
    locked = learn(read_chain(chain({"1_said.sql": block})), scratch_url=databases.server_url)

    assert {"table public.way", "column public.way.id"} <= locked.effects[0].parts[0].set.keys()
