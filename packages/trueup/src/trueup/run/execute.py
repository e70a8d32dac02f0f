"""Send a plan: each action in its own transaction, its ledger row in the same one, in one message where it can be."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection

from trueup.chain.model import Chain
from trueup.connect.connection import is_pooled
from trueup.errors import RunLockTaken, StepFailed
from trueup.planning.model import Action
from trueup.run import ledger
from trueup.run.lease import Lease

MARK = "/* trueup */ "
"""Stands before every statement that is trueup's own, so that a server's log tells them from the migrations'."""

_SETTINGS = ("TimeZone = 'UTC'", "check_function_bodies = off")
_RETRIED = ("55P03", "40P01", "40001")
_TAKEN_OVER = "22012"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Milliseconds for the server, seconds for us."""

    statement_timeout_ms: int = 120_000
    lock_timeout_ms: int = 200
    lock_wait: float = 600.0


def lock_timeout_at(attempt: int, limits: Limits) -> int:
    """Short at first, doubled with each attempt, never above the limit: what users feel is the wait in the queue."""
    return min(int(50 * 2 ** min(attempt, 10)), limits.lock_timeout_ms)


class Executor:
    """Carries actions out on one connection, under one lease."""

    def __init__(
        self,
        conn: Connection[Any],
        chain: Chain,
        lease: Lease,
        *,
        run_id: str,
        by: str,
        limits: Limits,
        on_wait: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.conn = conn
        self.chain = chain
        self.lease = lease
        self.run_id = run_id
        self.by = by
        self.limits = limits
        self.on_wait = on_wait
        self._session_lock_timeout = self._prepare_session()

    def run(self, action: Action) -> float:
        """Carry one action out; its milliseconds.

        Raises:
            StepFailed: the server refused it; it is undone, and everything before it is kept.
            RunLockTaken: the lock was taken over; nothing of the action is there.
        """
        started = time.monotonic()
        deadline = started + self.limits.lock_wait
        attempt = 0
        while True:
            try:
                self._send(action, attempt)
            except psycopg.Error as error:
                self._undo()
                if error.sqlstate not in _RETRIED or time.monotonic() > deadline:
                    raise self._failure(action, error) from error
                attempt += 1
                if attempt in (1, 10, 100):
                    self.on_wait(f"{action.id} waits: {error.diag.message_primary}; trying again")
                time.sleep(min(0.05 * 2 ** min(attempt, 6), 2.0) * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            else:
                return (time.monotonic() - started) * 1000

    def mark(self, rows: list[tuple[int, str, str]]) -> None:
        """Write the ledger rows of steps that send nothing."""
        if not rows:
            return
        insert = ledger.insert_sql(self.chain, rows, run_id=self.run_id, by=self.by, conn=self.conn)
        self.conn.execute(f"{MARK}BEGIN;\n{MARK}{self.lease.fence};\n{MARK}{insert};\n{MARK}COMMIT".encode())

    def _send(self, action: Action, attempt: int) -> None:
        row = self._ledger_row(action)
        if not action.transaction:
            self._send_alone(action)
            if row:
                self.conn.execute(f"{MARK}BEGIN;\n{MARK}{self.lease.fence};\n{MARK}{row};\n{MARK}COMMIT".encode())
            return
        lock_timeout = lock_timeout_at(attempt, self.limits)
        lines = [
            f"{MARK}BEGIN",
            *(f"{MARK}SET LOCAL {setting}" for setting in self._settings(lock_timeout)),
            f"{MARK}{self.lease.fence}",
            *action.context,
            *action.statements,
            *([f"{MARK}{row}"] if row else []),
            f"{MARK}COMMIT",
        ]
        self.conn.execute("\n;\n".join(lines).encode())

    def _settings(self, lock_timeout: int) -> list[str]:
        """What holds for a transaction. A session of our own has most of it already; behind a pooler it would leak."""
        wanted = [] if lock_timeout == self._session_lock_timeout else [f"lock_timeout = {lock_timeout}"]
        if self._session_lock_timeout is None:
            wanted += [f"statement_timeout = {self.limits.statement_timeout_ms}", *_SETTINGS]
        return wanted

    def _prepare_session(self) -> int | None:
        """Set a session up once, where it is really ours; the lock timeout that it then has."""
        if is_pooled(self.conn):
            return None
        first = lock_timeout_at(0, self.limits)
        for setting in (
            f"statement_timeout = {self.limits.statement_timeout_ms}",
            f"lock_timeout = {first}",
            *_SETTINGS,
        ):
            self.conn.execute(f"{MARK}SET {setting}".encode())
        return first

    def _send_alone(self, action: Action) -> None:
        """What refuses a transaction block is sent by itself, without timeouts; it can be repeated after a crash."""
        self.conn.execute(f"{MARK}{self.lease.fence}".encode())
        self.conn.execute(f"{MARK}SET statement_timeout = 0".encode())
        self.conn.execute(f"{MARK}SET lock_timeout = 0".encode())
        try:
            for statement in action.statements:
                self.conn.execute(statement.encode())
        finally:
            if not self.conn.closed:
                self.conn.execute(f"{MARK}RESET statement_timeout".encode())
                self.conn.execute(f"{MARK}RESET lock_timeout".encode())
                self._session_lock_timeout = self._prepare_session()

    def _ledger_row(self, action: Action) -> str:
        if not action.marks or action.step is None:
            return ""
        rows = [(action.step, action.verdict, action.reason)]
        return ledger.insert_sql(self.chain, rows, run_id=self.run_id, by=self.by, conn=self.conn)

    def _undo(self) -> None:
        if not self.conn.closed:
            self.conn.execute(f"{MARK}ROLLBACK".encode())

    def _failure(self, action: Action, error: psycopg.Error) -> StepFailed | RunLockTaken:
        if error.sqlstate == _TAKEN_OVER and self._lost():
            return RunLockTaken(
                "the migration lock was taken over by another run; this one stops",
                holder="another run",
                hint="Run `trueup up` again.",
            )
        statement = ";\n".join(action.statements)
        where = ""
        if action.step is not None:
            step = self.chain.steps[action.step]
            where = f" ({step.path}:{step.line})"
        detail = f" {error.diag.message_detail}" if error.diag.message_detail else ""
        return StepFailed(
            f"{action.id}{where} failed: {error.diag.message_primary or error}{detail} "
            f"[{error.sqlstate or 'no SQLSTATE'}]",
            step=action.id,
            statement=statement,
            sqlstate=error.sqlstate or "",
            hint=_hint(error),
        )

    def _lost(self) -> bool:
        row = self.conn.execute(self.lease.fence.replace("1 / count(*)", "count(*)").encode()).fetchone()
        return row is None or row[0] == 0


def _hint(error: psycopg.Error) -> str:
    match error.sqlstate:
        case "55P03":
            return "Somebody holds the table for longer than the lock budget: end that transaction, or raise lock_wait."
        case "57014":
            return "It took longer than statement_timeout: raise it, or split the work with a backfill directive."
        case "23502" | "23503" | "23505" | "23514" | "23P01":
            return "Rows that are there break what the step wants: mend them, then run `trueup up` again."
        case "42501":
            return "The role of the URL may not do this: grant it, or migrate with another role."
        case _:
            return "Everything before it is committed, the step itself is undone. Mend it, then run `trueup up` again."
