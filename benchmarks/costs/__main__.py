"""What looking and deciding cost: `python -m benchmarks.costs`.

A generated chain, three statements a table, is replayed, and run by psql beside it; then a database with these tables
is read and decided about. Every number but these first two is the best of several. The goals are for 1,000 tables.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from trueup.catalog.snapshot import take
from trueup.chain.steps import read_chain
from trueup.decide.decide import decide
from trueup.decide.model import Marks
from trueup.run.look import catalog_digest
from trueup.scratch.binaries import choose, find_installations
from trueup.scratch.lock import learn
from trueup.scratch.server import Server

_TRIES = 7
_STATEMENTS = (
    "CREATE TABLE t{n} (id bigint PRIMARY KEY, name varchar(64) NOT NULL DEFAULT '', at timestamptz DEFAULT now());",
    "ALTER TABLE t{n} ADD COLUMN price numeric(8,2) CHECK (price > 0);",
    "CREATE INDEX t{n}_name ON t{n} (name);",
)
_GOALS = {"snapshot": 150.0, "digest": 50.0, "decide": 300.0}


def main() -> None:
    """Measure, and print one JSON document."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.costs")
    parser.add_argument("--tables", type=int, default=1000)
    tables: int = parser.parse_args().tables
    psql = shutil.which("psql")
    with tempfile.TemporaryDirectory() as work, Server.start(choose(find_installations())) as server:
        folder = Path(work) / "migrations"
        folder.mkdir()
        text = "\n".join(statement.format(n=n) for n in range(tables) for statement in _STATEMENTS)
        (folder / "1_all.sql").write_text(text)
        url = server.url("costs")
        with psycopg.connect(server.url(), autocommit=True) as admin:
            admin.execute("CREATE DATABASE costs")
        command = [psql or "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(folder / "1_all.sql"), url]
        by_psql = _once(lambda: subprocess.run(command, check=True))
        chain = read_chain(folder)
        began = time.perf_counter()
        locked = learn(chain, scratch_url=server.url())
        by_replay = (time.perf_counter() - began) * 1000
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn:
            live = take(conn, ["public"])
            best = {
                "snapshot": _best(lambda: take(conn, ["public"])),
                "digest": _best(lambda: catalog_digest(conn)),
                "decide": _best(lambda: decide(locked, live, Marks())),
            }
        print(
            json.dumps(
                {
                    "postgresql": server.installation.version,
                    "tables": tables,
                    "steps": len(chain.steps),
                    "facts": len(live),
                    "psql_ms": by_psql,
                    "replay_ms": by_replay,
                    "replay_of_psql": by_replay / by_psql,
                    **{f"{name}_ms": value for name, value in best.items()},
                    "goals_ms": _GOALS,
                },
                indent=2,
            )
        )


def _once(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _best(work: Callable[[], Any]) -> float:
    return min(_once(work) for _ in range(_TRIES))


if __name__ == "__main__":
    main()
