"""The chains that are run: a small one, backfills, index builds, safe forms, that of ProSaaS on the legacy database."""

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
SPLIT = {
    "001_base.sql": """
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE t (id int PRIMARY KEY, a int, b int, c varchar(40));
CREATE INDEX t_a ON t (a);
CREATE TABLE kind (id int, k text) PARTITION BY LIST (k);
CREATE TABLE kind1 PARTITION OF kind FOR VALUES IN ('a');
CREATE TABLE kind2 PARTITION OF kind DEFAULT;
CREATE TABLE loose (id int, k text);
CREATE TABLE part (id int) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (20000);
""",
    "002_split.sql": """
CREATE INDEX t_b ON t (b);
DROP INDEX t_a; CREATE INDEX t_a ON t (a DESC);
ALTER TABLE t ADD UNIQUE (b), ADD CHECK (a > 0), ALTER a SET NOT NULL, ALTER c TYPE text;
ALTER TABLE t ADD FOREIGN KEY (b) REFERENCES p;
ALTER TABLE t ADD u int DEFAULT floor(random() * 0) NOT NULL;
ALTER TABLE p ADD i bigint GENERATED ALWAYS AS IDENTITY;
CREATE INDEX kind_id ON kind (id);
ALTER TABLE kind ATTACH PARTITION loose FOR VALUES IN ('l');
CREATE TABLE part2 PARTITION OF part FOR VALUES FROM (20000) TO (30000);
ALTER TABLE part DETACH PARTITION part1;
CREATE TABLE kid (p_id int REFERENCES p, t_id int REFERENCES t);
DROP TABLE kid;
""",
}
_ROWS = """
INSERT INTO p SELECT generate_series(1, 12000);
INSERT INTO t SELECT n, n, n, n FROM generate_series(1, 12000) AS n;
INSERT INTO kind SELECT n, CASE WHEN n % 2 = 0 THEN 'a' ELSE 'z' END FROM generate_series(1, 24000) AS n;
INSERT INTO loose SELECT n, 'l' FROM generate_series(1, 12000) AS n;
INSERT INTO part SELECT generate_series(1, 12000);
ANALYZE;
"""  # as many as make a table big


class Subject(NamedTuple):
    """A chain, the database that its runs start from, and how many milliseconds a message is left on its way."""

    name: str
    folder: Path
    template: str = "template0"
    delays: tuple[int, ...] = (0, 5)
    numbered: frozenset[str] = frozenset()  # tables whose rows get numbers: those of a batch that is undone are lost
    reachable: float = 1.0  # the share of messages that every run sends: some look around while they wait


def subject(name: str, stage: Stage, work: Path) -> Subject:
    """A chain, locked, with its template made on this stage's server."""
    folder = work / stage.topology / name / "migrations"
    if name == "prosaas":
        _load(stage, "legacy", LEGACY.read_bytes())
        shutil.copytree(PROSAAS, folder)  # somebody may be writing a migration meanwhile
        return Subject(name, folder, "legacy")
    template = "template0"
    if name == "split":
        _load(stage, template := "split", (SPLIT["001_base.sql"] + _ROWS).encode())
    Locksmith(stage.server.url()).lock(write_chain(folder, _WRITTEN[name]))
    delays = (0, 10, 30, 60, 100, 150) if name == "builds" else (0, 5)
    if name == "split":
        return Subject(name, folder, template, delays, frozenset({"public.p"}), reachable=0.8)
    return Subject(name, folder, template, delays)


def _load(stage: Stage, name: str, dump: bytes) -> None:
    with psycopg.connect(stage.server.url(), autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    with psycopg.connect(stage.server.url(name), autocommit=True) as conn:
        conn.execute(dump)


_WRITTEN: Mapping[str, Mapping[str, str]] = {"small": SMALL, "backfill": BACKFILL, "builds": BUILDS, "split": SPLIT}
CHAINS = (*_WRITTEN, "prosaas")

__all__ = ["CHAINS", "Subject", "subject"]
