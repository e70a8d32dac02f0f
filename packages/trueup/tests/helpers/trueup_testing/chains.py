"""Chains for tests: written, locked, and locked only once for the same content."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from trueup.chain.header import lock_path
from trueup.chain.steps import read_chain
from trueup.scratch.lock import learn, save

Files = Mapping[str, str]
"""Path below the folder of migrations → text."""


class MakeChain(Protocol):
    """Writes a chain below the test's own folder, and locks it: the fixture `chain`."""

    def __call__(self, files: Files, *, name: str = "shop", locked: bool = True, setup: str = "") -> Path: ...


def write_chain(folder: Path, files: Files) -> Path:
    """Write the files of a chain; the folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


class Locksmith:
    """Makes lock files with a scratch server, and remembers them."""

    def __init__(self, scratch_url: str) -> None:
        self.scratch_url = scratch_url
        self._known: dict[tuple[str, str], str] = {}

    def lock(self, folder: Path, *, setup: str = "") -> Path:
        """Write the lock file of a chain; the chain's folder."""
        chain = read_chain(folder)
        key = (chain.name, chain.digest + setup)
        if key not in self._known:
            self._known[key] = save(learn(chain, scratch_url=self.scratch_url, setup=setup)).read_text()
        lock_path(folder).write_text(self._known[key])
        return folder
