"""One database, and run after run that is killed, each a message further than the one before."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from typing import NamedTuple

from benchmarks.crash.judge import Broken
from benchmarks.crash.points import KILLED, ONE_BY_ONE, changes, ended, in_child, kill_ourselves, killed_at
from benchmarks.crash.stage import Stage

_PASSING = re.compile(r"(?<=token = )\d+|'[0-9a-f]{12}'|pid \d+|lock_timeout = \d+")  # differs from run to run
_LOCK = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM) trueup\.run_lock\b")
_MOST = 5_000


class Hit(NamedTuple):
    """A message that a run was killed at: what tells it from others, and whether it was on its way."""

    message: str
    sent: bool


def one_life(stage: Stage, name: str, folder: os.PathLike[str], on_hit: Callable[[float], None]) -> int:
    """Kill runs before and at every message that changes anything, until one comes through; how many were killed.

    A run is killed at the first message that no run before it was killed at. So each is tried once before it is sent
    and once on its way, and every run begins with what the last one left. Each step goes
    in a message of its own.

    Raises:
        Broken: a run ended by itself, and not well.
    """
    tried: set[Hit] = set()
    while len(tried) < _MOST:
        started = time.monotonic()
        code, hit = _run(stage, name, folder, tried)
        if hit is None:
            if code:
                raise Broken(f"the run after {len(tried)} that were killed ended with {code}")
            return len(tried)
        if code != KILLED:
            raise Broken(f"the run that was to be killed at {_shown(hit.message)!r} ended with {code}")
        tried.add(hit)
        on_hit(time.monotonic() - started)
    raise Broken(f"no end after {_MOST} runs")


def _run(stage: Stage, name: str, folder: os.PathLike[str], tried: set[Hit]) -> tuple[int, Hit | None]:
    """One run, killed at the first message that is new; what it was killed at, None where everything was tried."""
    read, write = os.pipe()

    def wanted(_: int, text: str) -> float | None:
        if not changes(text):
            return None
        message = _told_apart(text)
        for sent in (False, True):
            if Hit(message, sent) not in tried:
                os.write(write, f"{int(sent)}{message}".encode())
                return 0.001 * (len(tried) % 7) + 0.0001 if sent else 0.0
        return None

    pid = in_child(lambda: killed_at(wanted, kill_ourselves, stage.url(name), folder, ONE_BY_ONE))
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        told = pipe.read().decode()
    code = ended(pid)
    return code, Hit(told[1:], told[0] == "1") if told else None


def _told_apart(text: str) -> str:
    """A message without what is another in every run."""
    if match := _LOCK.search(text):
        return match[0]
    return _PASSING.sub("…", text)


def _shown(message: str) -> str:
    lines = [line for line in message.splitlines() if line.strip(" ;") and not line.startswith("/* trueup */")]
    return " ".join(lines)[:80] or message[:80]
