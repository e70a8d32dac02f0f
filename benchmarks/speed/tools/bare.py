"""The least that a Python tool does: import psycopg, connect, ask once. The reference for a run with nothing to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.speed.chain import Migration
from benchmarks.speed.process import Command, run
from benchmarks.speed.target import Target
from benchmarks.speed.tools.base import Tool

_SCRIPT = """\
import sys

import psycopg

with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    connection.execute("SELECT 1").fetchone()
"""


class Bare(Tool):
    """The script, run by the Python that trueup runs on."""

    name = "bare script"
    has_ledger = False

    def __init__(self, python: str) -> None:
        self._python = python

    def version(self) -> str:
        """Of Python and psycopg."""
        code = "import platform, psycopg; print('Python', platform.python_version(), 'psycopg', psycopg.__version__)"
        return run(Command((self._python, "-c", code), Path.cwd()), limit=30).output.strip()

    def prepare(self, project: Path, chain: Sequence[Migration]) -> None:
        """Write the script; it does not look at the chain."""
        del chain
        (project / "bare.py").write_text(_SCRIPT)

    def up(self, project: Path, database: Target) -> Command:
        """Run it."""
        return Command((self._python, "bare.py", database.url()), project)
