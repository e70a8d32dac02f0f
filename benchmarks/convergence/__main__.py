"""`python -m benchmarks.convergence CHAIN_DIR...`: from any state to the chain's schema, judged by pg_dump."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.convergence.bench import Asked, Bench
from benchmarks.convergence.chains import Chain, read_chain
from benchmarks.convergence.engines import Engine, PsqlRest, Trueup
from benchmarks.convergence.per_step import PerStep
from benchmarks.convergence.report import Result, passed, save, table, told
from benchmarks.convergence.servers import start_for
from benchmarks.convergence.states import KINDS, LEDGERS

_QUICK, _FULL = 3, 50


def main() -> int:
    """Run the benchmark; 0 if every bar is met."""
    options = _options()
    asked = Asked(
        kinds=tuple(options.kind or KINDS),
        seeds=tuple(options.seed or range(options.states or (_QUICK if options.quick else _FULL))),
        ledger=options.ledger,
        keep=options.keep,
        jobs=1 if options.keep else options.jobs,
    )
    results: list[Result] = []
    skipped: list[str] = []
    for folder in [*options.chains, *options.chain]:
        try:
            chain = read_chain(folder)
        except ValueError as error:
            skipped.append(f"{folder.name}: not readable: {error}")
            continue
        results += _run_chain(chain, asked, options, skipped)
        if options.results:
            save(results, options.results)
    print("\n" + "\n".join(table(results)))
    for line in skipped:
        print(f"skipped {line}")
    return 0 if results and passed(results) else 1


def _run_chain(chain: Chain, asked: Asked, options: argparse.Namespace, skipped: list[str]) -> list[Result]:
    started = time.monotonic()
    databases, failures = start_for(chain, options.major)
    if databases is None:
        skipped.append(f"{chain.name}: psql cannot replay it: {len(failures)} errors, the first: {failures[0]}")
        return []
    try:
        version = databases.server.installation.version
        _say(f"{chain.name}: {len(chain.files)} files, {chain.statement_count} statements, PostgreSQL {version}")
        engine = _engine(options, databases.server.installation.bin_dir)
        with tempfile.TemporaryDirectory(prefix="convergence-") as folder:
            ready = engine.prepare(chain, Path(folder))
            if ready.code:
                _say(f"{chain.name}: {engine.name} cannot prepare it: exit {ready.code}: {ready.said}")
                skipped.append(f"{chain.name}: {engine.name} cannot prepare it: exit {ready.code}: {ready.said}")
                return []
            _say(f"{chain.name}: prepared in {ready.seconds:.1f} s, psql replays it in {databases.replayed_in:.1f} s")
            peers = [peer for peer in (PsqlRest(), PerStep()) if options.peers or peer.name in options.peer]
            for peer in peers:
                peer.prepare(chain, Path(folder))
            results = Bench(databases, chain, engine, asked, tuple(peers)).run(_show)
            if asked.keep:
                input("Press Enter to stop the server and drop everything. ")
    finally:
        databases.server.stop("immediate")
    print("\n".join(table(results)[1:]), f"\n  ({chain.name}: {time.monotonic() - started:.0f} s)", flush=True)
    return results


def _engine(options: argparse.Namespace, bin_dir: Path) -> Engine:
    if options.engine == "psql-rest":
        return PsqlRest()
    return Trueup(limit=options.limit, lock_bin=bin_dir if options.scratch == "same" else None)


def _show(result: Result) -> None:
    if result.outcome.verdict != "converged":
        print(told(result), flush=True)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.convergence", description=__doc__)
    parser.add_argument("chains", nargs="*", type=Path, metavar="CHAIN_DIR", help="folders of migrations")
    parser.add_argument("--chain", action="append", default=[], type=Path, metavar="DIR", help="the same, as an option")
    parser.add_argument("--states", type=int, default=0, help=f"states per kind and chain (default {_FULL})")
    parser.add_argument("--quick", action="store_true", help=f"{_QUICK} states per kind and chain")
    parser.add_argument("--kind", action="append", choices=KINDS, help="only this kind; may be repeated")
    parser.add_argument("--ledger", choices=LEDGERS, default="", help="only this; default: in turn")
    parser.add_argument("--seed", type=int, action="append", help="only this seed; may be repeated")
    parser.add_argument("--keep", action="store_true", help="leave the databases until Enter is pressed")
    parser.add_argument("--engine", choices=("trueup", "psql-rest"), default="trueup", help="what is judged")
    parser.add_argument("--peers", action="store_true", help="let the two baselines run on the same states")
    parser.add_argument("--peer", action="append", default=[], choices=("psql-rest", "per-step"), help="one of them")
    parser.add_argument("--major", type=int, default=0, help="only this major version of PostgreSQL")
    parser.add_argument("--scratch", choices=("auto", "same"), default="auto", help="the scratch server's binaries")
    parser.add_argument("--limit", type=float, default=300, help="seconds that a run may take")
    parser.add_argument("--jobs", type=int, default=2, help="states at a time")
    parser.add_argument("--results", type=Path, help="write every outcome as JSON lines")
    options = parser.parse_args()
    if not options.chains and not options.chain:
        parser.error("name a folder of migrations")
    return options


if __name__ == "__main__":
    sys.exit(main())
