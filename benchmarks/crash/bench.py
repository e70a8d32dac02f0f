"""Try points one after the other."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from benchmarks.crash.chains import Subject
from benchmarks.crash.judge import Broken, Picture, compare, numbered_anew, picture
from benchmarks.crash.life import one_life
from benchmarks.crash.points import KILLED, Point, bring_true, ended, in_child, kill_ourselves, killed_at, messages_of
from benchmarks.crash.stage import Stage

LIFE = "run, each time it comes further"
SEED = 20_26


@dataclass
class Line:
    """One line of the table: how many points were tried, of how many, and what became of them."""

    topology: str
    chain: str
    killed: str
    possible: int = 0
    tried: int = 0
    slowest_s: float = 0.0
    failures: list[str] = field(default_factory=list)

    @property
    def survived(self) -> int:
        """How many points did no harm."""
        return self.tried - len(self.failures)

    def to_json(self) -> dict[str, object]:
        """For `--json` and the files of results."""
        return {**asdict(self), "survived": self.survived, "slowest_s": round(self.slowest_s, 2)}


class Trial:
    """One chain on one stage, and what two undisturbed runs make of it."""

    def __init__(self, stage: Stage, subject: Subject, *, schema: bool) -> None:
        self.stage = stage
        self.subject = subject
        self.schema = schema
        with self._database() as name:
            self.messages = len(messages_of(self.stage.url(name), self.subject.folder))
            self.wanted = self._picture(name)
            self.numbered = numbered_anew(self.stage, name, self.subject.template)
        with self._database() as name:
            bring_true(self.stage.url(name), self.subject.folder)
            again = self._picture(name)
        self.unsteady = frozenset(t for t, rows in self.wanted.rows.items() if again.rows.get(t) != rows)
        self.unsteady |= subject.numbered

    def points(self, count: int) -> list[Point]:
        """A sample of the points of one run, the same every time."""
        reachable = int(self.messages * self.subject.reachable)
        every = [Point(n, after) for n in range(reachable) for after in (None, *self.subject.delays)]
        return sorted(random.Random(SEED).sample(every, min(count, len(every))), key=str)

    def sample(self, killed: str, count: int, on_point: Callable[[str], None]) -> Line:
        """Try points, each on a fresh database."""
        line = Line(self.stage.topology, self.subject.name, killed)
        line.possible = self.messages * (1 + len(self.subject.delays))
        for point in self.points(count):
            started = time.monotonic()
            trouble = ""
            with self._database() as name:
                try:
                    self._one(killed, point, name)
                except Broken as broken:
                    trouble = f"{point}: {broken}"
                    line.failures.append(trouble)
            line.tried += 1
            line.slowest_s = max(line.slowest_s, time.monotonic() - started)
            on_point(trouble)
        return line

    def life(self, on_point: Callable[[str], None]) -> Line:
        """Kill run after run on one database, each at a message that none was killed at before."""
        line = Line(self.stage.topology, self.subject.name, LIFE)

        def on_hit(seconds: float) -> None:
            line.tried += 1
            line.slowest_s = max(line.slowest_s, seconds)

        trouble = ""
        with self._database() as name:
            try:
                one_life(self.stage, name, self.subject.folder, on_hit)
                compare(self.wanted, self._picture(name), unsteady=self.unsteady)
            except Broken as broken:
                trouble = str(broken)
                line.failures.append(trouble)
        line.possible = line.tried
        on_point(trouble)
        return line

    def _one(self, killed: str, point: Point, name: str) -> None:
        stage, folder = self.stage, self.subject.folder
        url = stage.url(name)
        kill = {"run": kill_ourselves, "server": stage.kill_server, "pooler": stage.kill_pooler}[killed]
        code = ended(in_child(lambda: killed_at(point.wanted, kill, url, folder)), meanwhile=stage.revive)
        if code != (KILLED if killed == "run" else 0):
            raise Broken(f"the run that was hit ended with {code}")
        code = ended(in_child(lambda: bring_true(stage.url(name), folder)))
        if code:
            raise Broken(f"the next run ended with {code}")
        unsteady = self.unsteady | (self.numbered if killed == "server" else frozenset())
        compare(self.wanted, self._picture(name), unsteady=unsteady)

    def _picture(self, name: str) -> Picture:
        return picture(self.stage, name, self.subject.folder, schema=self.schema)

    @contextmanager
    def _database(self) -> Iterator[str]:
        name = self.stage.make(self.subject.template)
        try:
            yield name
        finally:
            self.stage.revive()
            self.stage.drop(name)
