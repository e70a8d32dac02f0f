"""What was measured, as values: filled by the rounds, read by the report and the bars."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum


class Case(StrEnum):
    """What a tool had to do."""

    FIRST = "first run"  # from an empty database
    ADOPT = "adoption"  # everything is there, nothing recorded
    NOOP = "no-op"  # everything is there and recorded


REFERENCE = {Case.NOOP: "bare script", Case.FIRST: "psql", Case.ADOPT: "bare script"}  # what a case is held against


@dataclass
class Series:
    """The repetitions of one tool, in one case, at one length of the chain.

    Attributes:
        seconds: Wall-clock time of each repetition, in the order in which they ran.
        cpu_seconds: Processor time of the tool's own process, likewise.
        trouble: Why there are no more: over the time limit, or failed. Empty when all is well.

    A repetition stands at the place of its round, for a series ends with the first one that fails.
    """

    tool: str
    case: Case
    size: int
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    trouble: str = ""

    @property
    def median(self) -> float | None:
        """Seconds; None if it never came to its end."""
        return statistics.median(self.seconds) if self.seconds else None

    @property
    def quartiles(self) -> tuple[float, float]:
        """Seconds: a quarter of the repetitions was faster than the first, a quarter slower than the second."""
        if len(self.seconds) < 2:
            return (self.seconds[0], self.seconds[0]) if self.seconds else (0.0, 0.0)
        low, _, high = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return low, high


@dataclass(frozen=True)
class Trips:
    """What one no-op run asked of the server."""

    tool: str
    size: int
    connections: int
    round_trips: int
    statements: list[str]


@dataclass
class Results:
    """One run of the benchmark.

    Attributes:
        versions: Of each tool, by its name.
        server: The server's settings.
        machine: What it ran on.
        lock_seconds: How long `trueup lock` took, by length of the chain. Not part of any run: a developer does it.
    """

    versions: dict[str, str] = field(default_factory=dict)
    server: dict[str, str] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=dict)
    lock_seconds: dict[int, float] = field(default_factory=dict)
    series: list[Series] = field(default_factory=list)
    trips: list[Trips] = field(default_factory=list)

    @property
    def sizes(self) -> list[int]:
        """The lengths of the chain that were measured, ascending."""
        return sorted({one.size for one in self.series})

    def get(self, tool: str, case: Case, size: int) -> Series:
        """The series of this tool; an empty one that is not kept if there is none."""
        wanted = (tool, case, size)
        found = (one for one in self.series if (one.tool, one.case, one.size) == wanted)
        return next(found, Series(*wanted))

    def begin(self, tool: str, case: Case, size: int) -> Series:
        """The series of this tool, kept from now on."""
        series = self.get(tool, case, size)
        if series not in self.series:
            self.series.append(series)
        return series

    def median(self, tool: str, case: Case, size: int) -> float | None:
        """Seconds; None if it was not measured."""
        return self.get(tool, case, size).median

    def ratios(self, tool: str, reference: str, case: Case, size: int) -> list[float]:
        """Time of a tool over that of another one in the same round, for each round that both ended well."""
        pair = (self.get(tool, case, size).seconds, self.get(reference, case, size).seconds)
        return [ours / theirs for ours, theirs in zip(*pair, strict=False)]

    def ratio(self, tool: str, reference: str, case: Case, size: int) -> float | None:
        """The median of the rounds' ratios: what disturbs a round disturbs both sides of it."""
        found = self.ratios(tool, reference, case, size)
        return statistics.median(found) if found else None

    def of(self, case: Case, size: int) -> Iterable[Series]:
        """All series of one table, in the order in which the tools were measured."""
        return [one for one in self.series if one.case is case and one.size == size]

    def troubles(self) -> list[str]:
        """What did not come to its end."""
        return [f"{one.tool}, {one.case} of {one.size:,}: {one.trouble}" for one in self.series if one.trouble]

    def to_json(self) -> dict[str, object]:
        """Everything, every single repetition included."""
        document = asdict(self)
        for one, series in zip(document["series"], self.series, strict=True):
            one["median"] = series.median
            one["quartiles"] = series.quartiles
            reference = REFERENCE[series.case]
            one["ratios"] = {reference: self.ratios(series.tool, reference, series.case, series.size)}
        return document
