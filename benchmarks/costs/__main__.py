"""What learning, looking and deciding cost: `python -m benchmarks.costs`.

A generated chain, three statements a table, is fed to psql and replayed, in turns; then the database that psql made is
read and decided about, warm. Folders of other chains can be named: of these only the replay is held against psql.
Writes `results/costs.md` and `results/costs.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.costs.report import Costs, Replayed, markdown
from trueup.catalog.snapshot import take
from trueup.chain.model import Chain, Effect, LockedChain
from trueup.chain.steps import read_chain
from trueup.decide.decide import decide
from trueup.decide.model import Marks
from trueup.run.look import catalog_digest
from trueup.scratch.binaries import choose, find_installations
from trueup.scratch.lock import learn
from trueup.scratch.server import Server

_RESULTS = Path(__file__).parents[1] / "results"
_TRIES = 7
_STATEMENTS = (
    "CREATE TABLE t{n} (id bigint PRIMARY KEY, name varchar(64) NOT NULL DEFAULT '', at timestamptz DEFAULT now());",
    "ALTER TABLE t{n} ADD COLUMN price numeric(8,2) CHECK (price > 0);",
    "CREATE INDEX t{n}_name ON t{n} (name);",
)


def main() -> None:
    """Measure, print the report, write it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.costs")
    parser.add_argument("chains", nargs="*", type=Path, metavar="DIR", help="replay these folders, too")
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3, help="of psql and replay")
    parser.add_argument("--output", type=Path, default=_RESULTS / "costs", metavar="PATH", help="PATH.md and PATH.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work, Server.start(choose(find_installations())) as server:
        folder = Path(work) / "migrations"
        folder.mkdir()
        lines = [statement.format(n=n) for n in range(options.tables) for statement in _STATEMENTS]
        (folder / "1_all.sql").write_text("\n".join(lines))
        replayed, locked = _replayed(server, folder, f"{options.tables:,} tables", options.rounds)
        with psycopg.connect(server.url("costs"), autocommit=True, prepare_threshold=None) as conn:
            live = take(conn, ["public"])
            costs = Costs(
                postgresql=server.installation.version,
                steps=len(locked.steps),
                tables=options.tables,
                facts=len(live),
                snapshot_ms=_best(lambda: take(conn, ["public"])),
                digest_ms=_best(lambda: catalog_digest(conn)),
                decide_ms=_best(lambda: decide(locked, live, Marks())),
                decide_narrow_ms=_decide_narrow(),
                replays=[replayed],
            )
        for chain in options.chains:
            try:
                costs.replays.append(_replayed(server, chain, chain.name, options.rounds)[0])
            except Exception as error:  # noqa: BLE001 - told, and the others are measured
                print(f"{chain}: {error}", file=sys.stderr)
    text = markdown(costs)
    print(text)
    options.output.with_suffix(".md").write_text(text)
    options.output.with_suffix(".json").write_text(json.dumps(asdict(costs), indent=1) + "\n")


def _replayed(server: Server, folder: Path, name: str, rounds: int) -> tuple[Replayed, LockedChain]:
    """The chain learnt from nothing, and fed to psql into the database `costs`, in turns."""
    with tempfile.TemporaryDirectory() as work:
        copy = Path(shutil.copytree(folder, Path(work) / "chain", ignore=shutil.ignore_patterns("trueup.lock")))
        chain = read_chain(copy)
        script = Path(work) / "all.sql"
        script.write_text(_script(chain))
        quiet = {**os.environ, "PGOPTIONS": "-c client_min_messages=error"}
        psql, replay = [], []
        for _ in range(rounds):
            _recreate(server)
            command = [shutil.which("psql") or "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(script)]
            psql.append(_once(lambda: subprocess.run([*command, server.url("costs")], check=True, env=quiet)))  # noqa: B023 - called at once
            began = time.perf_counter()
            locked = learn(chain, scratch_url=server.url())
            replay.append((time.perf_counter() - began) * 1000)
    ratio = statistics.median(ours / theirs for ours, theirs in zip(replay, psql, strict=True))
    return Replayed(name, len(chain.steps), statistics.median(psql), statistics.median(replay), ratio), locked


def _decide_narrow() -> float:
    """Deciding about 3,000 steps with little more than a fact each, all of it there."""
    with tempfile.TemporaryDirectory() as work:
        (Path(work) / "1_all.sql").write_text(
            "\n".join(
                f"CREATE TABLE t{n} (c0 int);" if c == 0 else f"ALTER TABLE t{n} ADD COLUMN c{c} int;"
                for n in range(300)
                for c in range(10)
            )
        )
        chain = read_chain(work)
    effects = []
    for n in range(300):
        for c in range(10):
            made = {f"table public.t{n}": ""} if c == 0 else {}
            effects.append(Effect(set={**made, f"column public.t{n}.c{c}": "integer"}))
    locked = LockedChain(chain=chain, effects=tuple(effects), base={}, scratch_major=18)
    live = {key: value for effect in effects for key, value in effect.set.items()}
    return _best(lambda: decide(locked, live, Marks()))


def _script(chain: Chain) -> str:
    """The same statements with the same transactions, as psql takes them."""
    lines: list[str] = []
    for step in chain.steps:
        together = len(step.statements) > 1
        lines += [*step.context, *(["BEGIN"] if together else []), *step.statements, *(["COMMIT"] if together else [])]
    return "".join(f"{line}\n;\n" for line in lines)


def _recreate(server: Server) -> None:
    with psycopg.connect(server.url(), autocommit=True) as admin:
        name = sql.Identifier("costs")
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))


def _once(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _best(work: Callable[[], Any]) -> float:
    return min(_once(work) for _ in range(_TRIES))


if __name__ == "__main__":
    main()
