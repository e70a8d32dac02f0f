"""What tests of safe forms begin with: tables with rows, each of them big, and changes that are still to come."""

from __future__ import annotations

from pathlib import Path

import trueup
from trueup import Options
from trueup_testing.databases import Databases, execute

IN_SAFE_FORMS = Options(big_rows=1)


def filled(databases: Databases, folder: Path, *statements: str) -> str:
    """A database behind the chain's first migration and these statements; its URL."""
    url = databases.create()
    trueup.up(url, folder, options=Options(to="1"))
    execute(url, *statements)
    return url
