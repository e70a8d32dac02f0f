"""Prefixes of a chain with rows in them, such that psql could finish the chain from there.

A row that the chain's own later statements would choke on (a new NOT NULL column, a new unique index) is no fair test:
psql runs the rest of the chain on a copy, and tables whose rows are in the way are left empty.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

import psycopg
from psycopg.pq import TransactionStatus

from benchmarks.convergence.chains import Chain
from benchmarks.convergence.counts import Counts, Loss, count_rows
from benchmarks.convergence.dump import Schema, differences, dump
from benchmarks.convergence.fill import Filling, fill
from benchmarks.convergence.replay import Failure, connect, replay
from benchmarks.convergence.servers import Databases

_TRIES = 8
_IN_FAILED_TRANSACTION = "25P02"
_FILLED = """
SELECT c.oid::int8, c.relname, format('%%I.%%I', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY (%s)
"""


@dataclass(frozen=True)
class Base:
    """A database after `files[:position]`, with rows.

    Attributes:
        database: Its name. Nobody may connect to it: it is copied.
        bare: The same without the rows.
        position: How many files psql ran.
        filling: The rows.
        before: Row counts of `database`.
        expected: Row counts after psql ran the rest of the chain on it: the reference for lost rows.
    """

    database: str
    bare: str
    position: int
    filling: Filling
    before: Counts
    expected: Counts


def make_base(databases: Databases, chain: Chain, *, bare: str, position: int, seed: str, wanted: Schema) -> Base:
    """Fill a copy of the bare prefix so that the chain can still be finished by psql and ends in the wanted schema."""
    filled = databases.copy(bare)
    with connect(databases.url(filled)) as conn:
        filling = fill(conn, random.Random(seed))
    for attempt in range(_TRIES):
        if attempt:
            databases.drop(filled)
            filled = databases.copy(bare)
            with connect(databases.url(filled)) as conn:
                filling = filling.play(conn)
        with connect(databases.url(filled)) as conn:
            before = count_rows(conn)
        expected, in_the_way = _finish(databases, chain, filled, position=position, filling=filling, wanted=wanted)
        if not in_the_way:
            return Base(filled, bare, position, filling, before, expected)
        filling = filling.without(in_the_way if attempt < _TRIES - 2 else {oid for oid, _ in filling.inserts})
    raise RuntimeError(f"{chain.name}: psql cannot finish the chain from file {position}, even without rows")


def expected_after(databases: Databases, chain: Chain, base: Base, loss: Loss) -> tuple[Counts, list[Failure]]:
    """Row counts that psql ends with, from the clean prefix, once the same rows and values are lost."""
    copy = databases.copy(base.database)
    with connect(databases.url(copy)) as conn:
        loss.apply(conn)
        failures = replay(conn, chain.files[base.position :])
        counts = count_rows(conn)
    databases.drop(copy)
    return counts, failures


def _finish(
    databases: Databases, chain: Chain, filled: str, *, position: int, filling: Filling, wanted: Schema
) -> tuple[Counts, set[int]]:
    """Run the rest by psql on a copy. Answers the final row counts, and the tables whose rows are in the way."""
    copy = databases.copy(filled)
    guilty: set[int] = set()
    held = {oid for oid, _ in filling.inserts}
    with connect(databases.url(copy)) as conn:

        def mend(failure: Failure) -> bool:
            return bool(_blame(conn, failure, held, guilty))

        failures = replay(conn, chain.files[position:], mend=mend)
        for failure in failures:
            if failure.sqlstate != _IN_FAILED_TRANSACTION and not _blame(conn, failure, held, guilty):
                guilty.update(held)
        counts = count_rows(conn)
    if not guilty and held and differences(wanted, dump(databases.url(copy), databases.server.installation.bin_dir)):
        guilty = set(held)
    databases.drop(copy)
    return counts, guilty


def _blame(conn: psycopg.Connection, failure: Failure, held: set[int], guilty: set[int]) -> set[int]:
    """Tables of ours that the refused statement or the refusal names; emptied here where that is possible."""
    if conn.info.transaction_status != TransactionStatus.IDLE:
        return set()
    words = set(re.findall(r"[\w$]+", failure.statement.text + " " + failure.message))
    found = {oid: name for oid, plain, name in conn.execute(_FILLED, [list(held)]) if plain in words}
    for name in found.values():
        try:
            conn.execute(f"TRUNCATE {name} CASCADE")
        except psycopg.Error:
            continue  # a rule or a trigger forbids it: the next try leaves its rows out
    guilty.update(found)
    return set(found)
