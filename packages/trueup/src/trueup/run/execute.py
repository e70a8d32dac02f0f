"""Send a plan: each action in its own transaction, its ledger row in the same one, in one message where it can be."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from trueup.catalog.keys import table_of
from trueup.chain.model import Chain, Step
from trueup.connect.connection import is_lost
from trueup.connect.link import Link
from trueup.connect.python import StepRaised, carry_out, place_of
from trueup.connect.topology import Topology
from trueup.errors import RunLockTaken, StepFailed
from trueup.planning.model import Action
from trueup.run import ledger
from trueup.run.alone import Building, building, clear_unfinished, without_timeouts
from trueup.run.blockers import Blocker, blockers, end_idle, watched
from trueup.run.lease import LEASE_SECONDS, MARK, Lease

if TYPE_CHECKING:
    from trueup.planning.backfill import Backfill
    from trueup.run.backfill.work import Progress

_SETTINGS = ("TimeZone = 'UTC'", "check_function_bodies = off")
_LOCK_TIMEOUT = "55P03"
_SET_TRANSACTION = re.compile(r"\s*SET\s+(LOCAL\s+)?TRANSACTION\b", re.IGNORECASE)  # before any query
_PATIENT_MS = 5_000
_RETRIED = (_LOCK_TIMEOUT, "40P01", "40001")
_TAKEN_OVER = "22012"
_UNDONE = "Everything before it is committed, the step itself is undone. Mend it, then run `trueup up` again."
SEPARATOR = "\n;\n"


class Limits(NamedTuple):
    """Milliseconds for the server, seconds for us.

    `lock_wait` is for the run lock. `lock_budget` is how long a step tries to get its tables, `lock_timeout_ms` at a
    time.
    """

    statement_timeout_ms: int = 120_000
    lock_timeout_ms: int = 150
    lock_wait: float = 600.0
    lock_budget: float = 600.0
    lease: float = LEASE_SECONDS
    reconnect: float = 60.0
    ends_idle: bool = False  # sessions in the way that are idle in a transaction
    patient: bool = False  # a lock may be waited for in seconds, while others queue behind
    full_speed: bool = False  # backfills do not hold back for standbys, the archive and autovacuum
    together: int = 64  # steps in one message, at most, where nobody uses yet what they touch


def lock_timeout_at(attempt: int, limits: Limits) -> int:
    """Short at first, doubled with each attempt, never above the limit: what users feel is the wait in the queue."""
    longest = max(_PATIENT_MS, limits.lock_timeout_ms) if limits.patient else limits.lock_timeout_ms
    return min(int(50 * 2 ** min(attempt, 10)), longest)


class Executor:
    """Carries actions out on one connection, under one lease. A lost connection is its caller's to mend."""

    def __init__(
        self,
        link: Link,
        chain: Chain,
        lease: Lease,
        *,
        run_id: str,
        by: str,
        limits: Limits,
        on_wait: Callable[[str], None] = lambda _: None,
        on_progress: Callable[[Progress | Building], None] = lambda _: None,
    ) -> None:
        self.conn = link.conn
        self.another = link.another
        self.chain = chain
        self.lease = lease
        self.run_id = run_id
        self.by = by
        self.limits = limits
        self.on_wait = on_wait
        self.on_progress = on_progress
        self.stopping = threading.Event()  # set from another thread: no further batch
        self.owns_session = link.topology is Topology.DIRECT
        self._session_lock_timeout = self._prepare_session()

    def run(self, action: Action) -> float:
        """Carry one action out; its milliseconds.

        Raises:
            StepFailed: the server refused it; it is undone, and everything before it is kept.
            RunLockTaken: the lock was taken over; nothing of the action is there.
            psycopg.Error: the connection was lost, and with it the answer whether the action is there.
        """
        self.lease.step = action.id
        self.keep_lease()
        if action.backfill:
            return self._run_batches(action, action.backfill)
        return self._persist(lambda attempt: self._send(action, attempt), action)

    def _run_batches(self, action: Action, backfill: Backfill) -> float:
        from trueup.run.backfill.work import Work

        started = time.monotonic()
        Work(self, action, backfill, on_progress=self.on_progress).run()
        return (time.monotonic() - started) * 1000

    def keep_lease(self) -> None:
        """Extend the lease from here, where its heartbeat does not get through."""
        if self.lease.is_late:
            self.lease.extend(self.conn)

    def mark(self, rows: list[tuple[int, str, str]]) -> None:
        """Write the ledger rows of steps that send nothing."""
        if not rows:
            return
        insert = ledger.insert_sql(self.chain, rows, run_id=self.run_id, by=self.by)
        marking = Action(
            step=None, id="marking what is there", verdict="reconcile", reason="", statements=(insert,), marks=False
        )
        self._persist(lambda _: self.fenced(insert), marking)

    def _persist(self, send: Callable[[int], None], action: Action) -> float:
        """Send until it is done, as long as only others stand in the way and the budget lasts."""
        started = time.monotonic()
        attempt = 0
        while True:
            try:
                send(attempt)
            except psycopg.Error as error:
                if is_lost(error, self.conn):
                    raise
                self.undo()
                seen = self.blockers(action, error)
                if error.sqlstate not in _RETRIED or time.monotonic() - started > self.limits.lock_budget:
                    raise self.failure(action, error, seen) from error
                attempt += 1
                if attempt in (1, 10, 100):
                    why = "; ".join(map(str, seen)) or error.diag.message_primary
                    self.on_wait(f"{action.id} waits: {why}; trying again")
                self.keep_lease()
                time.sleep(min(0.05 * 2 ** min(attempt, 6), 2.0) * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            else:
                return (time.monotonic() - started) * 1000

    def blockers(self, action: Action, error: psycopg.Error) -> list[Blocker]:
        """Who was in the way, where a lock could not be had."""
        if error.sqlstate != _LOCK_TIMEOUT:
            return []
        wanted = dict(action.locks) or {table: "" for key in action.keys if (table := table_of(key))}
        found = blockers(self.conn, wanted)
        for blocker in found if self.limits.ends_idle else ():
            if end_idle(self.conn, blocker):
                self.on_wait(f"ended pid {blocker.pid}, which held up {action.id} and did nothing")
        return found

    def _send(self, action: Action, attempt: int) -> None:
        if action.step is not None and (step := self.chain.steps[action.step]).python:
            self._call(action, step, attempt)
            return
        if action.transaction:
            self.conn.execute(self.message(action, attempt).encode())
            return
        if action.unfinished:
            self.fenced(SEPARATOR.join(self._rows(action)))
        started = time.monotonic()
        self._send_alone(action)
        since = f"(clock_timestamp() - interval '{time.monotonic() - started} s')"
        if not action.unfinished and (rows := self._rows(action, since=since)):
            self.fenced(SEPARATOR.join(rows))

    def _call(self, action: Action, step: Step, attempt: int) -> None:
        """A step in Python: its function stands where the statements of others do."""
        _, *opening = self.opening(action, attempt)
        *rows, _ = self.closing(action)
        try:
            with self.conn.transaction():
                self.conn.execute(SEPARATOR.join(opening).encode())
                carry_out(self.conn, self.chain.folder, step)
                self.conn.execute(SEPARATOR.join(rows).encode())
        except StepRaised as error:
            raise self._failed(action, place_of(step, error), str(error), hint=_UNDONE) from error

    def message(self, action: Action, attempt: int = 0, *, fence: str = "", since: str = "now()", row: str = "") -> str:
        """A transaction: settings, fence, statements, ledger row. `since` and `row` are as in `closing`."""
        begin, *opening = self.opening(action, attempt, fence=fence)
        lines = [
            begin,
            *(statement for statement in action.statements if _SET_TRANSACTION.match(statement)),
            *opening,
            *(statement for statement in action.statements if not _SET_TRANSACTION.match(statement)),
            *self.closing(action, since=since, row=row),
        ]
        return SEPARATOR.join(lines)

    def opening(self, action: Action, attempt: int, *, fence: str = "") -> list[str]:
        """What a transaction of an action begins with: timeouts, the fence, settings that hold for its statements."""
        settings = self._settings(lock_timeout_at(attempt, self.limits))
        settings += ["statement_timeout = 0"] if action.unhurried else []
        return [
            f"{MARK}BEGIN",
            *(f"{MARK}SET LOCAL {setting}" for setting in settings),
            f"{MARK}{fence or self.lease.fence}",
            *action.context,
        ]

    def closing(self, action: Action, *, marks: bool = True, since: str = "now()", row: str = "") -> list[str]:
        """What it ends with: the ledger row, where it is the action's last one; `since` says when the step began."""
        rows = [row] if row else (self._rows(action, since=since) if marks else [])
        return [*(f"{MARK}{one}" for one in rows), f"{MARK}COMMIT"]

    def fenced(self, statement: str) -> None:
        """A statement of our own in a transaction that only the lock's holder can commit."""
        self.conn.execute(f"{MARK}BEGIN;\n{MARK}{self.lease.fence};\n{MARK}{statement};\n{MARK}COMMIT".encode())

    def _settings(self, lock_timeout: int) -> list[str]:
        """What holds for a transaction. A session of our own has most of it already; behind a pooler it would leak."""
        wanted = [] if lock_timeout == self._session_lock_timeout else [f"lock_timeout = {lock_timeout}"]
        if not self.owns_session:
            wanted += self._always()
        return wanted

    def _always(self) -> tuple[str, ...]:
        """A frozen holder's transaction ends before its lease does."""
        idle = int(self.limits.lease * 1000 * 2 / 3)
        return (
            f"statement_timeout = {self.limits.statement_timeout_ms}",
            f"idle_in_transaction_session_timeout = {idle}",
            *_SETTINGS,
        )

    def _prepare_session(self) -> int | None:
        """Set a session up once, where it is really ours; the lock timeout that it then has."""
        if not self.owns_session:
            return None
        first = lock_timeout_at(0, self.limits)
        for setting in (f"lock_timeout = {first}", *self._always()):
            self.conn.execute(f"{MARK}SET {setting}".encode())
        return first

    def _send_alone(self, action: Action) -> None:
        """What refuses a transaction block is sent by itself, without timeouts; it can be repeated after a crash."""
        if not self.lease.is_ours(self.conn):
            raise _taken_over()
        with without_timeouts(self.conn):
            clear_unfinished(self.conn, action.keys, on_wait=self.on_wait, seconds=self.limits.lock_wait)
            row = self.conn.execute(f"{MARK}SELECT pg_backend_pid()".encode()).fetchone()
            pid = row[0] if row else 0
            with watched(
                f"SELECT {pid}",
                self.another,
                self.on_wait,
                what="the index build",
                ends_idle=self.limits.ends_idle,
                also=building(action.id, pid, self.on_progress),
            ):
                for statement in action.statements:
                    self.conn.execute(statement.encode())

    def _rows(self, action: Action, *, since: str = "now()") -> list[str]:
        """What the ledger says of an action: that its step has begun, or that it is done."""
        if action.step is None:
            return []
        if action.unfinished:
            return [ledger.begin_sql(self.chain, action.step)]
        if not action.marks:
            return []
        rows = [(action.step, action.verdict, action.reason)]
        mark = ledger.insert_sql(self.chain, rows, run_id=self.run_id, by=self.by, since=since)
        return [mark, ledger.end_sql(self.chain, action.step)] if action.splits else [mark]

    def undo(self) -> None:
        """Leave the transaction that an error has ended."""
        if not self.conn.closed:
            self.conn.execute(f"{MARK}ROLLBACK".encode())

    def failure(self, action: Action, error: psycopg.Error, seen: list[Blocker]) -> StepFailed | RunLockTaken:
        """What the server's refusal of an action means."""
        if error.sqlstate == _TAKEN_OVER and not self.lease.is_ours(self.conn):
            return _taken_over()
        where = place_of(self.chain.steps[action.step], error) if action.step is not None else ""
        detail = f" {error.diag.message_detail}" if error.diag.message_detail else ""
        blocked = f"; in the way: {'; '.join(map(str, seen))}" if seen else ""
        said = f"{error.diag.message_primary or error}{detail} [{error.sqlstate or 'no SQLSTATE'}]{blocked}"
        return self._failed(action, where, said, sqlstate=error.sqlstate or "", hint=_hint(error))

    @staticmethod
    def _failed(action: Action, where: str, said: str, *, hint: str, sqlstate: str = "") -> StepFailed:
        place = f" ({where})" if where else ""
        statement = ";\n".join(action.statements)
        return StepFailed(
            f"{action.id}{place} failed: {said}", step=action.id, statement=statement, sqlstate=sqlstate, hint=hint
        )


def _taken_over() -> RunLockTaken:
    return RunLockTaken(
        "the migration lock was taken over by another run; this one stops",
        holder="another run",
        hint="Run `trueup up` again.",
    )


def _hint(error: psycopg.Error) -> str:
    match error.sqlstate:
        case "55P03":
            return (
                "Somebody holds the table for longer than the lock budget: end that transaction, or raise lock_budget."
            )
        case "57014":
            if "statement timeout" in (error.diag.message_primary or ""):
                return "It took longer than statement_timeout: raise it, or split the work with a backfill directive."
            return "Somebody has cancelled it (pg_cancel_backend); it is undone. Run `trueup up` again."
        case "23502" | "23503" | "23505" | "23514" | "23P01":
            return "Rows that are there break what the step wants: mend them, then run `trueup up` again."
        case "42501":
            return "The role of the URL may not do this: grant it, or migrate with another role."
        case _:
            return _UNDONE
