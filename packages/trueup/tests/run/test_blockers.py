"""Who stands in the way of a lock."""

from __future__ import annotations

import itertools

import psycopg
import pytest

from trueup.chain.locks import MODES
from trueup.run.blockers import blockers, end_idle
from trueup_testing.databases import execute

pytestmark = pytest.mark.pg


def test_who_is_in_the_way_is_what_the_server_says_for_each_pair_of_modes(database: str) -> None:
    execute(database, "CREATE TABLE t ()")
    with psycopg.connect(database, autocommit=True) as asking, psycopg.connect(database) as holder:
        for held, wanted in itertools.product(MODES, MODES):
            holder.execute(f"LOCK TABLE t IN {MODES[held]} MODE".encode())
            try:
                asking.execute(f"BEGIN; LOCK TABLE t IN {MODES[wanted]} MODE NOWAIT".encode())
                conflicts = False
            except psycopg.errors.LockNotAvailable:
                conflicts = True
            asking.execute("ROLLBACK")

            assert conflicts == bool(blockers(asking, {"public.t": wanted})), (held, wanted)
            holder.rollback()


def test_a_blocker_has_a_name_and_only_who_is_idle_is_ended(database: str) -> None:
    execute(database, "CREATE TABLE t ()")
    with psycopg.connect(database, autocommit=True) as asking:
        holder = psycopg.connect(database)
        holder.execute("LOCK TABLE t")
        (blocker,) = blockers(asking, {"public.t": ""})

        assert f"pid {holder.info.backend_pid} (idle in transaction for 0 s) holds t: LOCK TABLE t" == str(blocker)
        assert not end_idle(asking, blocker)  # for over a second, not at once
        asking.execute("SELECT pg_sleep(1.1)")
        assert end_idle(asking, blocker)
        holder.close()
