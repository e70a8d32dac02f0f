"""From any state: small random chains, databases left at random points and damaged, judged by pg_dump and by rows.

`up` either ends in exactly the schema that the chain describes, with every row and value that was there, or it stops
before it has touched anything and says what a person has to decide. Nothing else may happen.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import trueup
from trueup_testing.chains import Locksmith, write_chain
from trueup_testing.databases import Databases, execute, rows
from trueup_testing.schema import dump
from trueup_testing.worlds import RandomChain, World, random_chains

pytestmark = pytest.mark.pg

ROWS = 5
EXAMPLES = 25  # many more when deciding is changed: then without `derandomize`
ADDITIVE = ("CREATE TABLE", "CREATE INDEX", "CREATE VIEW", "CREATE TYPE", "ALTER TABLE")


@dataclass
class State:
    """How a database is left: after so many statements, with or without a ledger, with damages."""

    position: int
    ledger: bool
    damages: list[int]
    early: list[int]


@st.composite
def states(draw: st.DrawFn) -> tuple[RandomChain, State]:
    """A chain and a state of it. Damages and early statements are numbers that choose among what is there."""
    chain = draw(random_chains())
    numbers = st.lists(st.integers(0, 1000), max_size=2)
    position = draw(st.integers(0, len(chain.statements)))
    return chain, State(position, draw(st.booleans()), draw(numbers), draw(numbers))


Values = dict[tuple[int, int], list[object]]
"""(table's identity, column's identity) → the values of its rows, in order."""


def values(url: str, world: World) -> Values:
    """Every value of every table of the world that is there."""
    found: Values = {}
    for name, table in world.tables.items():
        for column, (uid, _) in table.columns.items():
            query = f"SELECT {column}::text FROM {name} ORDER BY id"
            with suppress(psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):  # dropped by `damage`
                found[table.uid, uid] = [row[0] for row in rows(url, query)]
    return found


def damage(url: str, world: World, number: int) -> None:
    """Drop one thing by hand, with what hangs on it."""
    candidates = [
        *(f"DROP INDEX {name}" for name in world.indexes),
        *(f"ALTER TABLE {table} DROP CONSTRAINT {name}" for name, table in world.checks.items()),
        *(f"DROP VIEW {name}" for name in world.views),
        *(f"DROP FUNCTION {name}()" for name in world.functions),
        *(
            f"ALTER TABLE {name} DROP COLUMN {column} CASCADE"
            for name, table in world.tables.items()
            for column in table.columns
            if column != "id"
        ),
    ]
    if candidates:
        execute_if_possible(url, sorted(candidates)[number % len(candidates)])


def execute_if_possible(url: str, statement: str) -> None:
    """As a person would try it."""
    with suppress(psycopg.Error):  # something else needs it
        execute(url, statement)


def left_at(url: str, folder: Path, chain: RandomChain, state: State) -> None:
    """Leave an empty database in the state."""
    world = chain.worlds[state.position]
    if state.ledger and state.position:
        steps = trueup.plan(url, folder).steps
        reached = len([s for s in steps if s.verdict == "run"]) == len(chain.statements)
        if reached:  # one step per statement: then a position is a step
            trueup.up(url, folder, options=trueup.Options(to=steps[state.position - 1].id))
        else:
            execute(url, *chain.statements[: state.position])
    else:
        execute(url, *chain.statements[: state.position])
    for name in world.tables:
        execute_if_possible(url, f"INSERT INTO {name} (id) SELECT generate_series(1, {ROWS})")
        for column, (_, kind) in world.tables[name].columns.items():
            if kind == "text":
                execute_if_possible(url, f"UPDATE {name} SET {column} = '{name}.' || id")
    for number in state.damages:
        damage(url, world, number)
    later = [s for s in chain.statements[state.position :] if s.startswith(ADDITIVE) and " DROP " not in s]
    for number in state.early:
        if later:
            execute_if_possible(url, later[number % len(later)])


def judge(databases: Databases, locksmith: Locksmith, chain: RandomChain, state: State) -> str:
    """Bring one state true: `converged`, or `conflict`."""
    with tempfile.TemporaryDirectory() as folder_name:
        folder = locksmith.lock(write_chain(Path(folder_name) / "shop" / "migrations", chain.text()))
        url, reference = databases.create(), databases.create()
        execute(reference, *chain.statements)
        left_at(url, folder, chain, state)
        before, kept = dump(url), values(url, chain.worlds[state.position])
        try:
            report = trueup.up(url, folder, options=trueup.Options(first_run=True))
        except trueup.DecisionNeeded:
            assert before == dump(url), "it stopped, but not before it had touched something"
            return "conflict"
        assert report.true, report.drift
        assert dump(reference) == dump(url)
        final = values(url, chain.worlds[-1])
        after = {key: final[key] for key in kept if key in final}
        assert {key: kept[key] for key in after} == after, "rows or values were lost"
        assert [] == trueup.up(url, folder).sent
        return "converged"


def test_from_any_state_to_the_chain_s_schema(databases: Databases, locksmith: Locksmith) -> None:
    seen: Counter[str] = Counter()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    @given(states())
    def bring_true(drawn: tuple[RandomChain, State]) -> None:
        chain, state = drawn
        seen[judge(databases, locksmith, chain, state)] += 1
        databases.drop()

    bring_true()

    assert seen["converged"] > 0.8 * seen.total(), seen
