"""The tables that the benchmark prints."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.convergence.judge import Outcome

BARS = {"empty": 100.0, "prefix": 100.0, "half": 100.0, "dropped": 97.0, "early": 95.0, "orm": 90.0}


@dataclass(frozen=True)
class Result:
    """The outcome of one state, and how to make it again."""

    chain: str
    kind: str
    ledger: str
    seed: int
    acts: list[str]
    outcome: Outcome
    peers: dict[str, str] = field(default_factory=dict)  # name -> verdict on the same state

    @property
    def again(self) -> str:
        """The options that make this state again."""
        return f"--kind {self.kind} --ledger {self.ledger} --seed {self.seed}"


HEADER = (
    f"{'chain':<18}{'kind':<9}{'states':>7}{'converged':>11}{'conflict':>10}{'wrong':>7}{'lost':>6}{'extra':>7}"
    f"{'median s':>10}  bar"
)


def table(results: Iterable[Result]) -> list[str]:
    """One line per chain and kind, with its bar; then one per kind over all the chains."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.chain, result.kind), []).append(result)
    kinds = sorted({kind for _, kind in groups}, key=list(BARS).index)
    chains = list(dict.fromkeys(chain for chain, _ in groups))
    lines = [HEADER]
    lines += [_line(chain, kind, groups[chain, kind]) for chain in chains for kind in kinds if (chain, kind) in groups]
    if len(chains) > 1:
        lines.append("")
        lines += [
            _line("all", kind, [one for (_, k), some in groups.items() if k == kind for one in some]) for kind in kinds
        ]
    return lines


def passed(results: list[Result]) -> bool:
    """Whether every chain and kind meets its bar."""
    return all("FAIL" not in line for line in table(results))


def _line(chain: str, kind: str, results: list[Result]) -> str:
    outcomes = [result.outcome for result in results]
    converged = sum(one.verdict == "converged" for one in outcomes)
    conflicts = [one for one in outcomes if one.verdict == "conflict"]
    wrong = sum(one.verdict == "wrong" for one in outcomes)
    lost, extra = sum(one.lost for one in outcomes), sum(one.extra for one in outcomes)
    hopeless = sum(one.beyond_repair for one in conflicts)
    possible = len(outcomes) - hopeless
    share = 100 * converged / possible if possible else 100.0
    good = share >= BARS[kind] and not wrong and not lost
    note = f" ({hopeless} rightly)" if hopeless else ""
    note += "".join(f"  {peer}: {_share(results, peer):.1f}%" for peer in max((r.peers for r in results), key=len))
    bar = f"{'pass' if good else 'FAIL'} {BARS[kind]:.0f}%: {share:.1f}%{note}"
    return (
        f"{chain:<18}{kind:<9}{len(outcomes):>7}{100 * converged / len(outcomes):>10.1f}%"
        f"{100 * len(conflicts) / len(outcomes):>9.1f}%{wrong:>7}{lost:>6}{extra:>7}"
        f"{median(one.seconds for one in outcomes):>10.2f}  {bar}"
    )


def _share(results: list[Result], peer: str) -> float:
    """How often a peer converged on the same states, in percent."""
    judged = [result.peers[peer] for result in results if peer in result.peers]
    return 100 * judged.count("converged") / len(judged) if judged else 0.0


def told(result: Result, *, most: int = 4) -> str:
    """A state that did not converge, for people."""
    outcome = result.outcome
    mark = " (its damage is beyond repair)" if outcome.beyond_repair else ""
    lines = [f"{outcome.verdict}: {result.chain} {result.again}{mark}"]
    lines += [f"    did: {act}" for act in result.acts[:most]]
    lines += [f"    {line}"[:400] for line in outcome.why[:most]]
    if len(outcome.why) > most:
        lines.append(f"    … and {len(outcome.why) - most} more")
    return "\n".join(lines)


def save(results: Iterable[Result], path: Path) -> None:
    """Write all results as JSON lines."""
    path.write_text("".join(json.dumps(asdict(result)) + "\n" for result in results))
