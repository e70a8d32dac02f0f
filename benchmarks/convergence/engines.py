"""What is judged: the installed `trueup`, and as a naive peer psql, which sends what is left and ignores errors."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from benchmarks.convergence.chains import Chain, awake
from benchmarks.convergence.replay import connect, replay

CONFLICT = 3
_TIMED_OUT = 124


@dataclass(frozen=True)
class Run:
    """How a run ended: exit code, what it said, how long it took."""

    code: int
    said: str
    conflicts: list[str] = field(default_factory=list)
    document: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


class Engine(Protocol):
    """Brings a database to the end of a chain."""

    name: str
    has_ledger: bool

    def prepare(self, chain: Chain, folder: Path) -> Run:
        """Whatever is done once per chain. `folder` is empty and stays."""

    def up(self, url: str, position: int, *, to: str = "") -> Run:
        """Bring a database up to date. `position` is the number of files that were run, for engines that count."""

    def pending(self, url: str) -> list[str]:
        """Ids of the steps that are still to be run, in order."""


class PsqlRest:
    """Sends the files after the position, one statement after the other, whatever the server says."""

    name = "psql-rest"
    has_ledger = False

    def prepare(self, chain: Chain, folder: Path) -> Run:
        """Remember the chain."""
        del folder
        self._chain = chain
        return Run(0, "")

    def up(self, url: str, position: int, *, to: str = "") -> Run:
        """Send the rest."""
        del to
        started = time.monotonic()
        with connect(url) as conn:
            failures = replay(conn, self._chain.files[position:])
        said = f"{len(failures)} errors, the first: {failures[0]}" if failures else ""
        return Run(0, said, seconds=time.monotonic() - started)

    def pending(self, url: str) -> list[str]:
        """It keeps no ledger."""
        del url
        return []


class Trueup:
    """The installed command, in a process of its own, as a deployment runs it."""

    name = "trueup"
    has_ledger = True

    def __init__(self, *, limit: float, lock_bin: Path | None = None) -> None:
        """`limit`: seconds for a run. `lock_bin`: binaries of the scratch server; None: as trueup finds them."""
        self._limit = limit
        self._lock_bin = lock_bin
        self._command = [str(Path(sys.executable).parent / "trueup")]
        self._folder = Path()

    def prepare(self, chain: Chain, folder: Path) -> Run:
        """Copy the chain and lock it."""
        self._folder = folder / chain.name / "migrations"
        shutil.rmtree(self._folder.parent, ignore_errors=True)
        shutil.copytree(chain.folder, self._folder)
        for path in (path for path in self._folder.rglob("*.sql") if path.is_file()):
            path.write_text(awake(path.read_text()))
        if chain.setup:
            (self._folder.parent / "setup.sql").write_text(chain.setup)
            (self._folder.parent / "trueup.toml").write_text('[scratch]\nsetup = "setup.sql"\n')
        environment = {"TRUEUP_PG_BIN": str(self._lock_bin)} if self._lock_bin else {}
        return self._run("lock", limit=900, environment=environment)

    def up(self, url: str, position: int, *, to: str = "") -> Run:
        """`trueup up`."""
        del position
        return self._run("--database-url", url, "up", *(["--to", to] if to else []), "--first-run")

    def pending(self, url: str) -> list[str]:
        """The steps that `trueup plan` would run."""
        document = self._run("--database-url", url, "plan").document
        return [step["id"] for step in document.get("steps", []) if step["verdict"] == "run"]

    def _run(self, *arguments: str, limit: float = 0, environment: dict[str, str] | None = None) -> Run:
        command = [*self._command, "--migrations", str(self._folder), "--json", *arguments]
        started = time.monotonic()
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                check=False,
                timeout=limit or self._limit,
                env={**os.environ, "NO_COLOR": "1", **(environment or {})},
            )
        except subprocess.TimeoutExpired:
            return Run(_TIMED_OUT, f"took more than {limit or self._limit:.0f} s", seconds=time.monotonic() - started)
        document = _document(done.stdout)
        told = document.get("error", document).get("conflicts", [])
        conflicts = [f"{one['about']}: {one['why']}" for one in told]
        said = "" if done.returncode == 0 else _conclusion(done.stderr)
        return Run(done.returncode, said, conflicts, document, time.monotonic() - started)


def _conclusion(text: str) -> str:
    """The error and what follows it, without the progress before."""
    lines = [line for line in text.splitlines() if line.strip()]
    start = next((i for i, line in enumerate(lines) if line.startswith("error")), max(len(lines) - 8, 0))
    return "\n".join(lines[start : start + 8])


def _document(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
