"""The command line of the benchmark."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

from benchmarks.speed.errors import BenchmarkError
from benchmarks.speed.peers import Peers
from benchmarks.speed.report import markdown
from benchmarks.speed.results import Results
from benchmarks.speed.rounds import Effort, Measurement
from benchmarks.speed.server import Databases, benchmark_server
from benchmarks.speed.tools.alembic import Alembic
from benchmarks.speed.tools.bare import Bare
from benchmarks.speed.tools.base import Tool
from benchmarks.speed.tools.dbmate import Dbmate
from benchmarks.speed.tools.django import Django
from benchmarks.speed.tools.psql import Psql
from benchmarks.speed.tools.trueup import Trueup
from benchmarks.speed.tools.yoyo import Yoyo

TOOLS = ("trueup", "psql", "alembic", "django", "yoyo", "dbmate")
RESULTS = Path(__file__).parents[1] / "results"

_FULL = Effort(sizes=(100, 1_000, 5_000), first_rounds=5, noop_rounds=15, limit=300, budget=60)
_QUICK = Effort(sizes=(100,), first_rounds=2, noop_rounds=5, limit=60, budget=20)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the report, write it. Exit code 1 if something could not be measured; bars do not count."""
    options = _parser().parse_args(arguments)
    names = [name for name in (options.only or TOOLS) if name not in options.without]
    try:
        results = _measure(names, _effort(options), durable=options.durable)
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; nothing is written", file=sys.stderr)
        return 130
    text = markdown(results)
    print(text)
    path: Path = options.output or RESULTS / ("speed-quick" if options.quick else "speed")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".md").write_text(text)
    path.with_suffix(".json").write_text(json.dumps(results.to_json(), indent=1, sort_keys=True) + "\n")
    print(f"written: {path}.md, {path}.json", file=sys.stderr)
    for trouble in results.troubles():
        print(f"not measured in full: {trouble}", file=sys.stderr)
    return 1 if any("failed" in trouble for trouble in results.troubles()) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed",
        description="Measure trueup beside other migration tools on one server and one chain.",
        epilog="TRUEUP_BENCH_DSN names the server to measure on (over TCP, as a role that may create databases); "
        "without it a throw-away one is started. TRUEUP_BENCH_COMMAND is the trueup to measure.",
    )
    parser.add_argument("--quick", action="store_true", help="100 migrations, few rounds; indicative only")
    parser.add_argument("--only", nargs="+", choices=TOOLS, metavar="TOOL", help=f"measure these of {', '.join(TOOLS)}")
    parser.add_argument("--without", nargs="+", choices=TOOLS, default=[], metavar="TOOL", help="leave these out")
    parser.add_argument("--sizes", nargs="+", type=int, metavar="N", help="lengths of the chain (100 1000 5000)")
    parser.add_argument("--first-rounds", type=int, metavar="N", help="repetitions of first runs and adoptions")
    parser.add_argument("--noop-rounds", type=int, metavar="N", help="repetitions of runs with nothing to do")
    parser.add_argument("--limit", type=float, metavar="SECONDS", help="end a run that takes longer, and report that")
    parser.add_argument("--budget", type=float, metavar="SECONDS", help="stop repeating a tool's first run after this")
    parser.add_argument("--durable", action="store_true", help="start the server with fsync on, as in production")
    parser.add_argument("--output", type=Path, metavar="PATH", help="write PATH.md and PATH.json")
    return parser


def _effort(options: argparse.Namespace) -> Effort:
    usual = _QUICK if options.quick else _FULL
    return Effort(
        sizes=sorted(set(options.sizes or usual.sizes)),
        first_rounds=options.first_rounds or usual.first_rounds,
        noop_rounds=options.noop_rounds or usual.noop_rounds,
        limit=options.limit or usual.limit,
        budget=options.budget or usual.budget,
    )


def _measure(names: list[str], effort: Effort, *, durable: bool) -> Results:
    trueup = Trueup(limit=effort.limit) if "trueup" in names else None
    peers = Peers.install()
    psql = Psql(peers)
    known: dict[str, Tool] = {
        "psql": psql,
        "alembic": Alembic(peers),
        "django": Django(peers),
        "yoyo": Yoyo(peers),
        "dbmate": Dbmate(peers),
    }
    if trueup:
        known["trueup"] = trueup
    bare = Bare(trueup.python if trueup else peers.python)
    with (
        tempfile.TemporaryDirectory(prefix="trueup-bench-") as workspace,
        benchmark_server(durable=durable) as server,
    ):
        databases = Databases(server, prefix=f"bench_{os.getpid()}")
        measurement = Measurement(
            tools=[known[name] for name in names],
            bare=bare,
            psql=psql,
            databases=databases,
            workspace=Path(workspace),
        )
        try:
            results = measurement.measure(effort)
            results.server = databases.settings()
        finally:
            databases.drop_all()
    results.machine = {
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
    }
    return results
