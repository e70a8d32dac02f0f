"""trueup: a folder of plain SQL files and the lock file, made beforehand as a developer commits it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.speed.chain import Migration
from benchmarks.speed.errors import MissingToolError, ToolFailedError
from benchmarks.speed.process import Command, Sample, run
from benchmarks.speed.target import Target
from benchmarks.speed.tools.base import Tool
from benchmarks.speed.tools.bytecode import compile_all

COMMAND_VARIABLE = "TRUEUP_BENCH_COMMAND"


class Trueup(Tool):
    """`trueup up --json`."""

    name = "trueup"

    def __init__(self, *, limit: float) -> None:
        self._command = _find()
        self._limit = limit
        self.lock_seconds: dict[int, float] = {}  # by length of the chain

    @property
    def python(self) -> str:
        """The Python that the command runs on."""
        return str(Path(self._command).parent / "python")

    def version(self) -> str:
        """As the command says it."""
        sample = run(Command((self._command, "--version"), Path.cwd()), limit=60)
        return (sample.output.split() or ["unknown"])[-1]

    def prepare(self, project: Path, chain: Sequence[Migration]) -> None:
        """One file per migration, then `trueup lock`. The package is compiled, as it is where pip has installed it."""
        found = run(Command((self.python, "-c", "import trueup; print(*trueup.__path__)"), project), limit=30)
        compile_all(self.python, Path(found.output.strip()))
        folder = project / "migrations"
        folder.mkdir()
        for migration in chain:
            (folder / f"{migration.stem}.sql").write_text(f"{migration.sql};\n")
        sample = run(Command((self._command, "--migrations", "migrations", "lock"), project), limit=self._limit)
        if sample.over_limit:
            message = f"trueup lock took more than {self._limit:.0f} s for {len(chain)} migrations"
            raise ToolFailedError(message)
        if sample.code:
            message = f"trueup lock ended with code {sample.code}:\n{sample.errors.strip()[-2000:]}"
            raise ToolFailedError(message)
        self.lock_seconds[len(chain)] = sample.seconds

    def up(self, project: Path, database: Target) -> Command:
        """Bring the database true; each step in its own transaction."""
        url = database.url()
        return Command((self._command, "--migrations", "migrations", "--database-url", url, "up", "--json"), project)

    def objection(self, sample: Sample) -> str:
        """The database must be true, as the report says it."""
        try:
            report = json.loads(sample.output)
        except ValueError:
            return "its standard output is not one JSON document"
        return "" if report.get("true") is True else "it says that the database is not true"


def _find() -> str:
    beside = Path(sys.executable).parent / "trueup"
    found = os.environ.get(COMMAND_VARIABLE) or (str(beside) if beside.is_file() else shutil.which("trueup"))
    if not found or not Path(found).is_file():
        message = (
            "the command `trueup` is not there: install the package into this environment, "
            f"or set {COMMAND_VARIABLE}, or measure the others with --without trueup"
        )
        raise MissingToolError(message)
    return str(Path(found).absolute())
