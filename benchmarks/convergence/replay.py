"""Send a chain's statements as psql would: one at a time, stopping or going on at errors. The reference, and a peer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus

from benchmarks.convergence.chains import File, Statement

_FINE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK, ExecStatus.EMPTY_QUERY)


@dataclass(frozen=True, slots=True)
class Failure:
    """A statement that the server refused."""

    file: str
    ordinal: int
    statement: Statement
    sqlstate: str
    message: str

    def __str__(self) -> str:
        return f"{self.file} statement {self.ordinal + 1}: {self.sqlstate} {self.message}"


def connect(url: str) -> psycopg.Connection:
    """A connection for replaying: autocommit, nothing prepared, quiet."""
    options = "-c client_min_messages=error -c statement_timeout=120s -c lock_timeout=20s"
    return psycopg.connect(url, autocommit=True, prepare_threshold=None, options=options)


def send(conn: psycopg.Connection, sql: str) -> tuple[str, str] | None:
    """Send one message in the simple protocol. None, or SQLSTATE and message of the refusal."""
    result = conn.pgconn.exec_(sql.encode())
    if result.status == ExecStatus.COPY_IN:
        conn.pgconn.put_copy_end(b"not replayed")
        result = conn.pgconn.get_result() or result
    if result.status in _FINE:
        return None
    fields = (result.error_field(field) or b"" for field in (b"C"[0], b"M"[0]))
    state, message = (field.decode(errors="replace") for field in fields)
    return state, message


def _unless_there(statement: Statement) -> str:
    """Roles belong to the server: another database's replay may have made it."""
    if statement.tag != "create_role_stmt":
        return statement.text
    return f"DO $made$ BEGIN {statement.text}; EXCEPTION WHEN duplicate_object THEN NULL; END $made$"


def replay_file(
    conn: psycopg.Connection,
    file: File,
    *,
    start: int = 0,
    stop: int | None = None,
    mend: Callable[[Failure], bool] | None = None,
) -> list[Failure]:
    """Send `statements[start:stop]` of a file in a session of its own. Failures are collected, the rest goes on.

    Args:
        conn: An idle connection.
        file: The migration.
        start: Ordinal of the first statement.
        stop: Ordinal after the last one.
        mend: Called at a failure; if it returns True the statement is sent once more. Not inside a transaction.
    """
    failures = []
    if file.wrapped:
        send(conn, "BEGIN")
    for ordinal, statement in list(enumerate(file.statements))[start:stop]:
        refused = send(conn, _unless_there(statement))
        if refused is None:
            continue
        failure = Failure(file.name, ordinal, statement, *refused)
        in_transaction = conn.info.transaction_status != TransactionStatus.IDLE
        if mend and not in_transaction and mend(failure):
            refused = send(conn, statement.text)
        if refused is not None:
            failures.append(Failure(file.name, ordinal, statement, *refused))
    if conn.info.transaction_status != TransactionStatus.IDLE:
        send(conn, "COMMIT")
    send(conn, "DISCARD ALL")
    return failures


def replay(
    conn: psycopg.Connection,
    files: Iterable[File],
    *,
    mend: Callable[[Failure], bool] | None = None,
) -> list[Failure]:
    """Send whole files, one after the other. Returns every failure."""
    return [failure for file in files for failure in replay_file(conn, file, mend=mend)]
