"""What stands behind a URL, with a real PgBouncer in between."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import pytest

import trueup
from trueup.connect.link import Link
from trueup.connect.topology import Topology
from trueup.errors import ConnectionFailed, UsageError
from trueup_testing.chains import MakeChain
from trueup_testing.databases import Databases, execute, name_of, rows
from trueup_testing.pooler import BINARY, Pooler

pytestmark = [pytest.mark.pg, pytest.mark.skipif(BINARY is None, reason="PgBouncer is not installed")]


def test_a_server_itself_is_direct(database: str) -> None:
    with contextlib.closing(Link(database, "DATABASE_URL")) as link:
        assert Topology.DIRECT is link.topology


@pytest.mark.parametrize("round_robin", [False, True])
@pytest.mark.parametrize("size", [1, 2, 20])
@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_what_is_pooled_is_found_out(
    databases: Databases, database: str, mode: str, size: int, round_robin: bool
) -> None:
    with Pooler(databases.server_url, mode=mode, size=size, round_robin=round_robin) as pooler:
        link = Link(pooler.url(name_of(database)), "POOLER")
        started = time.monotonic()

        assert f"{mode} pooling" == link.topology.value
        assert (mode == "session") is link.topology.has_sessions
        assert time.monotonic() - started < 2
        link.close()


def test_a_pool_that_others_keep_busy_is_not_taken_for_sessions(databases: Databases, database: str) -> None:
    with Pooler(databases.server_url, mode="transaction", size=2) as pooler:
        url = pooler.url(name_of(database))
        link, other = Link(url, "POOLER"), Link(url, "POOLER")
        other.conn.execute("BEGIN; SELECT pg_backend_pid()")

        assert Topology.TRANSACTION is link.topology
        other.close()
        link.close()


@pytest.mark.parametrize("what", [trueup.up, trueup.plan])
def test_pools_of_statements_are_refused_with_the_way_out(
    databases: Databases, database: str, chain: MakeChain, what: Callable[..., object]
) -> None:
    folder = chain({"001_a.sql": "CREATE TABLE a ();"})
    with (
        Pooler(databases.server_url, mode="statement", size=2) as pooler,
        pytest.raises(UsageError, match="pools single statements") as caught,
    ):
        what(pooler.url(name_of(database)), folder)

    assert "pool_mode" in caught.value.hint
    assert [] == rows(database, "SELECT FROM pg_namespace WHERE nspname = 'trueup'")


def test_measuring_leaves_nothing_behind(databases: Databases, database: str) -> None:
    execute(database, "CREATE TABLE t ()")
    with Pooler(databases.server_url, mode="transaction", size=1) as pooler:
        url = pooler.url(name_of(database))
        before = rows(url, "SELECT name, setting FROM pg_settings WHERE name <> 'application_name' ORDER BY 1")
        link = Link(url, "POOLER")
        assert Topology.TRANSACTION is link.topology
        link.close()

        assert before == rows(url, "SELECT name, setting FROM pg_settings WHERE name <> 'application_name' ORDER BY 1")
        assert [] == rows(url, "SELECT 1 FROM pg_locks WHERE locktype = 'advisory'")


def test_a_startup_parameter_that_the_pooler_refuses_is_explained(databases: Databases, database: str) -> None:
    with Pooler(databases.server_url, mode="transaction", size=1) as pooler:
        url = pooler.url(name_of(database)) + "?options=-csearch_path%3Dpublic"
        with pytest.raises(ConnectionFailed, match="unsupported startup parameter") as caught:
            Link(url, "POOLER")

    assert "PGOPTIONS" in caught.value.hint
