"""yoyo: a folder of plain SQL files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.speed.chain import Migration
from benchmarks.speed.peers import Peers
from benchmarks.speed.process import Command
from benchmarks.speed.target import Target
from benchmarks.speed.tools.base import Tool


class Yoyo(Tool):
    """`yoyo apply --batch`."""

    name = "yoyo"
    is_python_peer = True

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    def version(self) -> str:
        """Of the package."""
        return self._peers.version(self.name)

    def prepare(self, project: Path, chain: Sequence[Migration]) -> None:
        """One file per migration; their names give the order."""
        folder = project / "migrations"
        folder.mkdir()
        for migration in chain:
            (folder / f"{migration.stem}.sql").write_text(f"{migration.sql};\n")

    def up(self, project: Path, database: Target) -> Command:
        """Apply; each migration in its own transaction, as is its way."""
        url = database.url("postgresql+psycopg")
        argv = (self._peers.command("yoyo"), "apply", "--batch", "--no-config-file", "--database", url, "migrations")
        return Command(argv, project)
