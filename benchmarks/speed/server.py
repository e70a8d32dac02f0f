"""The one server that everything is measured on, and the databases made on it."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from benchmarks.speed.errors import UnusableServerError
from benchmarks.speed.target import Target

DSN_VARIABLE = "TRUEUP_BENCH_DSN"

# Over the throw-away settings that trueup's scratch server has, to see what a safe disk adds.
_DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "autovacuum": "on",
    "wal_level": "replica",
}
# Alembic runs all migrations in one transaction: with the default of 64 it runs out of locks at 5,000.
_ROOM = {"max_locks_per_transaction": "1024"}
_SHOWN = ("server_version", "fsync", "synchronous_commit", "autovacuum", "max_locks_per_transaction")


class Databases:
    """Makes and removes the databases of one benchmark run; they all bear its prefix."""

    def __init__(self, server: Target, *, prefix: str) -> None:
        self._server = server
        self._prefix = prefix
        self._made: set[str] = set()

    def fresh(self, name: str, *, like: Target | None = None) -> Target:
        """An empty database of this name, or a copy of another one; what was there under the name is gone."""
        full = f"{self._prefix}_{name}"
        template = sql.Identifier(like.dbname if like else "template0")
        with self._maintenance() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(full)))
            create = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(full), template)
            connection.execute(create)
        self._made.add(full)
        return self._server.database(full)

    def drop_all(self) -> None:
        """Remove every database that was made here."""
        with self._maintenance() as connection:
            for name in sorted(self._made):
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        self._made.clear()

    def settings(self) -> dict[str, str]:
        """The server's settings that matter for its speed."""
        with self._maintenance() as connection:
            rows = connection.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(_SHOWN)])
            return dict(rows.fetchall())

    def _maintenance(self) -> psycopg.Connection[tuple[str, str]]:
        return psycopg.connect(self._server.url(), autocommit=True)


def fingerprint(database: Target) -> str:
    """A digest of what the chain made in this database, the tools' own tables left out."""
    query = (Path(__file__).parent / "fingerprint.sql").read_bytes()
    with psycopg.connect(database.url(), autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    return str(row[0]) if row else ""


@contextlib.contextmanager
def benchmark_server(*, durable: bool, more: Mapping[str, str] | None = None) -> Iterator[Target]:
    """The server that TRUEUP_BENCH_DSN names, else one started here, with `more` settings, and stopped at the end.

    Raises:
        UnusableServerError: There is no server to measure on.
    """
    dsn = os.environ.get(DSN_VARIABLE)
    if dsn:
        target = Target.parse(dsn)
        try:
            psycopg.connect(target.url()).close()
        except psycopg.OperationalError as error:
            message = f"{DSN_VARIABLE} names a server that cannot be reached: {error}"
            raise UnusableServerError(message) from error
        yield target
        return
    try:
        from trueup.scratch.server import Server, choose, find_installations
    except ImportError as error:
        message = f"trueup is not installed here, so no server can be started; install it or set {DSN_VARIABLE}"
        raise UnusableServerError(message) from error
    port = _free_port()
    settings = {**_ROOM, **(_DURABLE if durable else {}), **(more or {})}
    with Server.start(choose(find_installations()), port=port, settings=settings):
        yield Target(host="127.0.0.1", port=port, user="postgres", password="", dbname="postgres")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
