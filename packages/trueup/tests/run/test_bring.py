"""What a run concludes while another one is at work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import trueup
from trueup.run import ledger
from trueup_testing.databases import value

MakeChain = Callable[..., Path]


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
