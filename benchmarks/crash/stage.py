"""What a run needs around it: a server that can be killed and started again, a pooler before it, databases."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

import trueup

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "packages" / "trueup" / "tests" / "helpers"))

from trueup_testing.pooler import Pooler  # noqa: E402 - its folder has to be on the path
from trueup_testing.serverlog import LOG_SETTINGS  # noqa: E402 - the same

_MEMORY = Path("/dev/shm")  # noqa: S108 - the server makes a private folder in it
_ENOUGH = 4 << 30  # bytes
EXTENSIONS = {"btree_gist", "pg_trgm"}
_SETTINGS = {
    **LOG_SETTINGS,
    "max_connections": "60",
    "max_locks_per_transaction": "256",
    "fsync": "off",  # the machine stays up
    "synchronous_commit": "on",  # what the server has answered is kept
    "full_page_writes": "on",
    "log_statement": "none",
}


@dataclass
class Stage:
    """One server, and one way to it."""

    topology: str
    server: trueup.Server
    pooler: Pooler | None
    data: Path
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(1_000_000)))

    def url(self, name: str) -> str:
        """The way that runs take to a database."""
        return self.pooler.url(name) if self.pooler else self.server.url(name)

    def make(self, template: str) -> str:
        """A database like the template."""
        name = f"crash_{next(self._numbers)}"
        with psycopg.connect(self.server.url(), autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy".encode())
        return name

    def drop(self, name: str) -> None:
        """Leave room for the next one."""
        with psycopg.connect(self.server.url(), autocommit=True) as conn:
            conn.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())

    def kill_server(self) -> None:
        """As `pg_ctl stop -m immediate` does. May be called from a forked run."""
        os.kill(self.server.pid, signal.SIGQUIT)

    def kill_pooler(self) -> None:
        """As a crash ends it. May be called from a forked run."""
        if self.pooler is not None:
            os.kill(self.pooler.pid, signal.SIGKILL)

    def revive(self) -> None:
        """Start again what was killed."""
        if not self.server.running:
            self.server.stop("immediate")
            self.server = _start(self.data)
        if self.pooler is not None and not self.pooler.running:
            self.pooler.kill()
            self.pooler.start()


@contextlib.contextmanager
def staged(topology: str) -> Iterator[Stage]:
    """A stage for one topology: direct, session or transaction."""
    has_room = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ENOUGH
    data = Path(tempfile.mkdtemp(prefix="trueup-crash-", dir=_MEMORY if has_room else None))
    stage: Stage | None = None
    try:
        data.chmod(0o755)
        server = _start(data / "pg")
        stage = Stage(topology, server, None, data / "pg")
        if topology != "direct":
            stage.pooler = Pooler(server.url(), mode=topology, size=3).start()
        yield stage
    finally:
        if stage is not None:
            if stage.pooler is not None:
                stage.pooler.__exit__(None, None, None)
            stage.server.stop("immediate")
        shutil.rmtree(data, ignore_errors=True)


def _start(data: Path) -> trueup.Server:
    installation = trueup.choose(trueup.find_installations(), EXTENSIONS)
    return trueup.Server.start(installation, data, settings=_SETTINGS)
