"""dbmate: a folder of SQL files with its up and down markers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.speed.chain import Migration
from benchmarks.speed.peers import Peers
from benchmarks.speed.process import Command
from benchmarks.speed.target import Target
from benchmarks.speed.tools.base import Tool


class Dbmate(Tool):
    """`dbmate migrate`, without the schema dump that is for developers."""

    name = "dbmate"

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    def version(self) -> str:
        """Of the package, which is the binary's."""
        return self._peers.version(self.name)

    def prepare(self, project: Path, chain: Sequence[Migration]) -> None:
        """One file per migration."""
        folder = project / "migrations"
        folder.mkdir()
        for migration in chain:
            text = f"-- migrate:up\n{migration.sql};\n\n-- migrate:down\n"
            (folder / f"{migration.stem}.sql").write_text(text)

    def up(self, project: Path, database: Target) -> Command:
        """Migrate; each migration in its own transaction, as is its way."""
        options = ("--no-dump-schema", "--migrations-dir", "migrations", "--url", database.url("postgres"))
        return Command((self._peers.command("dbmate"), *options, "migrate"), project)
