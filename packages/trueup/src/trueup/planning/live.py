"""How big and busy the live tables are, as plain data: the safe form is for those on which the written one is felt."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from trueup.catalog.keys import identity_of, index_table, kind_of, table_touched
from trueup.chain.grammar import nodes_of, parse_statements, range_identity
from trueup.chain.model import NOTHING, LockedChain, Step
from trueup.decide.model import Decision

BIG_ROWS = 10_000
BIG_BYTES = 8 << 20
_TO_THE_NEXT_UNIT = 1024
_BUSY_SCANS = 10  # a second
_BUSY_SHARE = 10  # a busy table is big at so small a part of the size


class Index(NamedTuple):
    """An index of a partition: what it is made on, from its method on, and the index that it is attached to."""

    name: str
    definition: str
    parent: str


class Relation(NamedTuple):
    """A live table: its rows as the server estimates them, its bytes with TOAST, and what it is divided into.

    `default` is its DEFAULT partition.
    `scans` is how often a second it was searched since the server's counters began.
    `bounds` are the conditions that the rows of each partition meet; `detaching` those whose DETACH was interrupted.
    `has_key`: it has a primary key, so that work on its rows can be divided. `has_triggers`: triggers that we may keep
    still fire when a row is updated; `loud` are the triggers and rules that we may not. `owner` is whose it is, where
    that is not the role that asks.
    """

    rows: int
    bytes: int
    is_partitioned: bool = False
    partitions: tuple[str, ...] = ()
    bounds: Mapping[str, str] = NOTHING
    indexes: tuple[Index, ...] = ()
    detaching: tuple[str, ...] = ()
    default: str = ""
    has_key: bool = True
    has_triggers: bool = False
    loud: tuple[str, ...] = ()
    scans: float = 0.0
    owner: str = ""

    @property
    def is_busy(self) -> bool:
        """True where it is used all the time."""
        return self.scans >= _BUSY_SCANS

    def __str__(self) -> str:
        return f"{self.rows:,} rows, {said_bytes(self.bytes)}"


class Live(NamedTuple):
    """The tables that a plan touches. One that is not among them was made by the plan itself, and nobody uses it.

    Without `has_sessions`, behind a pooler of transactions, a safe form may be refused: only big tables have one then.
    """

    relations: Mapping[str, Relation] = NOTHING
    major: int = 18
    big_rows: int = BIG_ROWS
    big_bytes: int = BIG_BYTES
    has_sessions: bool = True

    def is_big(self, table: str) -> bool:
        """True where a scan or a rewrite under a strong lock would be felt."""
        found = self.relations.get(table)
        return found is not None and self._is_from(found, 1)

    def is_felt(self, table: str) -> bool:
        """True where a safe form is worth its parts: on a big table, and on a busy one that is not tiny."""
        found = self.relations.get(table)
        busy = found is not None and found.is_busy and self._is_from(found, _BUSY_SHARE)
        return (busy and self.has_sessions) or self.is_big(table)

    def _is_from(self, found: Relation, share: int) -> bool:
        return found.rows * share >= self.big_rows or found.bytes * share >= self.big_bytes

    def is_partitioned(self, table: str) -> bool:
        """True for a table that has no rows of its own."""
        found = self.relations.get(table)
        return found is not None and found.is_partitioned


def tables_touched(locked: LockedChain, decision: Decision) -> Collection[str]:
    """The tables whose size a plan for this decision depends on."""
    found = {name for verdict in decision.pending for name in locked.effects[verdict.index].locks}
    found |= {name for verdict in decision.pending for name in vacuumed(locked.steps[verdict.index])}
    found |= {table_on(key, decision.before.get(key), decision.found) for key in decision.heal}
    return found - {""}


def table_on(key: str, value: str | None, facts: Mapping[str, str | None]) -> str:
    """The table that a fact with this value is on, among these; empty for what is on none."""
    if kind_of(key) == "valid":
        return index_table(facts.get(f"index {identity_of(key)}") or "")
    return table_touched(key, value)


def vacuumed(step: Step) -> tuple[str, ...]:
    """The tables that a VACUUM FULL writes anew: outside of any transaction, so nobody has seen its locks."""
    if step.tags != ("vacuum_stmt",) or "full" not in step.sql.lower():
        return ()
    (statement,) = parse_statements(step.sql)
    return tuple(map(range_identity, nodes_of(statement.node, "RangeVar")))


def said_bytes(number: int) -> str:
    """Bytes as people read them."""
    size = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if size < _TO_THE_NEXT_UNIT:
            return f"{size:.0f} {unit}"
        size /= _TO_THE_NEXT_UNIT
    return f"{size:.1f} TB"
