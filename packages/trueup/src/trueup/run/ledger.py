"""The ledger: which steps are marked, and the digest of the state that was last proved."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection

from trueup.catalog.keys import literal
from trueup.chain.model import Chain
from trueup.decide.model import Difference, Marks
from trueup.planning.healing import Proof
from trueup.run.look import query

_AGAIN = ("23505", "42710", "42P07", "42P06", "40P01", "XX000")
_COMPLETE = """SELECT bool_and(to_regclass('trueup.' || name) IS NOT NULL)
   AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('trueup.run_lock') AND attname = 'process')
   AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('trueup.completions') AND attname = 'marks')
  FROM unnest('{schema_migrations,completions,run_lock,run_lock_token_key,run_lock_token,begun}'::text[]) AS name"""
_OLD_COLUMNS = {"migration_id", "applied_at", "success", "reconciled", "notes"}


def ensure(conn: Connection[Any]) -> None:
    """Create the ledger where it is missing. Many first runs at once may collide here; then it is there."""
    for attempt in range(20):
        row = conn.execute(_COMPLETE.encode()).fetchone()
        if row and row[0]:
            return
        try:
            conn.execute(_bookkeeping(query("ledger")).encode())
        except psycopg.Error as error:
            if error.sqlstate not in _AGAIN:
                raise
            time.sleep(0.02 * (attempt + 1))


def exists(conn: Connection[Any]) -> bool:
    """True where the ledger is there."""
    row = conn.execute("SELECT to_regclass('trueup.schema_migrations') IS NOT NULL").fetchone()
    return bool(row and row[0])


class Ledger(NamedTuple):
    """The marks of one chain: by step index, those that no step of the chain knows, and old ones to take over.

    `begun` are steps that are sent in parts, and of which some are done; `taken` those marked without being run.
    """

    marks: Marks
    unknown: list[str]
    adopted: dict[int, str]
    begun: frozenset[int] = frozenset()
    taken: frozenset[int] = frozenset()


def read(conn: Connection[Any], chain: Chain) -> Ledger:
    """Read the marks of a chain, and those of an older installation's table where trueup has none yet."""
    known = {name: index for index, step in enumerate(chain.steps) for name in (step.id, *step.former)}
    done: set[int] = set()
    own: set[int] = set()
    taken: set[int] = set()
    unknown: list[str] = []
    lost, whole = frozenset[int](), False
    if exists(conn):
        rows = conn.execute(
            "SELECT migration_id, verdict, checksum FROM trueup.schema_migrations WHERE success AND chain = "
            + literal(chain.name),
        ).fetchall()
        for migration_id, verdict, checksum in rows:
            if (index := known.get(migration_id)) is None:
                unknown.append(migration_id)
                continue
            if chain.steps[index].repeatable and checksum != chain.steps[index].hash:
                continue  # its text has changed since: it is to run again
            done.add(index)
            if verdict != "adopted":
                own.add(index)
            if verdict in ("assume", "reconcile"):
                taken.add(index)
        if len(rows) < len(chain.steps) and not unknown:
            count, phase = _last_count(conn, chain)
            lost, whole = _lost(chain, {known[row[0]] for row in rows}, count, phase), 0 < count <= len(rows)
    adopted = {} if done or lost else _old_marks(conn, known)
    done.update(adopted)
    begun = _begun(conn, chain, known) - done
    marks = Marks(done=frozenset(done), own=frozenset(own), lost=lost, whole=whole)
    return Ledger(marks, sorted(unknown), adopted, begun, frozenset(taken))


def _last_count(conn: Connection[Any], chain: Chain) -> tuple[int, str]:
    """How many marks there were at the last completion, and its phase; zero where nobody has counted."""
    row = conn.execute("SELECT to_regclass('trueup.completions') IS NOT NULL").fetchone()
    if not row or not row[0]:
        return 0, ""
    row = conn.execute(  # an older trueup did not count
        "SELECT (to_jsonb(c) ->> 'marks')::int, phase FROM trueup.completions c WHERE chain = "
        f"{literal(chain.name)} ORDER BY completed_at DESC LIMIT 1".encode(),
    ).fetchone()
    return (row[0] or 0, row[1]) if row else (0, "")


