"""Steps on what nobody uses yet go many in one message; each is still a transaction of its own."""

from __future__ import annotations

import pytest

import trueup
from trueup_testing.chains import MakeChain
from trueup_testing.databases import name_of, value
from trueup_testing.serverlog import ServerLog

TABLES = {f"{n:03}_t{n}.sql": f"CREATE TABLE t{n} (id int PRIMARY KEY, n int);" for n in range(1, 101)}


def test_ddl_of_a_first_run_is_few_messages(chain: MakeChain, database: str, server_log: ServerLog) -> None:
    folder = chain(TABLES)
    before = server_log.mark()

    assert trueup.up(database, folder).true

    sending = [text for text in server_log.messages(name_of(database), before) if "CREATE TABLE t" in text]
    assert 2 == len(sending)
    assert 100 == value(database, "SELECT count(DISTINCT xmin::text) FROM trueup.schema_migrations")
    assert value(
        database,
        "SELECT sum(duration_ms) FILTER (WHERE place > 1) < extract(epoch FROM max(applied_at) - min(applied_at)) * 1000"
        " FROM (SELECT *, row_number() OVER (ORDER BY applied_at) AS place FROM trueup.schema_migrations) AS m",
    )


def test_the_step_that_fails_is_named_and_what_stands_before_it_is_kept(chain: MakeChain, database: str) -> None:
    folder = chain(
        {**TABLES, "020_t20.sql": "CREATE VIEW v AS SELECT n FROM ghosts;"}, setup="CREATE TABLE ghosts (n int);"
    )

    with pytest.raises(trueup.StepFailed) as caught:
        trueup.up(database, folder)

    assert "20_v_view" == caught.value.step
    assert 19 == value(database, "SELECT count(*) FROM trueup.schema_migrations")
    assert value(database, "SELECT to_regclass('t19') IS NOT NULL AND to_regclass('t21') IS NULL")


def test_what_touches_a_table_in_use_is_sent_by_itself(chain: MakeChain, database: str, server_log: ServerLog) -> None:
    trueup.up(database, chain({"001_a.sql": TABLES["001_t1.sql"]}))
    later = {f"{n:03}_c{n}.sql": f"ALTER TABLE t1 ADD COLUMN c{n} int;" for n in range(2, 5)}
    before = server_log.mark()

    trueup.up(database, chain({"001_a.sql": TABLES["001_t1.sql"], **later}))

    assert 3 == len([t for t in server_log.messages(name_of(database), before) if "ADD COLUMN" in t])


def test_what_did_not_change_before_the_lock_was_had_is_not_read_again(
    chain: MakeChain, database: str, server_log: ServerLog
) -> None:
    before = server_log.mark()

    trueup.up(database, chain(TABLES))

    assert 2 == sum("pg_get_constraintdef" in text for text in server_log.messages(name_of(database), before))
