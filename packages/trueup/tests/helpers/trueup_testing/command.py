"""The installed command `trueup`, run as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from trueup_testing.warm import call

ROOT = Path(__file__).resolve().parents[5]
TRUEUP = Path(sys.executable).with_name("trueup")
_OURS = ("DATABASE_URL", "TRUEUP_", "NO_COLOR")


@dataclass(frozen=True)
class Answer:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one document on standard output."""
        document: dict[str, Any] = json.loads(self.out)
        return document


class Run(Protocol):
    """Runs the installed command, with a scratch server at hand: the fixture `run`."""

    def __call__(self, *arguments: object, cwd: Path | None = None, **variables: str) -> Answer: ...


def clean_environment(**variables: str) -> dict[str, str]:
    """Ours without any setting of trueup, and with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**kept, **{name: os.environ[name] for name in ("TRUEUP_PG_BIN",) if name in os.environ}, **variables}


def run_trueup(*arguments: object, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> Answer:
    """Run `trueup` with these arguments."""
    told = clean_environment() if environment is None else environment
    return Answer(*call(list(map(str, arguments)), cwd or Path.cwd(), told))


def run_benchmark(name: str, *arguments: object) -> tuple[int, Any]:
    """Run `python -m benchmarks.NAME … --json` from the root; its exit code and its document."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments), "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=clean_environment(),
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)
