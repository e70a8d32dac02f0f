"""`python -m benchmarks.crash`: the table of points tried and survived."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.crash.bench import Line, Trial
from benchmarks.crash.chains import subjects
from benchmarks.crash.points import Point
from benchmarks.crash.stage import staged

RESULTS = Path(__file__).parents[1] / "results" / "crash"
TOPOLOGIES = ("direct", "session", "transaction")
_SEED = 20_26


def main(arguments: list[str] | None = None) -> int:
    """Try all points, or a sample; exit code 1 where one was not survived."""
    options = _parser().parse_args(arguments)
    lines: list[Line] = []
    with tempfile.TemporaryDirectory(prefix="trueup-crash-work-") as work:
        for topology in options.topology or TOPOLOGIES:
            lines += _on(topology, Path(work), options)
    if options.json:
        print(json.dumps([line.to_json() for line in lines]))
    else:
        print(_table(lines))
    if not options.quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.with_suffix(".json").write_text(json.dumps([line.to_json() for line in lines], indent=1) + "\n")
        RESULTS.with_suffix(".md").write_text(_table(lines) + "\n")
    return 1 if any(line.failures for line in lines) else 0


def _on(topology: str, work: Path, options: argparse.Namespace) -> list[Line]:
    lines = []
    with staged(topology) as stage:
        for name, subject in subjects(stage, work).items():
            if name == "builds" and topology == "transaction":
                continue  # refused there, before anything is run
            if options.chain and name not in options.chain:
                continue
            trial = Trial(stage, subject, schema=not options.quick)
            for killed in ("run", "server", *(["pooler"] if stage.pooler else [])):
                if options.kill and killed not in options.kill:
                    continue
                points = trial.points(_how_many(options, name, killed), _SEED)
                line = trial.run(Line(topology, name, killed), points, lambda p, trouble: _say(options, p, trouble))
                lines.append(line)
                print(f"{topology} {name}, {killed} killed: {line.tried} tried", file=sys.stderr)
    return lines


def _how_many(options: argparse.Namespace, chain: str, killed: str) -> int:
    if options.points is not None:
        return int(options.points)
    if not options.quick:
        return 0 if killed == "run" else 40
    return {"run": 20, "server": 2, "pooler": 3}[killed] if chain == "small" else {"run": 2}.get(killed, 1)


def _say(options: argparse.Namespace, point: Point, trouble: str) -> None:
    if trouble or options.verbose:
        print(f"  {trouble or point}", file=sys.stderr)


def _table(lines: list[Line]) -> str:
    rows = ["| way | chain | killed | points tried | survived | slowest |", "| --- | --- | --- | ---: | ---: | ---: |"]
    for line in lines:
        survived = line.tried - len(line.failures)
        rows.append(
            f"| {line.topology} | {line.chain} | {line.killed} | {line.tried} | {survived} | {line.slowest:.1f} s |"
        )
    return "\n".join(rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crash", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a sample of the points, the same every time")
    parser.add_argument("--points", type=int, metavar="N", help="so many points of each kind; 0: all")
    parser.add_argument("--topology", nargs="+", choices=TOPOLOGIES)
    parser.add_argument("--chain", nargs="+", choices=("small", "builds", "prosaas"))
    parser.add_argument("--kill", nargs="+", choices=("run", "server", "pooler"))
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--verbose", action="store_true", help="a line per point")
    return parser


if __name__ == "__main__":
    sys.exit(main())
