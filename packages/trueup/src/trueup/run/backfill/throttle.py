"""When a backfill should hold back: standbys and the archive that fall behind, autovacuum at work on its table."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from psycopg import Connection

from trueup.catalog.keys import literal
from trueup.run.lease import MARK

LOOK_SECONDS = 1.0
_MOST_LAG_SECONDS = 5
_MOST_LAG_BYTES = 256 << 20
_MOST_SEGMENTS = 16
_SEGMENT = "('x' || substr({name}, 9, 8))::bit(32)::bigint * 256 + ('x' || substr({name}, 17, 8))::bit(32)::bigint"

_QUERY = f"""
SELECT r.name, r.seconds, r.bytes, a.waiting, v.at_work
  FROM (SELECT max(application_name) FILTER (WHERE behind), max(seconds) FILTER (WHERE behind),
               max(bytes) FILTER (WHERE behind)
          FROM (SELECT application_name, extract(epoch FROM replay_lag)::float8 AS seconds,
                       pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint AS bytes,
                       extract(epoch FROM replay_lag) > {_MOST_LAG_SECONDS}
                       OR pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) > {_MOST_LAG_BYTES} AS behind
                  FROM pg_stat_replication WHERE state IN ('streaming', 'catchup')) AS standby
       ) AS r (name, seconds, bytes),
       (SELECT CASE WHEN current_setting('archive_mode') <> 'off' AND last_archived_wal ~ '^[0-9A-F]{{24}}$'
                    THEN {_SEGMENT.format(name="pg_walfile_name(pg_current_wal_lsn())")}
                       - ({_SEGMENT.format(name="last_archived_wal")}) END
          FROM pg_stat_archiver) AS a (waiting),
       (SELECT count(*) > 0 FROM pg_stat_progress_vacuum p JOIN pg_stat_activity s USING (pid)
         WHERE p.datname = current_database() AND s.backend_type = 'autovacuum worker'
           AND p.relid = to_regclass({{table}})) AS v (at_work)
"""


class Hindrance(NamedTuple):
    """Why to hold back. `stops`: until it is over; otherwise at half the speed."""

    why: str
    stops: bool


class Throttle:
    """Looks at the server at most once a second, between batches."""

    def __init__(self, conn: Connection[Any], table: str) -> None:
        self._conn = conn
        self._query = _QUERY.replace("{table}", literal(table))
        self._next = 0.0
        self._seen: Hindrance | None = None

    def look(self) -> Hindrance | None:
        """What stands against the next batch at the moment."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + LOOK_SECONDS
            row = self._conn.execute(f"{MARK}{self._query}".encode()).fetchone()
            self._seen = _judged(*row) if row else None
        return self._seen


def _judged(
    name: str | None, seconds: float | None, size: int | None, waiting: int | None, at_work: bool | None
) -> Hindrance | None:
    if seconds is not None or size is not None:
        lag = f"{seconds or 0:.0f} s and {(size or 0) >> 20} MB"
        return Hindrance(f"the standby {name or '(unnamed)'} is {lag} behind", stops=True)
    if waiting is not None and waiting > _MOST_SEGMENTS:
        return Hindrance(f"{waiting} WAL segments wait to be archived", stops=True)
    if at_work:
        return Hindrance("autovacuum is at work on the table", stops=False)
    return None
