"""One point: a run in a process of its own, and what is killed when it has come to a message."""

from __future__ import annotations

import functools
import os
import re
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
from trueup import api
from trueup.run.execute import Limits

Kill = Callable[[], None]
Wanted = Callable[[int, str], "float | None"]
"""Number and text of a message → None to let it pass, 0 to kill before it is sent, else so many seconds after."""

OPTIONS = trueup.Options(first_run=True, limits=Limits(lock_wait=60, reconnect=30))
ONE_BY_ONE = trueup.Options(first_run=True, limits=Limits(lock_wait=60, reconnect=30, together=1))
FAULT = 70
KILLED = -signal.SIGKILL

_LOOKS = re.compile(r"(?:--.*\n|/\* trueup \*/|\s)*(?:SELECT|WITH|BEGIN READ ONLY|SET|(?:BEGIN|COMMIT|ROLLBACK)\s*$)")

api.load = functools.cache(api.load)  # runs are forked: what the parent has read they need not read again


@dataclass(frozen=True, order=True)
class Point:
    """The n-th message of a run, from 0; `after` it was sent by so many milliseconds, or before that."""

    message: int
    after: int | None = None

    def __str__(self) -> str:
        when = "before" if self.after is None else f"{self.after} ms into"
        return f"{when} message {self.message}"

    def wanted(self, number: int, _: str) -> float | None:
        """As `killed_at` asks it."""
        if number != self.message:
            return None
        return 0.0 if self.after is None else max(self.after, 0.01) / 1000


def changes(message: str) -> bool:
    """True where a message may change something: a step, a mark, the run lock. The rest only looks."""
    return not _LOOKS.match(message)


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


def bring_true(url: str, folder: Path, options: trueup.Options = OPTIONS) -> int:
    """One whole run, by its exit code."""
    try:
        trueup.up(url, folder, options=options)
    except trueup.TrueupError as error:
        print(f"{error.message} {getattr(error, 'conflicts', '')}", file=sys.stderr)
        return error.exit_code
    return 0


def killed_at(wanted: Wanted, kill: Kill, url: str, folder: Path, options: trueup.Options = OPTIONS) -> int:
    """A run during which `kill` is called once, at the first message that is wanted."""
    number = -1
    done = False
    execute: Any = psycopg.Connection.execute

    def watching(self: Any, query: Any, *rest: Any, **more: Any) -> Any:
        nonlocal number, done
        text = query.decode() if isinstance(query, bytes) else str(query)
        number += 1
        after = None if done else wanted(number, text)
        if after is None:
            return execute(self, query, *rest, **more)
        done = True
        if after:
            self.pgconn.send_query(text.encode())
            self.pgconn.flush()
            time.sleep(after)
        kill()
        if after:
            self.close()  # whoever was killed, the answer is lost with this connection
            raise psycopg.OperationalError("the answer is lost")
        return execute(self, query, *rest, **more)

    psycopg.Connection.execute = watching  # type: ignore[method-assign]  # in a child process of its own
    return bring_true(url, folder, options)


def messages_of(url: str, folder: Path) -> list[str]:
    """What an undisturbed run sends."""
    read, write = os.pipe()

    def work() -> int:
        sent: list[str] = []
        code = killed_at(lambda _, text: sent.append(text), kill_ourselves, url, folder)
        with os.fdopen(write, "wb") as pipe:
            pipe.write(b"\0".join(text.encode() for text in sent))
        return code

    pid = in_child(work)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        sent = pipe.read().decode().split("\0")
    if code := ended(pid):
        raise SystemExit(f"an undisturbed run ended with {code}")
    return sent
