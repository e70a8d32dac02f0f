"""One point: a run in a process of its own, and what is killed when it has come to its n-th message."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

import trueup
from trueup.run.execute import Limits

Kill = Callable[[], None]

OPTIONS = trueup.Options(first_run=True, limits=Limits(lock_wait=60, reconnect=30))
FAULT = 70


@dataclass(frozen=True)
class Point:
    """The n-th message of a run, from 0, and whether it is on its way already when the kill comes."""

    message: int
    in_flight: bool

    def __str__(self) -> str:
        return f"{'during' if self.in_flight else 'before'} message {self.message}"


def kill_ourselves() -> None:
    """As the kernel does when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


def in_child(work: Callable[[], int]) -> int:
    """Run in a forked process; its process id. The child ends with the number that `work` returns."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    try:
        code = work()
    except BaseException:  # noqa: BLE001 - the parent reads it
        traceback.print_exc()
        code = FAULT
    sys.stderr.flush()
    os._exit(code)


def ended(pid: int, *, meanwhile: Callable[[], None] = lambda: None, seconds: float = 120) -> int:
    """Wait for a child; its exit code, negative for a signal. `meanwhile` is called again and again."""
    deadline = time.monotonic() + seconds
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return FAULT
        meanwhile()
        time.sleep(0.002)


def bring_true(url: str, folder: Path) -> int:
    """One whole run, by its exit code."""
    try:
        trueup.up(url, folder, options=OPTIONS)
    except trueup.TrueupError as error:
        print(f"{error.message} {getattr(error, 'conflicts', '')}", file=sys.stderr)
        return error.exit_code
    return 0


def killed_at(point: Point, kill: Kill, url: str, folder: Path) -> int:
    """A run during which `kill` is called at a point."""
    sent = -1
    execute: Any = psycopg.Connection.execute

    def counting(self: Any, query: Any, *rest: Any, **more: Any) -> Any:
        nonlocal sent
        sent += 1
        if sent == point.message:
            if point.in_flight:
                self.pgconn.send_query(query if isinstance(query, bytes) else str(query).encode())
                self.pgconn.flush()
                time.sleep(0.001 * (point.message % 7))  # sometimes it is over already
            kill()
            if point.in_flight:
                raise psycopg.OperationalError("the answer is lost") if self.closed else _broken(self)
        return execute(self, query, *rest, **more)

    psycopg.Connection.execute = counting  # type: ignore[method-assign]
    return bring_true(url, folder)


def _broken(conn: Any) -> psycopg.OperationalError:
    """Whoever is killed, this connection is of no use any more."""
    conn.close()
    return psycopg.OperationalError("the answer is lost")


def count_messages(url: str, folder: Path) -> int:
    """How many messages an undisturbed run sends."""
    read, write = os.pipe()

    def work() -> int:
        counted = 0
        execute: Any = psycopg.Connection.execute

        def counting(self: Any, *rest: Any, **more: Any) -> Any:
            nonlocal counted
            counted += 1
            return execute(self, *rest, **more)

        psycopg.Connection.execute = counting  # type: ignore[method-assign]
        code = bring_true(url, folder)
        os.write(write, str(counted).encode())
        return code

    code = ended(in_child(work))
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    if code:
        raise SystemExit(f"an undisturbed run ended with {code}")
    return int(text)
