"""Run the command `prosaas` as a user does, and look at what it says."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from prosaas.settings import Settings

PROSAAS = Path(sys.executable).with_name("prosaas")


def clean_environment(**variables: str) -> dict[str, str]:
    """Ours without any setting of prosaas, and with these."""
    names = {name.upper() for name in Settings.model_fields}
    return {**{name: value for name, value in os.environ.items() if name not in names}, **variables}


def unused_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Running:
    """One `prosaas` process, and everything that it has said so far."""

    def __init__(self, *arguments: str, cwd: Path | None = None, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [PROSAAS, *arguments],
            cwd=cwd,
            env=dict(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self.out: list[str] = []
        self.err: list[str] = []
        assert self._process.stdout
        assert self._process.stderr
        self._readers = [_reader(self._process.stdout, self.out), _reader(self._process.stderr, self.err)]

    def wait_for(self, text: str, seconds: float = 60) -> str:
        """The first line that has the text in it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for line in [*self.out, *self.err]:
                if text in line:
                    return line
            if self._process.poll() is not None and not any(reader.is_alive() for reader in self._readers):
                break
            time.sleep(0.05)
        raise AssertionError(f"{text!r} was not said; code {self._process.poll()}; it said:\n{self.said}")

    @property
    def said(self) -> str:
        """Both streams, one after the other."""
        return "\n".join([*self.out, "---", *self.err])

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, and nobody else."""
        self._process.send_signal(number)

    def end(self, seconds: float = 45) -> int:
        """Wait until it has ended and everything it said was read; its exit code."""
        code = self._process.wait(seconds)
        for reader in self._readers:
            reader.join(seconds)
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self._process.stdout, self._process.stderr):
            assert stream
            stream.close()


def _reader(stream: IO[str], into: list[str]) -> threading.Thread:
    def read() -> None:
        while line := stream.readline():
            into.append(line.rstrip("\n"))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread
