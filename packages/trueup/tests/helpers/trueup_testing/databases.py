"""A server for tests, and databases on it."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from trueup import Server, choose, find_installations
from trueup.scratch.binaries import Installation
from trueup_testing.serverlog import LOG_SETTINGS, ServerLog

_NUMBERS = itertools.count(1)
_MEMORY = Path("/dev/shm")  # noqa: S108 - the server makes a private folder in it
_ENOUGH = 2 << 30  # bytes


class Databases:
    """Databases on one server. Those with the same content are copies of one template."""

    def __init__(self, url: str, server: Server | None = None) -> None:
        self.server_url = url
        self.log = ServerLog(server.log_path) if server else None
        self._made: list[str] = []
        self._templates: dict[str, str] = {}

    def url(self, name: str) -> str:
        """Where a database of this server is."""
        return make_conninfo(self.server_url, dbname=name)

    def create(self, template: str = "template0") -> str:
        """Make a database and answer its URL."""
        name = f"trueup_test_{os.getpid()}_{next(_NUMBERS)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        with psycopg.connect(self.server_url, autocommit=True) as conn:
            conn.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        self._made.append(name)
        return self.url(name)

    def copy_of(self, content: str, make: Callable[[str], object]) -> str:
        """A database as `make` leaves it. It is called once for each `content`."""
        if content not in self._templates:
            url = self.create()
            make(url)
            self._templates[content] = name_of(url)
        return self.create(self._templates[content])

    def drop(self, *, templates: bool = False) -> None:
        """Drop what was made, by default all but the templates."""
        kept = set() if templates else set(self._templates.values())
        gone = [name for name in self._made if name not in kept]
        self._made = [name for name in self._made if name in kept]
        if not gone:
            return
        with psycopg.connect(self.server_url, autocommit=True) as conn:
            for name in gone:
                conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def for_a_session(extensions: Collection[str]) -> Iterator[Databases]:
    """The server that `TRUEUP_TEST_DSN` names, or one of our own with these extensions."""
    if dsn := os.environ.get("TRUEUP_TEST_DSN"):
        named = Databases(dsn)
        yield named
        named.drop(templates=True)
        return
    with started(choose(find_installations(), extensions)) as ours:
        yield ours


@contextmanager
def started(installation: Installation) -> Iterator[Databases]:
    """A server of our own that logs every statement; in memory, where there is room for it."""
    settings = {**LOG_SETTINGS, "max_connections": "60", "max_locks_per_transaction": "256"}
    usual = tempfile.tempdir
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ENOUGH:
        tempfile.tempdir = str(_MEMORY)
    try:
        server = Server.start(installation, settings=settings)
    finally:
        tempfile.tempdir = usual
    with server:
        yield Databases(server.url(), server)


def name_of(url: str) -> str:
    """The name of a URL's database."""
    return str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])


def execute(url: str, *statements: str) -> None:
    """Run SQL as psql would: each text in a message of its own, without a transaction around them."""
    with psycopg.connect(url, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement.encode())


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    """All rows of a query."""
    with psycopg.connect(url, autocommit=True) as conn:
        return conn.execute(query.encode()).fetchall()


def value(url: str, query: str) -> object:
    """The first column of the first row."""
    found = rows(url, query)
    return found[0][0] if found else None
