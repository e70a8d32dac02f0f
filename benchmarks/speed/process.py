"""Run one command and say how long it took."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# Nothing of the caller's that changes how Python starts or which database a tool talks to.
_PRIVATE = ("PYTHON", "DATABASE_URL", "DJANGO_", "DBMATE_", "PG")


@dataclass(frozen=True)
class Command:
    """A command line, where it runs, and what it finds in its environment beside the caller's."""

    argv: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """One run of a command.

    Attributes:
        seconds: Wall-clock time from before the start to after the end.
        cpu_seconds: The processor time of the command itself, its server's not counted.
        code: Its exit code; negative for a signal.
        over_limit: It was ended because it took longer than it may.
        output: What it wrote to standard output.
        errors: What it wrote to standard error.
    """

    seconds: float
    cpu_seconds: float
    code: int
    over_limit: bool
    output: str
    errors: str


def run(command: Command, *, limit: float) -> Sample:
    """Run a command to its end, for at most `limit` seconds.

    The wait is a plain blocking one: `Popen.wait(timeout)` polls, and is up to 50 ms late.
    """
    over = threading.Event()
    environment = _environment(command.environment)
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command.argv,
            cwd=command.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )

        def stop() -> None:
            over.set()
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(limit, stop)
        timer.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            timer.cancel()
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        return Sample(
            seconds=seconds,
            cpu_seconds=used.ru_utime + used.ru_stime,
            code=process.returncode,
            over_limit=over.is_set(),
            output=output.read().decode(errors="replace"),
            errors=errors.read().decode(errors="replace"),
        )


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE)}
    return {**kept, **more}
