"""What was measured, held against what it may cost, as a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.speed.bars import Bar

REPLAY_RATIO = 3.0  # of psql
SNAPSHOT_MS, DIGEST_MS, DECIDE_MS = 150.0, 50.0, 300.0
_USUAL = 1000  # tables, for which the bars are meant


@dataclass(frozen=True)
class Replayed:
    """A chain fed to psql and learnt, in milliseconds; `ratio` is the median of the rounds'."""

    chain: str
    steps: int
    psql_ms: float
    replay_ms: float
    ratio: float


@dataclass
class Costs:
    """Everything measured; `decide_narrow_ms` is for 3,000 steps and 3,300 facts."""

    postgresql: str
    tables: int
    steps: int
    facts: int
    snapshot_ms: float
    digest_ms: float
    decide_ms: float
    decide_narrow_ms: float
    replays: list[Replayed] = field(default_factory=list)


def bars(costs: Costs) -> Iterator[Bar]:
    """Each bar, with what was found."""
    for asked, found, limit in (
        (f"snapshot of {_USUAL:,} tables", costs.snapshot_ms, SNAPSHOT_MS),
        (f"digest of {_USUAL:,} tables", costs.digest_ms, DIGEST_MS),
    ):
        at_size = found < limit if costs.tables == _USUAL else None
        yield Bar(f"{asked} under {limit:.0f} ms", f"{found:.0f} ms of {costs.tables:,} tables", at_size)
    asked = f"deciding about 3,000 steps and 3,300 facts under {DECIDE_MS:.0f} ms"
    yield Bar(asked, f"{costs.decide_narrow_ms:.0f} ms", costs.decide_narrow_ms < DECIDE_MS)
    for one in costs.replays:
        found_here = f"{one.ratio:.1f}x ({one.replay_ms / 1000:.1f} s against {one.psql_ms / 1000:.1f} s)"
        yield Bar(f"replay of {one.chain} at most {REPLAY_RATIO:.0f}x psql", found_here, one.ratio <= REPLAY_RATIO)


def markdown(costs: Costs) -> str:
    """The report."""
    replays = "\n".join(
        f"| {one.chain} | {one.steps:,} | {one.psql_ms:,.0f} ms | {one.replay_ms:,.0f} ms | {one.ratio:.1f} |"
        for one in costs.replays
    )
    return f"""# Costs

Measured on PostgreSQL {costs.postgresql}, with {costs.tables:,} tables: {costs.steps:,} steps, {costs.facts:,} facts.
Psql and replay in turns, the median of the rounds; snapshot, digest and decision warm, the best of several.

| chain | steps | psql | replay | x psql |
| ----- | ----: | ---: | -----: | -----: |
{replays}

| what | time |
| ---- | ---: |
| snapshot | {costs.snapshot_ms:.0f} ms |
| digest | {costs.digest_ms:.0f} ms |
| decision | {costs.decide_ms:.0f} ms |
| decision, 3,000 steps and 3,300 facts | {costs.decide_narrow_ms:.0f} ms |

## Bars

{chr(10).join(f"- {bar}" for bar in bars(costs))}
"""
