"""What the benchmark asks of a tool."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from benchmarks.speed.chain import Migration
from benchmarks.speed.process import Command, Sample
from benchmarks.speed.target import Target


class Tool(ABC):
    """A tool that applies migrations."""

    name: ClassVar[str]
    is_python_peer: ClassVar[bool] = False
    has_ledger: ClassVar[bool] = True

    @abstractmethod
    def version(self) -> str:
        """The version measured."""

    @abstractmethod
    def prepare(self, project: Path, chain: Sequence[Migration]) -> None:
        """Lay out a project with this chain in an empty folder. Not measured."""

    @abstractmethod
    def up(self, project: Path, database: Target) -> Command:
        """The command that applies what is not applied yet."""

    def objection(self, sample: Sample) -> str:
        """Why a run that ended with code 0 does not count, or nothing."""
        del sample
        return ""
