"""Where a backfill stands: its row in `trueup.backfills`."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection

from trueup.catalog.keys import literal
from trueup.planning.backfill import Bound
from trueup.run.backfill.key import Keyed
from trueup.run.lease import MARK
from trueup.run.look import query

_AGAIN = ("23505", "42710", "42P07", "42P06", "40P01", "XX000")
_FIELDS = (
    "name, table_name, checksum, position, seen, written, expected, batches, batch, wish, note, finished_at IS NOT NULL"
)


class Standing(NamedTuple):
    """How far a backfill has come. `position` is the last key that is done, None where none is."""

    name: str
    table: str
    checksum: str
    position: Bound | None
    seen: int
    written: int
    expected: int
    batches: int
    batch: int
    wish: str
    note: str
    finished: bool

    @property
    def state(self) -> str:
        """In a word. Whether a process is at work on it just now is the run lock's to say."""
        if self.finished:
            return "done"
        return {"pause": "paused", "cancel": "cancelled"}.get(self.wish, "begun")

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        fields = ("name", "table", "position", "seen", "written", "expected", "batches", "batch", "note")
        return {"state": self.state, **{field: getattr(self, field) for field in fields}}


def ensure(conn: Connection[Any]) -> None:
    """Make the table where it is missing. Several at once may collide here; then it is there."""
    for attempt in range(20):
        if exists(conn):
            return
        try:
            conn.execute(f"{MARK}{query('backfills')}".encode())
        except psycopg.Error as error:
            if error.sqlstate not in _AGAIN:
                raise
            time.sleep(0.02 * (attempt + 1))


def exists(conn: Connection[Any]) -> bool:
    """True where some backfill has begun in this database."""
    row = conn.execute(f"{MARK}SELECT to_regclass('trueup.backfills') IS NOT NULL".encode()).fetchone()
    return bool(row and row[0])


def standings(conn: Connection[Any], chain: str) -> list[Standing]:
    """Every backfill that has begun, in the order in which they did."""
    if not exists(conn):
        return []
    rows = conn.execute(
        f"{MARK}SELECT {_FIELDS} FROM trueup.backfills WHERE chain = {literal(chain)} ORDER BY began_at, name".encode()
    ).fetchall()
    return [_standing(row) for row in rows]


def unfinished(conn: Connection[Any], chain: str) -> frozenset[str]:
    """The names of those that have begun and are not at their end."""
    return frozenset(standing.name for standing in standings(conn, chain) if not standing.finished)


class Place:
    """One backfill's row, as SQL to read it and to move it."""

    def __init__(self, chain: str, name: str) -> None:
        self._where = f"chain = {literal(chain)} AND name = {literal(name)}"
        self._chain, self._name = chain, name

    @property
    def began(self) -> str:
        """When it began, as SQL."""
        return f"(SELECT began_at FROM trueup.backfills WHERE {self._where})"

    def begin(self, keyed: Keyed, batch: int) -> str:
        """A row at the start; one that is there and not finished stays as it is."""
        values = ", ".join(
            [
                *(literal(text) for text in (self._chain, self._name, keyed.table, keyed.checksum)),
                *(str(number) for number in (keyed.expected, batch)),
            ]
        )
        return (
            "INSERT INTO trueup.backfills AS b (chain, name, table_name, checksum, expected, batch) "
            f"VALUES ({values}) ON CONFLICT (chain, name) DO UPDATE SET "
            "(table_name, checksum, position, seen, written, expected, batches, batch, wish, note, began_at, "
            "moved_at, finished_at) = (excluded.table_name, excluded.checksum, NULL, 0, 0, excluded.expected, 0, "
            "excluded.batch, 'run', '', clock_timestamp(), clock_timestamp(), NULL) WHERE b.finished_at IS NOT NULL"
        )

    def read(self, conn: Connection[Any]) -> Standing | None:
        """How far it has come; None where it has not begun, or was forgotten."""
        row = conn.execute(f"{MARK}SELECT {_FIELDS} FROM trueup.backfills WHERE {self._where}".encode()).fetchone()
        return _standing(row) if row else None

    def move(self, before: Bound | None, after: Bound | None, *, seen: int, written: int, batch: int) -> str:
        """From one position to the next, for the transaction of the batch between them. `after` None: it is finished.

        Fails where the position is not the one expected: then this batch was done by somebody else.
        """
        done = ", finished_at = clock_timestamp(), note = ''" if after is None else ""
        position = "position" if after is None else _array(after)
        return (
            "WITH moved AS (UPDATE trueup.backfills SET "
            f"position = {position}, seen = seen + {seen}, written = written + {written}, batches = batches + 1, "
            f"batch = {batch}, moved_at = clock_timestamp(){done} "
            f"WHERE {self._where} AND position IS NOT DISTINCT FROM {_array(before)} AND finished_at IS NULL "
            "RETURNING wish) SELECT (SELECT wish FROM moved), 1 / (SELECT count(*) FROM moved)"
        )

    def say(self, note: str) -> str:
        """Why it does not move, for those who look from elsewhere."""
        return f"UPDATE trueup.backfills SET note = {literal(note)} WHERE {self._where}"


def _array(bound: Bound | None) -> str:
    return "NULL" if bound is None else f"ARRAY[{', '.join(literal(value) for value in bound)}]::text[]"


def _standing(row: tuple[Any, ...]) -> Standing:
    name, table, checksum, position, *rest = row
    return Standing(name, table, checksum, None if position is None else tuple(position), *rest)
