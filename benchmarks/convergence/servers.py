"""One throw-away server per chain, and databases on it made by copying others."""

from __future__ import annotations

import itertools
import threading
import time

import psycopg
from psycopg import sql

from benchmarks.convergence.chains import Chain
from benchmarks.convergence.replay import Failure, connect, replay, send
from trueup.scratch.server import Installation, Server, find_installations

_SETTINGS = {
    "max_connections": "60",
    "shared_buffers": "256MB",
    "max_locks_per_transaction": "512",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "log_statement": "none",
}


class Databases:
    """The databases of one server. Copies are cheap: no fsync, file by file."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.replayed_in = 0.0  # seconds that psql's own replay of the chain took

    def url(self, name: str) -> str:
        """Where a database is."""
        return self.server.url(name)

    def copy(self, source: str, name: str = "") -> str:
        """Copy a database that nobody is connected to; answer the new one's name."""
        with self._lock:
            name = name or f"state_{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as conn:
            self._drop(conn, name)
            statement = "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy"
            conn.execute(sql.SQL(statement).format(sql.Identifier(name), sql.Identifier(source)))
        return name

    def drop(self, *names: str) -> None:
        """Drop databases, with whoever is connected."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as conn:
            for name in names:
                self._drop(conn, name)

    @staticmethod
    def _drop(conn: psycopg.Connection, name: str) -> None:
        conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def start_for(chain: Chain, major: int | None) -> tuple[Databases | None, list[Failure | str]]:
    """Start the first installed PostgreSQL on which psql replays the whole chain without an error.

    The databases `empty` (with the chain's setup) and `reference` (the whole chain) are there afterwards.

    Args:
        chain: What to replay.
        major: Only this major version of PostgreSQL.

    Returns:
        The databases, or None and what failed on the last one that was tried.
    """
    failures: list[Failure | str] = ["no PostgreSQL of that version found"]
    for installation in find_installations():
        if major and installation.major != major:
            continue
        databases = Databases(_start(installation))
        failures = _replay_whole(databases, chain)
        if not failures:
            return databases, []
        databases.server.stop("immediate")
    return None, failures


def _start(installation: Installation) -> Server:
    return Server.start(installation, settings=_SETTINGS)


def _replay_whole(databases: Databases, chain: Chain) -> list[Failure | str]:
    databases.copy("template1", "empty")
    if chain.setup:
        with connect(databases.url("empty")) as conn:
            refused = send(conn, chain.setup)
        if refused:
            return [f"setup: {' '.join(refused)}"]
    databases.copy("empty", "reference")
    started = time.monotonic()
    with connect(databases.url("reference")) as conn:
        failures = replay(conn, chain.files)
    databases.replayed_in = time.monotonic() - started
    return list(failures)
