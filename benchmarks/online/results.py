"""What was measured, as values, and what follows from them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.online.load import Seen
from benchmarks.online.watch import Queue

QUEUE = 0.2  # seconds; trueup's lock_timeout is 0.15, and on a busy machine a wait ends later than its timer
NOT_FELT = 0.25  # seconds, below which a stall is not counted against anybody
TIMES_QUIET = 2.0  # a stall may be so many times as long as without any change
BACKFILL_SHARE = 0.6  # of one plain UPDATE's rows per second


@dataclass(frozen=True, kw_only=True)
class Felt:
    """What the clients felt in a stretch of time. Seconds."""

    statements: int
    p50: float
    p99: float
    stall: float  # the longest that one statement took
    failed: int
    errors: list[str]

    @classmethod
    def between(cls, seen: Sequence[Seen], begin: float, end: float) -> Felt:
        """Of the statements that were due then."""
        some = [one for one in seen if begin <= one.due < end]
        waits = sorted(one.wait for one in some)
        errors = [one.error for one in some if one.error]
        return cls(
            statements=len(some),
            p50=_percentile(waits, 0.50),
            p99=_percentile(waits, 0.99),
            stall=max((one.took for one in some), default=0.0),
            failed=len(errors),
            errors=sorted(set(errors))[:5],
        )


def _percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else 0.0


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One tool, once. Seconds."""

    tool: str
    reader: bool  # somebody read the table for thirty seconds meanwhile
    rows: int
    quiet: Felt
    change: Felt
    seconds: float
    waiting: int  # at most so many sessions waited for a table at once
    queue: float  # and so long the first of them
    backfill_seconds: float | None
    trouble: str = ""

    @property
    def allowed(self) -> float:
        """The longest stall that would be no worse than the load alone."""
        return max(TIMES_QUIET * self.quiet.stall, NOT_FELT)

    @property
    def allowed_p99(self) -> float:
        """The same of the 99th percentile."""
        return max(TIMES_QUIET * self.quiet.p99, NOT_FELT)


def queue_between(samples: Sequence[Queue], begin: float, end: float) -> tuple[int, float]:
    """(most waiting, longest wait) of the samples of that time."""
    some = [one for one in samples if begin <= one.at < end]
    return max((one.waiting for one in some), default=0), max((one.longest for one in some), default=0.0)


@dataclass(kw_only=True)
class Results:
    """One run of the benchmark."""

    versions: dict[str, str] = field(default_factory=dict)
    server: dict[str, str] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=dict)
    load: str = ""
    update_seconds: dict[int, float] = field(default_factory=dict)  # one plain UPDATE of the table, by its rows
    trials: list[Trial] = field(default_factory=list)
    added: list[str] = field(default_factory=list)  # tools that were measured later than the others
    skipped: list[str] = field(default_factory=list)  # trials that there was no time for, or that could not be made

    def to_json(self) -> dict[str, Any]:
        """Everything."""
        return asdict(self)

    def with_more(self, other: Results) -> Results:
        """These, with the trials of the other in place of those of the same tool, rows and scene."""
        again = {(one.tool, one.reader, one.rows) for one in other.trials}
        kept = [one for one in self.trials if (one.tool, one.reader, one.rows) not in again]
        return replace(
            other,
            versions={**self.versions, **other.versions},
            update_seconds={**self.update_seconds, **other.update_seconds},
            trials=[*other.trials, *kept],
            added=sorted({*self.added, *(one.tool for one in other.trials)}) if kept else [],
        )


def read(path: Path) -> Results:
    """The results of an earlier run, from their JSON."""
    document = json.loads(path.read_text())
    trials = [
        Trial(**{**one, "quiet": Felt(**one["quiet"]), "change": Felt(**one["change"])}) for one in document["trials"]
    ]
    seconds = {int(rows): taken for rows, taken in document["update_seconds"].items()}
    return Results(**{**document, "trials": trials, "update_seconds": seconds})


def bars(results: Results) -> list[tuple[bool, str]]:
    """(held, in words) of what trueup asks of itself."""
    found = []
    for trial in results.trials:
        if trial.tool != "trueup":
            continue
        where = "beside a reader" if trial.reader else "in the change"
        change, queue = trial.change, f"{_ms(trial.queue)} of {_ms(QUEUE)}"
        found += [
            (not trial.trouble, f"{where}: comes to its end{f': {trial.trouble}' if trial.trouble else ''}"),
            (change.stall <= trial.allowed, f"{where}: longest stall {_ms(change.stall)} of {_ms(trial.allowed)}"),
            (change.p99 <= trial.allowed_p99, f"{where}: p99 {_ms(change.p99)} of {_ms(trial.allowed_p99)}"),
            (change.failed == 0, f"{where}: {change.failed} statements of clients failed"),
            (
                trial.queue <= QUEUE,
                f"{where}: longest wait for a table {queue}",
            ),
        ]
        plain = results.update_seconds.get(trial.rows)
        if trial.backfill_seconds and plain and not trial.reader:
            share = plain / trial.backfill_seconds
            found.append((share >= BACKFILL_SHARE, f"backfill at {share:.0%} of a plain UPDATE's speed, of 60%"))
    return found


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"