def _lost(chain: Chain, there: set[int], count: int, phase: str) -> frozenset[int]:
    """The steps that must be those without a mark, where there were so many marks."""
    contracted = phase.startswith("contract")
    asked = [i for i, step in enumerate(chain.steps) if contracted or step.phase != "contract" or i in there]
    first = set(asked[:count])
    return frozenset(first - there) if len(there) < count == len(first) and there <= first else frozenset()


def last_proof(conn: Connection[Any], chain: Chain) -> Proof:
    """What was proved when the database was last up to date; nothing of steps whose text has changed since."""
    name = literal(chain.name)
    last = f"SELECT * FROM trueup.completions WHERE chain = {name} ORDER BY completed_at DESC LIMIT 1"
    rows = conn.execute(
        f"SELECT m.migration_id, m.checksum FROM trueup.schema_migrations m JOIN ({last}) c ON m.chain = c.chain "
        "WHERE m.success AND m.applied_at <= c.completed_at".encode(),
    ).fetchall()
    marked = dict(rows)
    row = conn.execute(f"SELECT drift FROM ({last}) c".encode()).fetchone()
    drift = [Difference(**told) for told in row[0]] if row else []
    return Proof(
        steps=frozenset(
            index
            for index, step in enumerate(chain.steps)
            if any(marked.get(name) == step.hash for name in (step.id, *step.former))
        ),
        drift={difference.fact: difference for difference in drift},
    )


def _begun(conn: Connection[Any], chain: Chain, known: dict[str, int]) -> frozenset[int]:
    """Steps that an earlier run began in parts; one whose text has changed since is judged by its facts alone."""
    row = conn.execute("SELECT to_regclass('trueup.begun') IS NOT NULL").fetchone()
    if not row or not row[0]:
        return frozenset()
    rows = conn.execute(
        f"SELECT migration_id, checksum FROM trueup.begun WHERE chain = {literal(chain.name)}".encode(),
    ).fetchall()
    found = {known[name]: checksum for name, checksum in rows if name in known}
    return frozenset(index for index, checksum in found.items() if chain.steps[index].hash == checksum)


def begin_sql(chain: Chain, index: int) -> str:
    """Note that a step is sent in parts."""
    values = ", ".join(literal(value) for value in (chain.name, chain.steps[index].id, chain.steps[index].hash))
    return (
        f"INSERT INTO trueup.begun (chain, migration_id, checksum) VALUES ({values}) "
        "ON CONFLICT (chain, migration_id) DO UPDATE SET checksum = excluded.checksum"
    )


def end_sql(chain: Chain, index: int) -> str:
    """The step is marked: nothing of it is left to do."""
    name, step = literal(chain.name), literal(chain.steps[index].id)
    return f"DELETE FROM trueup.begun WHERE chain = {name} AND migration_id = {step}"


def _old_marks(conn: Connection[Any], known: dict[str, int]) -> dict[int, str]:
    """Marks of `public.schema_migrations` of an older installation; other tools' tables of that name are left alone."""
    columns = conn.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('public.schema_migrations') AND attnum > 0",
    ).fetchall()
    if not {name for (name,) in columns} >= _OLD_COLUMNS:
        return {}
    rows = conn.execute("SELECT migration_id FROM public.schema_migrations WHERE success").fetchall()
    return {known[migration_id]: migration_id for (migration_id,) in rows if migration_id in known}


def insert_sql(
    chain: Chain,
    rows: Iterable[tuple[int, str, str]],
    *,
    run_id: str,
    by: str,
    since: str = "now()",
) -> str:
    """One INSERT for marks given as (step index, verdict, notes); a mark of the same text that is there stays.

    `since` is the SQL of the time when the step began.
    """
    values = ", ".join(
        "({})".format(", ".join(map(literal, (chain.steps[index].id, notes, verdict, chain.steps[index].hash))))
        for index, verdict, notes in rows
    )
    return _insert(
        f"SELECT {literal(chain.name)}, id, verdict NOT IN ('run', 'complete'), notes, verdict, checksum, "
        f"{literal(run_id)}, {literal(by)}, {_milliseconds(since)} "
        f"FROM (VALUES {values}) AS steps (id, notes, verdict, checksum)"
    )


