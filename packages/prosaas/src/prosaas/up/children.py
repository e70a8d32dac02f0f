"""The processes that `prosaas up` starts and stops."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping

_STOP_SECONDS = 30.0


class Children:
    """Child processes of one run. They end when we end, however that comes about."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, arguments: list[str], environment: Mapping[str, str]) -> None:
        """Start `prosaas ARGUMENTS`."""
        self._running[name] = subprocess.Popen(
            [sys.executable, "-m", "prosaas", *arguments, "--stop-with-parent"],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,  # only we hold the other end: it closes when we are gone
            start_new_session=True,  # Ctrl-C is for us; we tell them to stop
        )

    def ended(self) -> tuple[str, int] | None:
        """The name and the exit code of one that is not running any more, if there is one."""
        for name, process in self._running.items():
            if (code := process.poll()) is not None:
                return name, code
        return None

    def stop(self) -> None:
        """Ask all to stop, wait, and kill what did not."""
        for process in self._running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        for process in self._running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin:
                process.stdin.close()


def stop_with_parent() -> None:
    """In a child: end as on SIGTERM when standard input closes, which is when the parent is gone."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
