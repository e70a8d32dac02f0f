"""Ways to a database: straight, and through a PgBouncer of each kind and size."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import trueup
from trueup.connect.urls import Urls
from trueup_testing.command import ROOT
from trueup_testing.databases import Databases, name_of
from trueup_testing.pooler import Pooler

PROSAAS = ROOT / "packages" / "prosaas" / "src" / "prosaas" / "migrations"
LEGACY = ROOT / "packages" / "prosaas" / "tests" / "legacy" / "legacy.sql"


class Way(NamedTuple):
    """`mode` is direct, session or transaction; `size` that of the pool."""

    mode: str
    size: int = 0

    def __str__(self) -> str:
        return f"{self.mode}-{self.size}" if self.size else self.mode

    @contextlib.contextmanager
    def to(self, databases: Databases, url: str) -> Iterator[Urls]:
        """The URL of this database, by this way."""
        if self.mode == "direct":
            yield Urls(url)
            return
        with Pooler(databases.server_url, mode=self.mode, size=self.size) as pooler:
            yield Urls(pooler.url(name_of(url)), name="POOLER")


WAYS = [Way("direct"), *(Way(mode, size) for mode in ("session", "transaction") for size in (1, 2, 20))]


class Outcome(NamedTuple):
    """How one of several runs ended: its report or its error, and what it said."""

    report: trueup.Report | None
    error: BaseException | None
    said: list[str]


def run_at_once(count: int, urls: Urls, folder: Path, options: trueup.Options) -> list[Outcome]:
    """Run `up` so many times at once, each in a thread."""
    outcomes: list[Outcome] = []
    gate = threading.Barrier(count)

    def run() -> None:
        said: list[str] = []
        gate.wait()
        try:
            report = trueup.up(urls, folder, options=options, on_event=lambda event: said.append(event.text))
        except BaseException as error:  # noqa: BLE001 - told to the test
            outcomes.append(Outcome(None, error, said))
        else:
            outcomes.append(Outcome(report, None, said))

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
