"""`python -m benchmarks.online`: what users feel while a busy table is changed."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import psycopg

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
_WORTH_IT = 60.0  # seconds; less is too short for any trial
_FULL = Effort(rows=FULL_ROWS, reader_rows=FULL_ROWS // 10)
_QUICK = Effort(rows=50_000, reader_rows=20_000, quiet=2.0, warm=0.5, reader=4.0, limit=300.0)


def main(arguments: list[str] | None = None) -> int:
    """Measure and report; 1 where a bar of trueup's does not hold, 2 where it cannot be measured."""
    options = _parser().parse_args(arguments)
    output = options.output or RESULTS / ("online-quick" if options.quick else "online")
    earlier = read(output.with_suffix(".json")) if options.add else None

    def kept(results: Results) -> Results:
        """What is known so far, in its files: a run that ends early has measured something."""
        results = earlier.with_more(results) if earlier else results
        output.parent.mkdir(parents=True, exist_ok=True)
        output.with_suffix(".md").write_text(markdown(results))
        output.with_suffix(".json").write_text(json.dumps(results.to_json(), indent=1) + "\n")
        return results

    try:
        results = kept(_measure(options, kept))
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(results.to_json()) if options.json else markdown(results))
    return 0 if all(held for held, _ in bars(results)) else 1


def _measure(options: argparse.Namespace, keep: Callable[[Results], object]) -> Results:
    started = time.monotonic()
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
                print("one plain UPDATE ...", file=sys.stderr, flush=True)
                results.update_seconds[effort.rows] = bench.plain_update(effort.rows)
            results.server = databases.settings()
            # trueup's own first: they are what the bars are about
            for tool, reader in sorted(product(wanted, scenes), key=lambda trial: trial[0] is not Trueup):
                what = f"{tool.name}{' beside a reader' if reader else ''}"
                left = options.minutes * 60 - (time.monotonic() - started)
                if left < _WORTH_IT and tool is not Trueup:
                    results.skipped.append(what)
                    continue
                print(f"{what} ...", file=sys.stderr, flush=True)
                limited = replace(bench, effort=replace(effort, limit=max(min(effort.limit, left), _WORTH_IT)))
                try:
                    results.trials.append((bench if tool is Trueup else limited).trial(tool(peers), reader=reader))
                except (BenchmarkError, OSError, psycopg.Error, subprocess.SubprocessError) as error:
                    print(f"{what}: {error}", file=sys.stderr, flush=True)
                    results.skipped.append(f"{what} ({str(error).splitlines()[0]})")
                keep(results)
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
    parser.add_argument(
        "--minutes", type=float, default=35.0, metavar="N", help="peers that are not done by then are left out (35)"
    )
    parser.add_argument("--folder", metavar="DIR", help="where the server's data goes, for as long as it runs")
    parser.add_argument(
        "--add", action="store_true", help="put the trials in place of those tools' in the last results"
    )
    parser.add_argument("--json", action="store_true", help="one document on standard output")
    parser.add_argument("--output", type=Path, metavar="PATH", help="write PATH.md and PATH.json")
    return parser


if __name__ == "__main__":
    sys.exit(main())
