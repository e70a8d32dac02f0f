"""Ask how big and how busy the tables of a plan are, in one query that reads no rows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from psycopg import Connection, sql

from trueup.catalog.snapshot import last_result
from trueup.planning.live import Index, Relation
from trueup.run.look import query

_ROWS_OF_A_PAGE = 80  # of a table that was never analysed: rows of 100 bytes
_WAIT = "SET LOCAL lock_timeout = '2s'"  # a table's size is not told under somebody's ACCESS EXCLUSIVE
_QUALIFIED = "SET LOCAL search_path = pg_catalog"  # names in definitions, as they are in facts


class _Row(NamedTuple):
    name: str
    is_partitioned: bool
    parent: str | None
    is_detaching: bool
    is_default: bool
    bound: str | None
    bytes: int
    pages: int
    tuples_then: float
    pages_then: int
    scans: float
    has_key: bool
    loud: list[str]
    has_triggers: bool
    indexes: list[tuple[str, str, str]]
    owner: str | None

    @property
    def rows(self) -> int:
        """As the server's planner estimates them: the density when it was analysed, over the pages of now."""
        if self.tuples_then < 0 or (self.pages_then == 0 and self.pages):
            return self.pages * _ROWS_OF_A_PAGE
        return int(self.tuples_then / self.pages_then * self.pages) if self.pages_then else int(self.tuples_then)


def sizes(conn: Connection[Any], tables: Collection[str]) -> dict[str, Relation]:
    """The tables among these that are there, and their partitions; a partitioned table is as big as these together."""
    if not tables:
        return {}
    names = sql.Literal(sorted(tables)).as_string(conn)
    message = f"BEGIN READ ONLY; {_WAIT}; {_QUALIFIED}; {query('sizes').replace('{names}', names)}; COMMIT"
    rows = {row.name: row for row in map(_Row._make, last_result(conn, message))}
    below: dict[str, list[_Row]] = {}
    for row in rows.values():
        below.setdefault(row.parent or "", []).append(row)

    def relation(row: _Row) -> Relation:
        parts = sorted(below.get(row.name, []))
        inner = [relation(part) for part in parts]
        return Relation(
            rows=row.rows + sum(part.rows for part in inner),
            bytes=row.bytes + sum(part.bytes for part in inner),
            scans=row.scans + sum(part.scans for part in inner),
            is_partitioned=row.is_partitioned,
            partitions=tuple(part.name for part in parts),
            bounds={part.name: part.bound for part in parts if part.bound},
            detaching=tuple(part.name for part in parts if part.is_detaching),
            has_key=row.has_key,
            loud=tuple(row.loud) + tuple(name for part in inner for name in part.loud),
            indexes=tuple(map(Index._make, row.indexes)),
            has_triggers=row.has_triggers or any(part.has_triggers for part in inner),
            owner=row.owner or "",
            default=next((part.name for part in parts if part.is_default), ""),
        )

    return {name: relation(row) for name, row in rows.items()}
