"""One schema with an object of every kind that is a fact, and the ways in which servers like to differ about them."""

from __future__ import annotations

from pathlib import Path

from trueup_testing.chains import Files

EVERY_KIND: Files = {
    path.name: path.read_text() for path in sorted((Path(__file__).parents[2] / "every_kind").glob("*.sql"))
}
"""A chain: file → SQL."""

EVERY_KIND_SQL = "".join(EVERY_KIND.values())
