"""One trial: a copy of the shop, the load on it, quiet first, then the change, then whether it is all there."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.online.load import Seen
from benchmarks.online.results import Felt, Trial, queue_between
from benchmarks.online.scene import BACKFILL, CHANGE, unfinished
from benchmarks.online.tools import Tool
from benchmarks.online.watch import Watch
from benchmarks.speed.process import Sample, run
from benchmarks.speed.server import Databases
from benchmarks.speed.target import Target

_READS = "BEGIN; SELECT count(*) FROM (SELECT FROM orders LIMIT 1) AS one; SELECT pg_sleep({seconds}); COMMIT"


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is measured. Times in seconds."""

    rows: int
    reader_rows: int
    clients: int = 6
    rate: float = 120.0  # statements per second of all clients
    warm: float = 3.0
    quiet: float = 20.0
    reader: float = 30.0
    limit: float = 1800.0


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Where trials are made. `shops` are the databases that are copied, by their rows."""

    databases: Databases
    shops: dict[int, Target]
    effort: Effort

    def trial(self, tool: Tool, *, reader: bool) -> Trial:
        """Measure one tool."""
        rows = self.effort.reader_rows if reader else self.effort.rows
        target = self.databases.fresh("trial", like=self.shops[rows])
        with tempfile.TemporaryDirectory(prefix="trueup-online-") as folder:
            project = Path(folder)
            tool.prepare(project, target)
            with Watch(target.url()) as watch, self._loaded(target, rows) as load:
                quiet = time.time()
                time.sleep(self.effort.quiet)
                with self._read(target) if reader else _nothing():
                    begin = time.time()
                    sample = run(tool.change(project, target), limit=self.effort.limit)
                    end = time.time()
                seen = load.stop()
            waiting, queue = queue_between(watch.samples, begin, end)
            return Trial(
                tool=tool.name,
                reader=reader,
                rows=rows,
                quiet=Felt.between(seen, quiet, begin),
                change=Felt.between(seen, begin, end),
                seconds=sample.seconds,
                waiting=waiting,
                queue=queue,
                backfill_seconds=tool.backfill_seconds(sample),
                trouble=_trouble(sample) or unfinished(target, rows),
            )

    def plain_update(self, rows: int) -> float:
        """Seconds of the backfill as one UPDATE, under the same load, where the change has come to it."""
        target = self.databases.fresh("trial", like=self.shops[rows])
        with psycopg.connect(target.url(), autocommit=True) as conn, self._loaded(target, rows):
            for text in CHANGE[: CHANGE.index(BACKFILL)]:
                conn.execute(text.encode())
            begin = time.perf_counter()
            conn.execute(BACKFILL)
            return time.perf_counter() - begin

    @contextmanager
    def _loaded(self, target: Target, rows: int) -> Iterator[Load]:
        load = Load(target, rows, self.effort)
        try:
            time.sleep(self.effort.warm)
            yield load
        finally:
            load.stop()

    @contextmanager
    def _read(self, target: Target) -> Iterator[None]:
        """Somebody who has the table open for a while, from before the change on."""
        with psycopg.connect(target.url(), autocommit=True, application_name="reader") as conn:
            text = _READS.format(seconds=self.effort.reader)
            reading = threading.Thread(target=conn.execute, args=(text.encode(),), daemon=True)
            reading.start()
            time.sleep(1)
            yield
            reading.join()


@contextmanager
def _nothing() -> Iterator[None]:
    yield


class Load:
    """The load's process."""

    def __init__(self, target: Target, rows: int, effort: Effort) -> None:
        numbers = ("--rows", str(rows), "--clients", str(effort.clients), "--rate", str(effort.rate))
        self._process = subprocess.Popen(
            (sys.executable, "-m", "benchmarks.online.load", target.url(), *numbers),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            text=True,
        )
        self._seen: list[Seen] | None = None
        if self._process.stdout:
            self._process.stdout.readline()  # ready

    def stop(self) -> list[Seen]:
        """End it, once; what the clients have seen."""
        if self._seen is None:
            out, _ = self._process.communicate()
            self._seen = [Seen(*one) for one in json.loads(out)]
        return self._seen


def _trouble(sample: Sample) -> str:
    if sample.over_limit:
        return f"not done after {sample.seconds:.0f} s"
    if sample.code:
        lines = [line for line in (sample.errors or sample.output).strip().splitlines() if line.strip()]
        return f"exit {sample.code}: {next((x for x in lines if 'rror' in x), lines[-1] if lines else '')[:200]}"
    return ""
