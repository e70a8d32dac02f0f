"""Try points one after the other."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.crash.chains import Subject
from benchmarks.crash.judge import Broken, Picture, compare, numbered_anew, picture
from benchmarks.crash.points import Point, bring_true, count_messages, ended, in_child, kill_ourselves, killed_at
from benchmarks.crash.stage import Stage

KILLED = -9


@dataclass
class Line:
    """One line of the table: how many points were tried, and what became of them."""

    topology: str
    chain: str
    killed: str
    tried: int = 0
    slowest: float = 0.0
    failures: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, object]:
        """For `--json` and the files of results."""
        return {
            "topology": self.topology,
            "chain": self.chain,
            "killed": self.killed,
            "tried": self.tried,
            "survived": self.tried - len(self.failures),
            "slowest_s": round(self.slowest, 2),
            "failures": self.failures,
        }


class Trial:
    """One chain on one stage."""

    def __init__(self, stage: Stage, subject: Subject, *, schema: bool) -> None:
        self.stage = stage
        self.subject = subject
        self.schema = schema
        first = self._undisturbed()
        second = self._undisturbed()
        self.messages = first[0]
        self.wanted: Picture = first[1]
        self.unsteady = frozenset(t for t, rows in first[1].rows.items() if second[1].rows.get(t) != rows)

    def _undisturbed(self) -> tuple[int, Picture]:
        name = self.stage.make(self.subject.template)
        messages = count_messages(self.stage.url(name), self.subject.folder)
        seen = picture(self.stage, name, self.subject.folder, schema=self.schema)
        self.numbered = numbered_anew(self.stage, name, self.subject.template)
        self.stage.drop(name)
        return messages, seen

    def points(self, count: int, seed: int) -> list[Point]:
        """A sample, the same for the same seed; all of them where `count` is 0."""
        every = [Point(n, in_flight) for n in range(self.messages) for in_flight in (False, True)]
        if not count or count >= len(every):
            return every
        return sorted(random.Random(seed).sample(every, count), key=lambda p: (p.message, p.in_flight))  # noqa: S311

    def run(self, line: Line, points: list[Point], on_point: Callable[[Point, str], None]) -> Line:
        """Try points, each on a fresh database."""
        for point in points:
            name = self.stage.make(self.subject.template)
            started = time.monotonic()
            trouble = ""
            try:
                self._one(line.killed, point, name)
            except Broken as broken:
                trouble = f"{point}: {broken}"
                line.failures.append(trouble)
            line.tried += 1
            line.slowest = max(line.slowest, time.monotonic() - started)
            on_point(point, trouble)
            self.stage.revive()
            self.stage.drop(name)
        return line

    def _one(self, killed: str, point: Point, name: str) -> None:
        stage, folder = self.stage, self.subject.folder
        url = stage.url(name)
        kill = {"run": kill_ourselves, "server": stage.kill_server, "pooler": stage.kill_pooler}[killed]
        code = ended(in_child(lambda: killed_at(point, kill, url, folder)), meanwhile=stage.revive)
        if code != (KILLED if killed == "run" else 0):
            raise Broken(f"the run that was hit ended with {code}")
        code = ended(in_child(lambda: bring_true(stage.url(name), folder)))
        if code:
            raise Broken(f"the next run ended with {code}")
        unsteady = self.unsteady | (self.numbered if killed == "server" else frozenset())
        compare(self.wanted, picture(stage, name, folder, schema=self.schema), unsteady=unsteady)
