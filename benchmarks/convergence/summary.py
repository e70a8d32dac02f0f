"""Every outcome of one or more runs as a table and as numbers.

`python -m benchmarks.convergence.summary OUTCOMES.jsonl... --to benchmarks/results/convergence` writes NAME.md and
NAME.json.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.convergence.report import BARS

_PEER = "per-step"
_STEP = re.compile(r"^[^:]+: ")
_MOST_REASONS = 12
_MADE_BY = (
    "Made by `benchmarks/convergence`, which says what the columns mean. The column *states* says how large the sample "
    "was; every outcome with its seed is in the JSON file beside. The bars are meant for 50 states per kind and chain."
)


@dataclass
class Row:
    """One kind of state of one chain, or of all chains together."""

    chain: str
    kind: str
    states: int = 0
    converged: int = 0
    rightly: int = 0  # conflicts about what no DDL can bring back
    conflicts: int = 0
    wrong: int = 0
    rows_lost: int = 0
    peer_states: int = 0
    peer_converged: int = 0
    seeds: list[int] = field(default_factory=list)

    def add(self, result: dict[str, Any]) -> None:
        """Count one outcome."""
        outcome = result["outcome"]
        conflict = outcome["verdict"] == "conflict"
        self.states += 1
        self.converged += outcome["verdict"] == "converged"
        self.rightly += conflict and outcome["beyond_repair"]
        self.conflicts += conflict and not outcome["beyond_repair"]
        self.wrong += outcome["verdict"] == "wrong"
        self.rows_lost += outcome["lost"]
        self.peer_states += _PEER in result["peers"]
        self.peer_converged += result["peers"].get(_PEER) == "converged"
        self.seeds.append(result["seed"])

    @property
    def share(self) -> float:
        """Percent that converged of those that can."""
        possible = self.states - self.rightly
        return 100 * self.converged / possible if possible else 100.0

    @property
    def passed(self) -> bool:
        """Whether it meets its bar."""
        return self.share >= BARS[self.kind] and not self.wrong and not self.rows_lost

    def cells(self) -> list[str]:
        """The row of the table."""
        peer = f"{100 * self.peer_converged / self.peer_states:.0f} %" if self.peer_states else ""
        wrong = f"{100 - 100 * self.peer_converged / self.peer_states:.0f} %" if self.peer_states else ""
        bar = f"{'pass' if self.passed else 'FAIL'}, {BARS[self.kind]:.0f} %"
        numbers = (self.states, self.converged, self.rightly, self.conflicts, self.wrong, self.rows_lost)
        return [self.chain, self.kind, *map(str, numbers), f"{self.share:.1f} %", bar, peer, wrong]


_HEAD = (
    *("chain", "state", "states", "converged", "rightly refused", "other conflicts", "wrong", "rows lost"),
    *("converged of possible", "bar", f"{_PEER} converged", f"{_PEER} wrong"),
)


def main() -> None:
    """Read outcomes, write the summary."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.convergence.summary", description=__doc__)
    parser.add_argument("outcomes", nargs="+", type=Path)
    parser.add_argument("--to", type=Path, required=True, metavar="NAME", help="writes NAME.md and NAME.json")
    options = parser.parse_args()
    results = [json.loads(line) for path in options.outcomes for line in path.read_text().splitlines()]
    rows = table(results)
    options.to.parent.mkdir(parents=True, exist_ok=True)
    options.to.with_suffix(".md").write_text(_markdown(rows, reasons(results)))
    document = [{**asdict(row), "share": row.share, "passed": row.passed} for row in rows]
    options.to.with_suffix(".json").write_text(json.dumps({"rows": document, "outcomes": results}, indent=1) + "\n")


def table(results: Iterable[dict[str, Any]]) -> list[Row]:
    """All chains together first, then one row per chain and kind."""
    rows: dict[tuple[str, str], Row] = {}
    for result in results:
        for chain in ("all", result["chain"]):
            key = (chain, result["kind"])
            rows.setdefault(key, Row(*key)).add(result)
    order = list(BARS)
    return sorted(rows.values(), key=lambda row: (row.chain != "all", row.chain, order.index(row.kind)))


def reasons(results: Iterable[dict[str, Any]]) -> list[tuple[str, int]]:
    """Why it stopped, where something could have been done; the most frequent first."""
    counted = Counter(
        _STEP.sub("", why)
        for result in results
        if result["outcome"]["verdict"] == "conflict" and not result["outcome"]["beyond_repair"]
        for why in result["outcome"]["why"]
    )
    return counted.most_common(_MOST_REASONS)


def _markdown(rows: list[Row], why: list[tuple[str, int]]) -> str:
    lines = ["# From any state", "", _MADE_BY, "", *_as_table(_HEAD, [row.cells() for row in rows])]
    if why:
        lines += [
            "",
            "Reasons of the other conflicts:",
            "",
            *_as_table(("times", "reason"), [[str(n), t] for t, n in why]),
        ]
    return "\n".join([*lines, ""])


def _as_table(head: Iterable[str], body: list[list[str]]) -> list[str]:
    head = list(head)
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *body)]


if __name__ == "__main__":
    main()
