"""Writes legacy.sql: a database as an installation has it that an ORM's create_all and half-run migrations made.

From the root of the repository:

    python -m packages.prosaas.tests.legacy.make_legacy            writes legacy.sql beside this file
    python -m packages.prosaas.tests.legacy.make_legacy --check    exits 1 where legacy.sql is not what it would write

tables.sql has the tables as the ORM emitted them, by_hand.sql what people did to them afterwards; the rows between
the two are made here, always the same ones. Nothing is taken from the migrations: that is the point of it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from . import rows_plans, rows_tenants, rows_traffic
from .sample import Json, Table

HERE = Path(__file__).parent
ROWS_PER_INSERT = 100


def literal(value: Any) -> str:  # noqa: PLR0911 - one line per type reads best flat
    """A value as SQL."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return f"{value:.2f}"
        case Json():
            return literal(json.dumps(value.value, ensure_ascii=False))
        case datetime():
            return f"'{value:%Y-%m-%d %H:%M:%S}'"
        case date():
            return f"'{value:%Y-%m-%d}'"
    return "'" + str(value).replace("'", "''") + "'"


def inserts(name: str, columns: str, rows: list[tuple[Any, ...]]) -> Iterator[str]:
    """INSERT statements for the rows of one table."""
    for start in range(0, len(rows), ROWS_PER_INSERT):
        lines = (f"({', '.join(map(literal, row))})" for row in rows[start : start + ROWS_PER_INSERT])
        yield f"INSERT INTO {name} ({columns}) VALUES\n" + ",\n".join(lines) + ";"


def tables() -> Iterator[Table]:
    """Every table with its rows, parents first."""
    yield from rows_tenants.businesses()
    yield from rows_tenants.leads()
    yield from rows_traffic.calls()
    yield from rows_traffic.conversations()
    yield from rows_traffic.mail()
    yield from rows_tenants.office()
    yield from rows_plans.broadcasts()
    yield from rows_plans.calendars()
    yield from rows_plans.scheduled_messages()


def script() -> str:
    """The whole of legacy.sql."""
    parts = [
        "-- A legacy database. Written by make_legacy.py; change that, not this.",
        "-- Load it into an empty UTF-8 database as a superuser (one index is made INVALID in the catalog).",
        "SET client_encoding = 'UTF8';\nSET TIME ZONE 'UTC';",
        (HERE / "tables.sql").read_text(encoding="utf-8").strip(),
    ]
    for table in tables():
        parts.extend(inserts(*table))
    parts.append((HERE / "by_hand.sql").read_text(encoding="utf-8").strip())
    return "\n\n".join(parts) + "\n"


def main() -> int:
    """Write the file, or compare."""
    target, text = HERE / "legacy.sql", script()
    if "--check" in sys.argv[1:]:
        return int(not target.is_file() or target.read_text(encoding="utf-8") != text)
    target.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
