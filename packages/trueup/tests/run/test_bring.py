"""What a run concludes while another one is at work."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

import trueup
from trueup.catalog.snapshot import take
from trueup.run import ledger, seen
from trueup.run.execute import Executor
from trueup_testing.chains import MakeChain
from trueup_testing.databases import execute, value


def test_a_look_in_the_middle_of_another_run_decides_nothing(
    chain: MakeChain, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = chain(
        {
            "001_a.sql": "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);",
            "002_n.sql": "ALTER TABLE a ADD COLUMN n int;",
            "003_rows.sql": "INSERT INTO a SELECT id + 1 FROM a;",
        },
    )
    trueup.up(database, folder, options=trueup.Options(to="1"))
    read, calls = ledger.read, []

    def read_and_be_overtaken(*arguments: Any) -> ledger.Ledger:
        found = read(*arguments)
        calls.append(found)
        if len(calls) == 1:  # between the ledger and the catalog, where no lock is held yet
            trueup.up(database, folder, options=trueup.Options(to="2"))
        return found

    monkeypatch.setattr(ledger, "read", read_and_be_overtaken)

    assert trueup.up(database, folder).true
    assert 2 == value(database, "SELECT count(*) FROM a")


def test_where_only_marks_are_written_the_facts_are_read_once(
    chain: MakeChain, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = chain({"001_a.sql": "CREATE TABLE a (id int, n int);"})
    execute(database, "CREATE TABLE a (id int, n int)")
    snapshot = Mock(side_effect=take)
    monkeypatch.setattr(seen, "take", snapshot)

    assert trueup.up(database, folder).true
    assert 1 == snapshot.call_count


def test_what_is_lost_while_marks_are_written_is_seen(
    chain: MakeChain, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = chain({"001_a.sql": "CREATE TABLE a (id int, n int);"})
    execute(database, "CREATE TABLE a (id int, n int)")
    mark = Executor.mark

    def mark_and_be_disturbed(executor: Executor, rows: list[tuple[int, str, str]]) -> None:
        mark(executor, rows)
        if rows:
            execute(database, "ALTER TABLE a DROP COLUMN n")

    monkeypatch.setattr(Executor, "mark", mark_and_be_disturbed)

    report = trueup.up(database, folder)

    assert report.true
    assert ["column public.a.n"] == [step.id for step in report.sent]
