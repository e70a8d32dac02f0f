"""psql: the limit of a first run. One statement at a time, each committed on its own, nothing recorded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.speed.chain import Migration
from benchmarks.speed.peers import Peers
from benchmarks.speed.process import Command, run
from benchmarks.speed.target import Target
from benchmarks.speed.tools.base import Tool


class Psql(Tool):
    """psql with one file of all statements."""

    name = "psql"
    has_ledger = False

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    def version(self) -> str:
        """As psql says it."""
        said = run(Command((self._peers.psql, "--version"), Path.cwd()), limit=30).output
        return said.rpartition(" ")[2].strip()

    def prepare(self, project: Path, chain: Sequence[Migration]) -> None:
        """Write one file of all statements."""
        (project / "chain.sql").write_text("".join(f"{migration.sql};\n" for migration in chain))

    def up(self, project: Path, database: Target) -> Command:
        """Feed the file."""
        argv = (self._peers.psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "chain.sql", database.url())
        return Command(argv, project)
