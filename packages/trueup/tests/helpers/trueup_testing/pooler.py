"""A real PgBouncer before a test's server."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

BINARY = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")

_CONFIGURATION = """\
[databases]
* = {server}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
auth_file = {folder}/users.txt
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = 500
server_login_retry = 0.2
server_round_robin = {round_robin}
logfile = {folder}/pgbouncer.log
pidfile = {folder}/pgbouncer.pid
admin_users = postgres
ignore_startup_parameters = extra_float_digits
"""


class Pooler:
    """PgBouncer on a port of its own. `kill` and `start` may be called again and again; the port stays."""

    def __init__(self, server_url: str, *, mode: str, size: int, round_robin: bool = False) -> None:
        named = {**conninfo_to_dict(server_url), "user": "postgres"}
        server = " ".join(f"{name}={named[name]}" for name in ("host", "port", "user") if named.get(name))
        self.mode, self.size = mode, size
        self.port = _unused_port()
        self._folder = Path(tempfile.mkdtemp(prefix="trueup-pooler-"))
        self._process: subprocess.Popen[bytes] | None = None
        text = _CONFIGURATION.format(
            server=server, port=self.port, folder=self._folder, mode=mode, size=size, round_robin=int(round_robin)
        )
        (self._folder / "pgbouncer.ini").write_text(text)
        (self._folder / "users.txt").write_text('"postgres" ""\n')
        self._uid = pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else None
        if self._uid is not None:
            for path in (self._folder, *self._folder.iterdir()):
                os.chown(path, self._uid, -1)

    def start(self) -> Self:
        """Start it, and wait until it answers."""
        assert BINARY is not None
        self._process = subprocess.Popen(
            [BINARY, "-q", str(self._folder / "pgbouncer.ini")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self._uid,
            start_new_session=True,
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url("pgbouncer"), autocommit=True, connect_timeout=2).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return self

    def url(self, dbname: str) -> str:
        """A database through it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{quote(dbname, safe='')}"

    @property
    def pid(self) -> int:
        """Its process id; 0 where it does not run."""
        return self._process.pid if self._process else 0

    @property
    def running(self) -> bool:
        """Whether its process is still there."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """As a crash ends it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


def _unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
