"""Compare what an engine made of a state with what the chain describes. Needs pg_dump and row counts, nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from benchmarks.convergence.counts import Counts, count_rows
from benchmarks.convergence.dump import Schema, differences, dump
from benchmarks.convergence.engines import CONFLICT, Run
from benchmarks.convergence.replay import connect
from benchmarks.convergence.servers import Databases
from benchmarks.convergence.states import State

Verdict = Literal["converged", "conflict", "wrong"]


@dataclass(frozen=True)
class Outcome:
    """How one state ended."""

    verdict: Verdict
    why: list[str] = field(default_factory=list)
    lost: int = 0
    extra: int = 0
    beyond_repair: bool = False
    seconds: float = 0.0


def judge(databases: Databases, state: State, result: str, run: Run, wanted: Schema) -> Outcome:
    """Judge a run.

    Args:
        databases: The server.
        state: What the run was given.
        result: The database that the run worked on, a copy of the state's.
        run: How the run ended.
        wanted: The schema at the chain's end, dumped in the same way (`name_blind` or not) as the state asks for.
    """
    least = _least(databases, state, run)
    lost, extra = _row_changes(databases, least, result)
    why: list[str] = [f"rows of {table}: wanted {want}, found {found}" for table, want, found in lost]
    plain = Outcome(
        "wrong",
        why,
        lost=sum(want - found for _, want, found in lost),
        extra=extra,
        beyond_repair=bool(state.beyond_repair),
        seconds=run.seconds,
    )
    if run.code == 0:
        why += differences(wanted, _dump(databases, result, state))
        if why and run.document.get("true") is False:
            why.append(f"(told: {len(run.document.get('drift', []))} differences)")
        return plain if why else replace(plain, verdict="converged")
    if run.code == CONFLICT:
        touched = differences(_dump(databases, state.database, state), _dump(databases, result, state))
        why += [f"changed before it stopped: {one}" for one in touched]
        if why:
            return plain
        return replace(plain, verdict="conflict", why=run.conflicts or [run.said or "no reason given"])
    return replace(plain, why=[f"exit {run.code}: {run.said}", *why])


def _least(databases: Databases, state: State, run: Run) -> Counts:
    """The rows that have to be there: at the end, before anything, or, where a run broke off, in both."""
    if run.code == 0:
        return state.expected
    before = _counts(databases, state.database)
    if run.code == CONFLICT:
        return before
    return {table: min(count, state.expected.get(table, 0)) for table, count in before.items()}


def _dump(databases: Databases, name: str, state: State) -> Schema:
    return dump(databases.url(name), databases.server.installation.bin_dir, name_blind=state.name_blind)


def _counts(databases: Databases, name: str) -> Counts:
    with connect(databases.url(name)) as conn:
        return count_rows(conn)


def _row_changes(databases: Databases, expected: Counts, result: str) -> tuple[list[tuple[str, int, int]], int]:
    found = _counts(databases, result)
    lost = [(table, want, found.get(table, 0)) for table, want in expected.items() if found.get(table, 0) < want]
    extra = sum(max(count - expected.get(table, 0), 0) for table, count in found.items())
    return lost, extra