def insert_one_sql(chain: Chain, *, run_id: str, by: str, since: str) -> str:
    """The INSERT to prepare for the marks of steps that are run: their id, notes and hash are its parameters."""
    row = f"{literal(chain.name)}, $1, false, $2, 'run', $3, {literal(run_id)}, {literal(by)}, {_milliseconds(since)}"
    return _insert(f"VALUES ({row})")


def _milliseconds(since: str) -> str:
    return f"extract(epoch FROM clock_timestamp() - {since}) * 1000"


def _insert(rows: str) -> str:
    return (
        "INSERT INTO trueup.schema_migrations "
        "(chain, migration_id, reconciled, notes, verdict, checksum, run_id, applied_by, duration_ms) "
        f"{rows} ON CONFLICT (chain, migration_id) DO UPDATE SET "
        "(applied_at, reconciled, notes, verdict, checksum, run_id, applied_by, duration_ms) = "
        "(excluded.applied_at, excluded.reconciled, excluded.notes, excluded.verdict, excluded.checksum, "
        "excluded.run_id, excluded.applied_by, excluded.duration_ms) "
        "WHERE schema_migrations.checksum <> excluded.checksum"
    )


def durations_sql(chain: Chain, steps: Iterable[str]) -> str:
    """The query for the milliseconds of those of some steps that are marked, each behind its step's id."""
    return (
        "SELECT migration_id, duration_ms FROM trueup.schema_migrations "
        f"WHERE chain = {literal(chain.name)} AND migration_id IN ({', '.join(map(literal, steps))})"
    )


def complete(
    conn: Connection[Any],
    chain: Chain,
    *,
    phase: str,
    catalog: str,
    facts: Mapping[str, str],
    drift: Sequence[Difference],
    run_id: str,
) -> None:
    """Record that this lock file was proved here, with the digest that the catalog had just before."""
    shown = json.dumps([difference._asdict() for difference in drift])
    known = hashlib.sha256("\0".join(f"{key}\0{facts[key]}" for key in sorted(facts)).encode()).hexdigest()[:32]
    values = ", ".join(literal(v) for v in (chain.name, phase, chain.digest, catalog, known, shown, run_id))
    conn.execute(
        (
            "/* trueup */ INSERT INTO trueup.completions "
            "(chain, phase, lock_digest, catalog_digest, facts_digest, drift, run_id, marks) "
            f"VALUES ({values}, (SELECT count(*) FROM trueup.schema_migrations WHERE success AND chain = "
            f"{literal(chain.name)})) ON CONFLICT (chain, phase) DO UPDATE SET "
            "(lock_digest, catalog_digest, facts_digest, drift, run_id, marks, completed_at) = "
            "(excluded.lock_digest, excluded.catalog_digest, excluded.facts_digest, excluded.drift, excluded.run_id, "
            "excluded.marks, clock_timestamp())"
        ).encode(),
    )


def _bookkeeping(text: str) -> str:
    """Mark statements as trueup's own, so that a server's log tells them from the migrations'."""
    return "/* trueup */ " + text


def history(conn: Connection[Any], chain: str) -> list[dict[str, Any]]:
    """Every mark of a chain, oldest first."""
    if not exists(conn):
        return []
    rows = conn.execute(
        "SELECT migration_id, verdict, to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), "
        "applied_by, run_id, duration_ms, notes FROM trueup.schema_migrations WHERE chain = "
        f"{literal(chain)} ORDER BY position".encode(),
    ).fetchall()
    names = ("id", "verdict", "applied_at", "by", "run", "ms", "notes")
    return [dict(zip(names, row, strict=True)) for row in rows]
