"""What only psql understands in a file, as a pasted dump has it: rows behind `COPY … FROM stdin`, its own commands.

The rows become the INSERT that they are; commands that change nothing in the database become empty lines. Line numbers
stay.
"""

from __future__ import annotations

import re

from trueup.catalog.keys import literal
from trueup.errors import MigrationError

_COPY = re.compile(
    r"^COPY\s+(?P<table>[^\s(]+)\s*(?P<columns>\([^)]*\))?\s+FROM\s+STDIN\s*(?P<options>[^;]*);[ \t]*$", re.IGNORECASE
)
_END = "\\."  # behind the rows
_NO_MATTER = re.compile(
    r"^\\(?:un)?restrict\b|^\\(?:echo|qecho|warn|timing|pset|set\s+(?:ON_ERROR_STOP|QUIET|VERBOSITY))\b"
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))", re.DOTALL)
_NAMED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def as_sql(text: str, *, path: str) -> str:
    """The file as any client could send it.

    Raises:
        MigrationError: rows in another format than that of pg_dump, or without an end; names file and line.
    """
    if "\n\\" not in text and not text.startswith("\\"):
        return text
    lines = text.split("\n")
    result: list[str] = []
    while len(result) < len(lines):
        here = len(result)
        line = lines[here].rstrip("\r")
        if (match := _COPY.match(line)) and (end := _end_of_rows(lines, here)):
            if match["options"].strip():
                raise MigrationError(
                    f"COPY … FROM stdin {match['options'].strip()}: only rows as pg_dump writes them can be read",
                    path=path,
                    line=here + 1,
                    hint="Write them as INSERT, or without options: separated by tabs, NULL as \\N.",
                )
            result += _insert(match, [row.rstrip("\r") for row in lines[here + 1 : end]])
        else:
            result.append("" if _NO_MATTER.match(line) else lines[here])
    return "\n".join(result)


def _end_of_rows(lines: list[str], start: int) -> int:
    """The line that ends them; zero where there is none."""
    return next((i for i in range(start + 1, len(lines)) if lines[i].rstrip("\r") == _END), 0)


def _insert(match: re.Match[str], rows: list[str]) -> list[str]:
    """As many lines as the COPY has, with its last."""
    if not rows:
        return ["", ""]
    head = f"INSERT INTO {match['table']} {match['columns'] or ''} OVERRIDING SYSTEM VALUE VALUES"
    values = [f"({', '.join(map(_value, row.split(chr(9))))})" for row in rows]
    return [head, *(f"{row}," for row in values[:-1]), values[-1], ";"]


def _value(field: str) -> str:
    return "NULL" if field == "\\N" else literal(_ESCAPE.sub(_unescaped, field))


def _unescaped(match: re.Match[str]) -> str:
    hexadecimal, octal, other = match.groups()
    if hexadecimal or octal:
        return chr(int(hexadecimal, 16) if hexadecimal else int(octal, 8))
    return _NAMED.get(other, other)
