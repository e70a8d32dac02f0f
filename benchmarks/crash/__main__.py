"""`python -m benchmarks.crash`: the table of points tried and survived."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.crash.bench import SEED, Line, Trial
from benchmarks.crash.chains import CHAINS, subject
from benchmarks.crash.stage import staged

RESULTS = Path(__file__).parents[1] / "results" / "crash"
TOPOLOGIES = ("direct", "session", "transaction")
KILLED = ("life", "run", "server", "pooler")
_FULL = {"run": 30, "server": 20, "pooler": 20}
_QUICK = {"server": 1, "pooler": 1}
_SPLIT_QUICK = 6
_QUICK_CHAINS = {"direct": ("small", "builds", "split"), "session": ("small",), "transaction": ("small", "backfill")}
_ALONE = ("builds", "split")  # refused behind a pool of transactions, before anything is run


def main(arguments: list[str] | None = None) -> int:
    """Try all points, or a sample; exit code 1 where one was not survived."""
    options = _parser().parse_args(arguments)
    started = time.monotonic()
    tasks = [(topology, chain, options) for chain in CHAINS[::-1] for topology in options.topology or TOPOLOGIES]
    with multiprocessing.get_context("fork").Pool(options.jobs, maxtasksperchild=1) as pool:
        found = pool.map(_on, [task for task in tasks if _is_wanted(*task)], chunksize=1)
    lines = sorted((line for some in found for line in some), key=lambda line: TOPOLOGIES.index(line.topology))
    print(json.dumps([line.to_json() for line in lines]) if options.json else _table(lines))
    if not (options.quick or options.topology or options.chain or options.kill or options.points):
        _write(lines, time.monotonic() - started)
    return 1 if any(line.failures for line in lines) else 0


def _is_wanted(topology: str, chain: str, options: argparse.Namespace) -> bool:
    if chain in _ALONE and topology == "transaction":
        return False
    return chain in (options.chain or (_QUICK_CHAINS[topology] if options.quick else CHAINS))


def _on(task: tuple[str, str, argparse.Namespace]) -> list[Line]:
    topology, chain, options = task
    lines = []
    with tempfile.TemporaryDirectory(prefix="trueup-crash-work-") as work, staged(topology) as stage:
        trial = Trial(stage, subject(chain, stage, Path(work)), schema=not options.quick)
        for killed in options.kill or KILLED:
            if line := _line(trial, killed, options):
                lines.append(line)
                print(json.dumps(line.to_json()), file=sys.stderr)
    return lines


def _line(trial: Trial, killed: str, options: argparse.Namespace) -> Line | None:
    chain, stage = trial.subject.name, trial.stage

    def say(trouble: str) -> None:
        if trouble:
            print(f"  {stage.topology} {chain}, {killed} killed: {trouble}", file=sys.stderr)

    if options.quick and chain == "split":
        return trial.sample(killed, _SPLIT_QUICK, say) if killed == "run" else None
    if killed == "life":
        return trial.life(say)
    count = options.points if options.points is not None else (_QUICK if options.quick else _FULL).get(killed, 0)
    if not count or (killed == "pooler" and stage.pooler is None):
        return None
    if options.quick and chain != "small":
        return None
    return trial.sample(killed, count, say)


def _table(lines: list[Line]) -> str:
    rows = [
        "| way | chain | killed | points | tried | survived | slowest |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: |",
    ]
    rows += [
        f"| {line.topology} | {line.chain} | {line.killed} | {line.possible} | {line.tried} | {line.survived} "
        f"| {line.slowest_s:.1f} s |"
        for line in lines
    ]
    return "\n".join(rows)


def _write(lines: list[Line], seconds: float) -> None:
    about: dict[str, Any] = {
        "command": "python -m benchmarks.crash",
        "seed": SEED,
        "minutes": round(seconds / 60, 1),
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "tried": sum(line.tried for line in lines),
        "survived": sum(line.survived for line in lines),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    document = {**about, "lines": [line.to_json() for line in lines]}
    RESULTS.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n")
    told = ", ".join(f"{name} {value}" for name, value in about.items())
    failed = [f"- {line.topology}, {line.chain}, {line.killed}: {text}" for line in lines for text in line.failures]
    text = f"# Crashes: points tried and survived\n\n{told}.\n\n{_table(lines)}\n"
    RESULTS.with_suffix(".md").write_text(text + ("\nNot survived:\n\n" + "\n".join(failed) + "\n" if failed else ""))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crash", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a sample of the points, the same every time")
    parser.add_argument("--points", type=int, metavar="N", help="so many points of each sample")
    parser.add_argument("--topology", nargs="+", choices=TOPOLOGIES)
    parser.add_argument("--chain", nargs="+", choices=CHAINS)
    parser.add_argument("--kill", nargs="+", choices=KILLED)
    parser.add_argument("--jobs", type=int, metavar="N", default=2, help="so many ways at once (2)")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    return parser


if __name__ == "__main__":
    sys.exit(main())
