"""The measuring itself.

Each round runs every tool once, in another order: whatever else the machine does in the meantime, it does to all of
them.
"""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks.speed.chain import build_chain
from benchmarks.speed.errors import ToolFailedError
from benchmarks.speed.process import Sample, run
from benchmarks.speed.proxy import counting_proxy
from benchmarks.speed.results import Case, Results, Series, Trips
from benchmarks.speed.server import Databases, fingerprint
from benchmarks.speed.target import Target
from benchmarks.speed.tools.bare import Bare
from benchmarks.speed.tools.base import Tool
from benchmarks.speed.tools.psql import Psql
from benchmarks.speed.tools.trueup import Trueup

_NAMES_AN_ERROR = re.compile(r"[\w.]*(error|exception)\b.*:", re.IGNORECASE)
_T = TypeVar("_T")
_SETTLE = 0.05  # seconds until the proxy has read what a client that is gone has sent


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Attributes:
        sizes: Lengths of the chain.
        first_rounds: Repetitions of first runs and adoptions.
        noop_rounds: Repetitions of runs with nothing to do.
        limit: Seconds after which one run is ended and reported as over the limit.
        budget: Seconds after which a tool's first run at one size is not repeated any more.
    """

    sizes: Sequence[int]
    first_rounds: int
    noop_rounds: int
    limit: float
    budget: float


@dataclass(frozen=True)
class _Size:
    """One length of the chain: the projects, and a database that psql filled."""

    count: int
    full: Target
    digest: str


class Measurement:
    """One run of the benchmark over all tools and sizes."""

    def __init__(self, *, tools: Sequence[Tool], bare: Bare, psql: Psql, databases: Databases, workspace: Path) -> None:
        self._tools = list(tools)
        self._bare = bare
        self._psql = psql
        self._databases = databases
        self._workspace = workspace
        self._noop_on: dict[tuple[str, int], Target] = {}
        self.results = Results()

    def measure(self, effort: Effort) -> Results:
        """Run all rounds."""
        sizes = []
        for count in effort.sizes:
            size = self._prepare(count, effort)
            self._first_rounds(size, effort)
            sizes.append(size)
        self._noop_rounds(sizes, effort)
        for tool in self._tools:
            self.results.versions[tool.name] = tool.version()
            if isinstance(tool, Trueup):
                self.results.lock_seconds = tool.lock_seconds
        self.results.versions[self._bare.name] = self._bare.version()
        return self.results

    def _project(self, tool: Tool, count: int) -> Path:
        return self._workspace / f"{tool.name.replace(' ', '_')}_{count}"

    def _prepare(self, count: int, effort: Effort) -> _Size:
        """Lay out every tool's project, and fill one database with psql to compare and to adopt."""
        chain = build_chain(count)
        everyone = [self._bare, *self._tools]
        if self._psql not in everyone:
            everyone.append(self._psql)
        for tool in everyone:
            _say(f"{count:,} migrations: preparing {tool.name}")
            project = self._project(tool, count)
            project.mkdir()
            try:
                tool.prepare(project, chain)
            except ToolFailedError as error:
                self.results.begin(tool.name, Case.FIRST, count).trouble = str(error)
        full = self._databases.fresh(f"full_{count}")
        sample = run(self._psql.up(self._project(self._psql, count), full), limit=effort.limit)
        if sample.code:
            message = f"psql cannot run the chain of {count}:\n{sample.errors[-2000:]}"
            raise ToolFailedError(message)
        self._noop_on[self._bare.name, count] = full
        return _Size(count, full, fingerprint(full))

    def _first_rounds(self, size: _Size, effort: Effort) -> None:
        adopting = [tool for tool in self._tools if isinstance(tool, Trueup)]
        runs: list[tuple[Tool, Case]] = [(tool, Case.FIRST) for tool in (self._bare, *self._tools)]
        if adopting:
            runs += [(tool, Case.ADOPT) for tool in (self._bare, *adopting)]
        for number in range(effort.first_rounds):
            _say(f"{size.count:,} migrations: first runs, round {number + 1} of {effort.first_rounds}")
            for tool, case in _shuffled(runs, number):
                series = self.results.begin(tool.name, case, size.count)
                if case is Case.ADOPT and not series.trouble:
                    series.trouble = self.results.get(tool.name, Case.FIRST, size.count).trouble
                if not series.trouble and sum(series.seconds) <= effort.budget:
                    self._first_run(tool, series, size, effort)

    def _first_run(self, tool: Tool, series: Series, size: _Size, effort: Effort) -> None:
        if tool is self._bare:
            _record(tool, series, run(tool.up(self._project(tool, size.count), size.full), limit=effort.limit), effort)
            return
        adopt = series.case is Case.ADOPT
        name = f"{tool.name}_{size.count}" + ("_adopt" if adopt else "")
        database = self._databases.fresh(name, like=size.full if adopt else None)
        sample = run(tool.up(self._project(tool, size.count), database), limit=effort.limit)
        if _record(tool, series, sample, effort) and fingerprint(database) != size.digest:
            series.seconds.clear()
            series.cpu_seconds.clear()
            series.trouble = "failed: the database differs from the one that psql made"
        if tool.has_ledger and not adopt and not series.trouble:
            self._noop_on[tool.name, size.count] = database

    def _noop_rounds(self, sizes: Sequence[_Size], effort: Effort) -> None:
        everyone: list[Tool] = [self._bare, *(tool for tool in self._tools if tool.has_ledger)]
        runs: dict[int, list[tuple[Tool, Series]]] = {}
        for size in sizes:
            for tool in everyone:
                series = self.results.begin(tool.name, Case.NOOP, size.count)
                if (tool.name, size.count) in self._noop_on:
                    runs.setdefault(size.count, []).append((tool, series))
                    self._count_trips(tool, size.count, effort)  # warms the caches up, too
                else:
                    series.trouble = "not measured, for its first run did not end well"
        for number in range(effort.noop_rounds):
            _say(f"no-ops, round {number + 1} of {effort.noop_rounds}")
            for count in _shuffled(list(runs), number):
                for tool, series in _shuffled(runs[count], number):
                    if not series.trouble:
                        command = tool.up(self._project(tool, count), self._noop_on[tool.name, count])
                        _record(tool, series, run(command, limit=effort.limit), effort)

    def _count_trips(self, tool: Tool, count: int, effort: Effort) -> None:
        database = self._noop_on[tool.name, count]
        with counting_proxy(database.host, database.port) as proxy:
            run(tool.up(self._project(tool, count), database.through(proxy.port)), limit=effort.limit)
            time.sleep(_SETTLE)
            seen = proxy.traffic
        self.results.trips.append(Trips(tool.name, count, seen.connections, seen.round_trips, seen.statements))


def _record(tool: Tool, series: Series, sample: Sample, effort: Effort) -> bool:
    """Keep a sample if it counts, say why if it does not."""
    if sample.over_limit:
        series.trouble = f"over the limit of {effort.limit:.0f} s"
    elif sample.code:
        series.trouble = f"failed with code {sample.code}: {_telling_line(sample)}"
    elif objection := tool.objection(sample):
        series.trouble = f"failed: {objection}"
    else:
        series.seconds.append(sample.seconds)
        series.cpu_seconds.append(sample.cpu_seconds)
    return not series.trouble


def _telling_line(sample: Sample) -> str:
    """The line of a tool's output that most likely names its error."""
    lines = [line.strip() for line in (sample.errors.strip() or sample.output.strip()).splitlines()]
    named = [line for line in lines if _NAMES_AN_ERROR.match(line)]
    return ([*lines[-1:], *named[-1:]] or ["it said nothing"])[-1][:400]


def _shuffled(runs: Sequence[_T], seed: int) -> list[_T]:
    return random.Random(seed).sample(runs, len(runs))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
