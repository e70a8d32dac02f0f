"""A PostgreSQL for the tests of trueup, databases on it, and chains.

`TRUEUP_TEST_DSN` names a server to use; otherwise one is started from binaries found on this machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import trueup
from trueup_testing.chains import Files, Locksmith, MakeChain, write_chain
from trueup_testing.command import Answer, Run, clean_environment, run_trueup
from trueup_testing.databases import Databases, for_a_session, started
from trueup_testing.serverlog import ServerLog


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """One server for the whole session."""
    with for_a_session({"btree_gist", "pg_trgm"}) as server:
        yield server


@pytest.fixture(scope="session", params=trueup.find_installations(), ids=lambda one: f"pg{one.version}")
def each_server(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Every PostgreSQL on this machine in turn."""
    with started(request.param) as ours:
        yield ours


@pytest.fixture(autouse=True)
def _no_database_stays(request: pytest.FixtureRequest) -> Iterator[None]:
    """Drop what a test made."""
    yield
    for name in ("databases", "each_server"):
        if name in request.fixturenames:
            made: Databases = request.getfixturevalue(name)
            made.drop()


@pytest.fixture(scope="session")
def locksmith(databases: Databases) -> Locksmith:
    """Makes lock files on the session's server."""
    return Locksmith(databases.server_url)


@pytest.fixture
def database(databases: Databases) -> str:
    """The URL of an empty database."""
    return databases.create()


@pytest.fixture
def server_log(databases: Databases) -> ServerLog:
    """The server's log, where the server is ours."""
    if databases.log is None:
        pytest.skip("the log of a server that is not ours cannot be read")
    return databases.log


@pytest.fixture
def chain(tmp_path: Path, locksmith: Locksmith) -> MakeChain:
    """A function that writes a chain `name` and locks it; its folder."""

    def make(files: Files, *, name: str = "shop", locked: bool = True, setup: str = "") -> Path:
        folder = write_chain(tmp_path / name / "migrations", files)
        return locksmith.lock(folder, setup=setup) if locked else folder

    return make


@pytest.fixture
def run(tmp_path: Path, request: pytest.FixtureRequest) -> Run:
    """A function that runs the command, with a scratch server at hand, in the test's own folder."""

    def start(*arguments: object, cwd: Path | None = None, **variables: str) -> Answer:
        databases: Databases = request.getfixturevalue("databases")
        environment = clean_environment(**{"TRUEUP_SCRATCH_URL": databases.server_url, **variables})
        return run_trueup(*arguments, cwd=cwd or tmp_path, environment=environment)

    return start
