"""The baseline: a system that asks of each step alone whether its effect is there, and runs it if it is not.

It is given everything that trueup has learnt (every step's effect, the live facts), and lacks only the question where
in its history the database stands. A step without an effect in the catalog (rows) follows the step before it.
"""

from __future__ import annotations

import time
from pathlib import Path

import psycopg

from benchmarks.convergence.chains import Chain
from benchmarks.convergence.engines import Run
from benchmarks.convergence.replay import connect, send
from trueup.api import load
from trueup.catalog.keys import schema_of
from trueup.catalog.snapshot import take
from trueup.chain.model import Effect, LockedChain, Step


class PerStep:
    """Skips every step whose facts are there, runs the others as written, stops at the first error."""

    name = "per-step"
    has_ledger = False

    def __init__(self) -> None:
        self._locked: LockedChain | None = None

    def prepare(self, chain: Chain, folder: Path) -> Run:
        """Read the lock file that trueup wrote into `folder`."""
        self._locked = load(folder / chain.name / "migrations")
        return Run(0, "")

    def up(self, url: str, position: int, *, to: str = "") -> Run:
        """Go through the chain from its beginning."""
        del position, to
        if self._locked is None:
            raise RuntimeError("prepare comes first")
        started = time.monotonic()
        with connect(url) as conn:
            refused = _go_through(conn, self._locked)
        return Run(1 if refused else 0, refused, seconds=time.monotonic() - started)

    def pending(self, url: str) -> list[str]:
        """It keeps no ledger."""
        del url
        return []


def _go_through(conn: psycopg.Connection, locked: LockedChain) -> str:
    schemas = {schema for effect in locked.effects for key in effect.keys if (schema := schema_of(key))} | {"public"}
    facts = take(conn, schemas)
    skipping = False
    for step, effect in zip(locked.steps, locked.effects, strict=True):
        if effect.keys:
            skipping = _is_there(effect, facts)
        if skipping:
            continue
        if refused := _run(conn, step):
            return f"{step.id}: {refused}"
        facts.update(effect.set)
        for key in effect.gone:
            facts.pop(key, None)
    return ""


def _is_there(effect: Effect, facts: dict[str, str]) -> bool:
    return all(facts.get(key) == value for key, value in effect.set.items()) and not any(
        k in facts for k in effect.gone
    )


def _run(conn: psycopg.Connection, step: Step) -> str:
    around = ("", "") if step.no_transaction else ("BEGIN", "COMMIT")
    for statement in (around[0], *step.context, *step.statements, around[1]):
        if statement and (refused := send(conn, statement)):
            send(conn, "ROLLBACK")
            send(conn, "DISCARD ALL")
            return " ".join(refused)
    send(conn, "DISCARD ALL")
    return ""
