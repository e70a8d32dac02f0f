"""Compile what a tool imports beforehand, as an image build does, so that no run pays for it."""

from __future__ import annotations

from pathlib import Path

from benchmarks.speed.process import Command, run


def compile_all(python: str, folder: Path) -> None:
    """Compile every module below `folder` with this Python."""
    run(Command((python, "-m", "compileall", "-q", str(folder)), folder), limit=300)
