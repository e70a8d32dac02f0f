"""The chains that are run: a small one, the one of ProSaaS on the legacy database, and one of index builds."""

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
BUILDS = {
    "001_rows.sql": "CREATE TABLE a (id int, t text);\n"
    "INSERT INTO a SELECT i, md5(i::text) FROM generate_series(1, 40000) AS i;",
    "002_builds.sql": "CREATE INDEX CONCURRENTLY a_id ON a (id);\nCREATE UNIQUE INDEX CONCURRENTLY a_t ON a (t, id);\n"
    "INSERT INTO a VALUES (0, 'last');",
}


class Subject(NamedTuple):
    """A chain, and the database that its runs start from."""

    name: str
    folder: Path
    template: str


def subjects(stage: Stage, work: Path) -> dict[str, Subject]:
    """All chains, locked, with their templates made on this stage's server."""
    locksmith = Locksmith(stage.server.url())
    found = {}
    for name, files in (("small", SMALL), ("builds", BUILDS)):
        found[name] = Subject(
            name, _written(locksmith, work / stage.topology / name / "migrations", files), "template0"
        )
    with psycopg.connect(stage.server.url(), autocommit=True) as conn:
        conn.execute("CREATE DATABASE legacy TEMPLATE template0")
    with psycopg.connect(stage.server.url("legacy"), autocommit=True) as conn:
        conn.execute(LEGACY.read_bytes())
    copied = work / stage.topology / "prosaas" / "migrations"  # somebody may be writing a migration meanwhile
    shutil.copytree(PROSAAS, copied)
    found["prosaas"] = Subject("prosaas", copied, "legacy")
    return found


def _written(locksmith: Locksmith, folder: Path, files: Mapping[str, str]) -> Path:
    return locksmith.lock(write_chain(folder, files))


__all__ = ["Subject", "subjects"]
