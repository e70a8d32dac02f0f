"""A PostgreSQL for the tests of prosaas, and databases on it.

`TRUEUP_TEST_DSN` names a server to use; otherwise one is started from binaries found on this machine.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

import trueup
from prosaas.schema.chains import EXTENSIONS
from prosaas.schema.migrate import bring_true
from prosaas.settings import Settings
from trueup_testing.folders import enterable_folder


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The URL of a server's maintenance database."""
    if dsn := os.environ.get("TRUEUP_TEST_DSN"):
        yield dsn
        return
    installation = trueup.choose(trueup.find_installations(), EXTENSIONS)
    with trueup.Server.start(installation) as server:
        yield server.url()


@pytest.fixture(scope="session")
def create_database(server_url: str) -> Iterator[Callable[[str], str]]:
    """A function that makes a database, from a template or empty, and returns its URL."""
    made: list[str] = []

    def create(template: str) -> str:
        name = f"prosaas_test_{uuid.uuid4().hex[:12]}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(statement)
        made.append(name)
        return make_url(server_url).set(database=name).render_as_string(hide_password=False)

    yield create
    if not os.environ.get("TRUEUP_TEST_DSN"):
        return  # they go with the server
    with psycopg.connect(server_url, autocommit=True) as connection:
        for name in made:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def template(create_database: Callable[[str], str]) -> str:
    """The name of a database that is true, to copy from."""
    url = create_database("template0")
    bring_true(trueup.urls_from(url), lambda _: None)
    return str(make_url(url).database)


@pytest.fixture
def empty_database(create_database: Callable[[str], str]) -> str:
    """The URL of an empty database."""
    return create_database("template0")


@pytest.fixture
def true_database(create_database: Callable[[str], str], template: str) -> str:
    """The URL of a database whose schema is true."""
    return create_database(template)


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """No URL and no other setting of ours in the environment."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Like tmp_path, but every account may enter it."""
    with enterable_folder() as made:
        yield made
