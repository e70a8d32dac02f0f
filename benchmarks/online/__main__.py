"""`python -m benchmarks.online`: what users feel while a busy table is changed."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

from benchmarks.online.measure import Bench, Effort
from benchmarks.online.report import FULL_ROWS, markdown
from benchmarks.online.results import Results, bars, read
from benchmarks.online.scene import build
from benchmarks.online.tools import TOOLS, Trueup
from benchmarks.speed.errors import BenchmarkError
from benchmarks.speed.peers import CACHE, Peers
from benchmarks.speed.server import Databases, benchmark_server

RESULTS = Path(__file__).parents[1] / "results"
_SERVER = {
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "maintenance_work_mem": "256MB",
}
_FULL = Effort(rows=FULL_ROWS, reader_rows=FULL_ROWS // 10)
_QUICK = Effort(rows=50_000, reader_rows=20_000, quiet=2.0, warm=0.5, reader=4.0, limit=300.0)


def main(arguments: list[str] | None = None) -> int:
    """Measure and report; 1 where a bar of trueup's does not hold, 2 where it cannot be measured."""
    options = _parser().parse_args(arguments)
    try:
        results = _measure(options)
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    output = options.output or RESULTS / ("online-quick" if options.quick else "online")
    if options.add:
        results = read(output.with_suffix(".json")).with_more(results)
    report = markdown(results)
    if options.json:
        print(json.dumps(results.to_json()))
    else:
        print(report)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.with_suffix(".md").write_text(report)
    output.with_suffix(".json").write_text(json.dumps(results.to_json(), indent=1) + "\n")
    return 0 if all(held for held, _ in bars(results)) else 1


def _measure(options: argparse.Namespace) -> Results:
    effort = _effort(options)
    wanted = [tool for tool in TOOLS if not options.only or tool.name in options.only]
    peers = Peers.install() if wanted != [Trueup] else Peers(CACHE)
    scenes = [reader for reader in (False, True) if options.scene in ("both", "reader" if reader else "change")]
    results = Results(
        versions={tool.name: tool(peers).version() for tool in wanted},
        machine={
            "cores": str(os.cpu_count()),
            "load average at the start": f"{os.getloadavg()[0]:.1f}",
            "system": f"{platform.system()} {platform.machine()}",
        },
        load=f"{effort.clients} clients, {effort.rate:.0f} statements per second together, at fixed times",
    )
    # a big copy belongs on a disk, and a server's folder is made where temporary files are
    tempfile.tempdir = options.folder
    with benchmark_server(durable=not options.quick, more=_SERVER) as server:
        databases = Databases(server, prefix=f"online_{os.getpid()}")
        try:
            shops = {}
            for rows in {effort.reader_rows if reader else effort.rows for reader in scenes}:
                print(f"making {rows:,} rows ...", file=sys.stderr, flush=True)
                shops[rows] = databases.fresh(f"shop_{rows}")
                build(shops[rows], rows)
            bench = Bench(databases=databases, shops=shops, effort=effort)
            if False in scenes:
                results.update_seconds[effort.rows] = bench.plain_update(effort.rows)
            for reader in scenes:
                for tool in wanted:
                    beside = " beside a reader" if reader else ""
                    print(f"{tool.name}{beside} ...", file=sys.stderr, flush=True)
                    results.trials.append(bench.trial(tool(peers), reader=reader))
            results.server = databases.settings()
        finally:
            databases.drop_all()
    return results


def _effort(options: argparse.Namespace) -> Effort:
    usual = _QUICK if options.quick else _FULL
    if not options.rows:
        return usual
    return Effort(
        rows=options.rows,
        reader_rows=max(options.rows // 10, 1),
        quiet=usual.quiet,
        warm=usual.warm,
        reader=usual.reader,
        limit=usual.limit,
    )


def _parser() -> argparse.ArgumentParser:
    names = [tool.name for tool in TOOLS]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.online",
        description="Change a big table under load, with trueup and with other tools, and say what users feel.",
    )
    parser.add_argument("--quick", action="store_true", help="few rows, a server that forgets: does it work")
    parser.add_argument("--rows", type=int, metavar="N", help="rows of the big table (5,000,000)")
    parser.add_argument("--only", nargs="+", choices=names, metavar="TOOL", help=f"of {', '.join(names)}")
    parser.add_argument("--scene", choices=["both", "change", "reader"], default="both", help="beside a reader, or not")
    parser.add_argument("--folder", metavar="DIR", help="where the server's data goes, for as long as it runs")
    parser.add_argument(
        "--add", action="store_true", help="put the trials in place of those tools' in the last results"
    )
    parser.add_argument("--json", action="store_true", help="one document on standard output")
    parser.add_argument("--output", type=Path, metavar="PATH", help="write PATH.md and PATH.json")
    return parser


if __name__ == "__main__":
    sys.exit(main())
