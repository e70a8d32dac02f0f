"""The chains that are run: a small one, backfills, index builds, and that of ProSaaS on the legacy database."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import psycopg

from benchmarks.crash.stage import ROOT, Stage
from trueup_testing.chains import Locksmith, write_chain

PROSAAS = ROOT / "packages" / "prosaas" / "src" / "prosaas" / "migrations"
LEGACY = ROOT / "packages" / "prosaas" / "tests" / "legacy" / "legacy.sql"

SMALL = {
    "001_a.sql": "CREATE TABLE a (id int PRIMARY KEY, n int NOT NULL);\nCREATE INDEX a_n ON a (n);",
    "002_rows.sql": "INSERT INTO a (id, n) SELECT i, i FROM generate_series(1, 50) AS i;\nUPDATE a SET n = n + 1;",
    "003_b.sql": "CREATE TABLE b (a_id int REFERENCES a, n int);\nINSERT INTO b (a_id) SELECT id FROM a;",
    "004_both.sql": "BEGIN;\nALTER TABLE b ADD COLUMN m int;\nUPDATE b SET m = a_id * 2;\n"
    "INSERT INTO a (id, n) SELECT max(id) + 1, 7 FROM a;\nCOMMIT;",
    "005_more.sql": "UPDATE a SET n = n * 2;\nALTER TABLE a ADD COLUMN t text NOT NULL DEFAULT 'x';\n"
    "DELETE FROM b WHERE a_id = 3;",
    "006_view.sql": "CREATE VIEW v AS SELECT id, n FROM a;\n"
    "INSERT INTO a (id, n) SELECT (SELECT max(id) FROM a) + a_id, m FROM b WHERE a_id < 5;",
}
BACKFILL = {
    "001_rows.sql": "CREATE TABLE a (id int PRIMARY KEY, n int NOT NULL, t text);\n"
    "INSERT INTO a SELECT i, i FROM generate_series(1, 2000) AS i;",
    "002_fill.sql": "-- backfill: a by id batch 500\nUPDATE a SET t = md5(n::text), n = n + 1;",
    "003_log.sql": "CREATE TABLE log (a_id int, at int);\n"
    "-- backfill: a by id batch 1000\nINSERT INTO log SELECT id, n FROM a;",
}
BUILDS = {
    "001_rows.sql": "CREATE TABLE a (id int, t text);\n"
    "INSERT INTO a SELECT i, md5(i::text) FROM generate_series(1, 40000) AS i;",
    "002_builds.sql": "CREATE INDEX CONCURRENTLY a_id ON a (id);\nCREATE UNIQUE INDEX CONCURRENTLY a_t ON a (t, id);\n"
    "INSERT INTO a VALUES (0, 'last');",
}


class Subject(NamedTuple):
    """A chain, the database that its runs start from, and how many milliseconds a message is left on its way."""

    name: str
    folder: Path
    template: str = "template0"
    delays: tuple[int, ...] = (0, 5)


def subject(name: str, stage: Stage, work: Path) -> Subject:
    """A chain, locked, with its template made on this stage's server."""
    folder = work / stage.topology / name / "migrations"
    if name == "prosaas":
        _load(stage, "legacy", LEGACY)
        shutil.copytree(PROSAAS, folder)  # somebody may be writing a migration meanwhile
        return Subject(name, folder, "legacy")
    Locksmith(stage.server.url()).lock(write_chain(folder, _WRITTEN[name]))
    return Subject(name, folder, delays=(0, 10, 30, 60, 100, 150) if name == "builds" else (0, 5))


def _load(stage: Stage, name: str, dump: Path) -> None:
    with psycopg.connect(stage.server.url(), autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    with psycopg.connect(stage.server.url(name), autocommit=True) as conn:
        conn.execute(dump.read_bytes())


_WRITTEN: Mapping[str, Mapping[str, str]] = {"small": SMALL, "backfill": BACKFILL, "builds": BUILDS}
CHAINS = (*_WRITTEN, "prosaas")

__all__ = ["CHAINS", "Subject", "subject"]
