"""What the lock file records of the steps is what the files say."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup.api import load
from trueup.chain.header import lock_path
from trueup.chain.lockfile import write_lock
from trueup.chain.model import Effect, LockedChain
from trueup.chain.steps import read_chain
from trueup_testing.chains import write_chain

FILES = {
    "0001_a.sql": "-- step: first (was 40a)\nCREATE TABLE a (id int);\n\nCREATE INDEX CONCURRENTLY i ON a (id);",
    "0002_b.sql": "SET lock_timeout = '1s';\nBEGIN;\nSET LOCAL search_path = public;\nINSERT INTO a VALUES (1);\n"
    "CREATE INDEX CONCURRENTLY j ON a (id);\nCOMMIT;\n-- done when: SELECT true\nSELECT 'שלום';",
    "0003_c.sql": "-- phase: contract\n-- as written\nDROP TABLE a;",
    "0004_d.sql": "-- backfill: a by id batch 500\nUPDATE a SET id = id + 1;",
    "R__views.sql": "CREATE OR REPLACE VIEW v AS SELECT 1;",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = write_chain(tmp_path / "shop" / "migrations", FILES)
    chain = read_chain(folder)
    locked = LockedChain(chain=chain, effects=(Effect(),) * len(chain.steps), base={}, scratch_major=18)
    lock_path(folder).write_text(write_lock(locked, grammar="17"))
    return folder


def test_steps_are_recalled_as_they_were_parsed(folder: Path) -> None:
    assert read_chain(folder) == load(folder).chain


def test_nothing_is_parsed_where_the_files_fit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("trueup.chain.steps.parse_statements", fail)

    assert load(folder).steps


def test_a_lock_file_without_records_is_read_as_well(folder: Path) -> None:
    path = lock_path(folder)
    path.write_text(path.read_text().replace('"step":', '"unknown":'))

    assert read_chain(folder) == load(folder).chain
