"""What a schema is, in pg_dump's words: `pg_dump --schema-only`, without the noise that does not matter."""

from __future__ import annotations

import difflib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

_HEADER = re.compile(r"^--\n-- Name: (.*?); Type: (.*?); Schema: (.*?); Owner: .*?\n--\n", re.MULTILINE)
_NOISE = re.compile(r"^(SET |SELECT pg_catalog\.set_config|\\(un)?restrict\b|--($| PostgreSQL database dump))")
_NAMED_NOT_NULL = re.compile(r"CONSTRAINT (\"[^\"]+\"|\w+) (NOT NULL)")
_COLUMN_LISTS = ("CREATE TABLE ", "CREATE UNLOGGED TABLE ", "CREATE FOREIGN TABLE ")

Schema = dict[str, str]  # "TYPE schema.name" -> DDL; equal objects of one name are joined

# What DEFAULT 'now' has become: the moment at which psql replayed the chain, or trueup ran it.
_MOMENT = re.compile(r"'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{4,6}'::timestamp\b")


def dump(url: str, bin_dir: Path, *, name_blind: bool = False, privileges: bool = False) -> Schema:
    """Dump a database's schema and normalise it.

    Left out: owners, comments of pg_dump's own, the schema `trueup`, the order of objects, the order of columns in
    tables, names of not-null constraints (PostgreSQL 18 chooses and shows them), the moments of definitions with now.

    Args:
        url: The database.
        bin_dir: Where the server's own pg_dump is.
        name_blind: Leave out names of indexes and of constraints too: an ORM chooses others.
        privileges: Keep GRANT and REVOKE.
    """
    command = [str(bin_dir / "pg_dump"), "--schema-only", "--no-owner", "--exclude-schema=trueup", f"--dbname={url}"]
    if not privileges:
        command.append("--no-privileges")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"pg_dump: {done.stderr.strip()}")
    entries: dict[str, list[str]] = {}
    for key, body in _entries(done.stdout):
        shown = _nameless(key, body) if name_blind else (key, body)
        if shown:
            entries.setdefault(shown[0], []).append(shown[1])
    return {key: "\n".join(sorted(set(bodies))) for key, bodies in sorted(entries.items())}


def differences(wanted: Schema, found: Schema) -> list[str]:
    """One short text per object that differs; empty if the schemas are the same."""
    told = []
    for key in sorted(wanted.keys() | found.keys()):
        if key not in found:
            told.append(f"- missing {key}: {_short(wanted[key])}")
        elif key not in wanted:
            told.append(f"+ extra {key}: {_short(found[key])}")
        elif wanted[key] != found[key]:
            told.append(f"~ {key}: {_changed(wanted[key], found[key])}")
    return told


def _entries(text: str) -> Iterator[tuple[str, str]]:
    parts = _HEADER.split(text)[1:]
    for name, kind, schema, body in zip(parts[0::4], parts[1::4], parts[2::4], parts[3::4], strict=True):
        lines = [line.rstrip() for line in body.splitlines() if line.strip() and not _NOISE.match(line)]
        if not lines:
            continue
        if any(lines[0].startswith(start) for start in _COLUMN_LISTS):
            lines = _sorted_columns(lines)
        written = _MOMENT.sub("'now'::timestamp", _NAMED_NOT_NULL.sub(r"\2", "\n".join(lines)))
        yield f"{kind} {schema}.{name}" if schema != "-" else f"{kind} {name}", written


def _sorted_columns(lines: list[str]) -> list[str]:
    """Sort the lines between the parentheses, wherever an item may span several."""
    end = next((i for i, line in enumerate(lines) if line.startswith(")")), len(lines))
    inner = sorted(line.strip().removesuffix(",") for line in lines[1:end])
    return [lines[0], *inner, *lines[end:]]


_CONSTRAINT = re.compile(r"CONSTRAINT (\"[^\"]+\"|\S+) ")
_CLUSTER = re.compile(r"CLUSTER ON (\"[^\"]+\"|[^;\s]+)")
_INDEX = re.compile(r"^(CREATE (?:UNIQUE )?INDEX) (\"[^\"]+\"|\S+) ON", re.MULTILINE)


def _nameless(key: str, body: str) -> tuple[str, str] | None:
    kind = key.split(" ", 1)[0]
    if key.startswith(("CONSTRAINT ", "FK CONSTRAINT ", "CHECK CONSTRAINT ")):
        table = key.split(" ")[1 + key.startswith(("FK", "CHECK"))]
        return f"{kind} on {table}", _CONSTRAINT.sub("CONSTRAINT ? ", body)
    if kind == "INDEX":
        if "ATTACH PARTITION" in body:
            return None
        return f"{key.partition('.')[0]}.?", _CLUSTER.sub("CLUSTER ON ?", _INDEX.sub(r"\1 ? ON", body))
    if kind == "TABLE":
        return key, "\n".join(sorted(_CONSTRAINT.sub("CONSTRAINT ? ", body).splitlines()))
    if kind == "COMMENT" and (" INDEX " in key or " CONSTRAINT " in key):
        return None
    return key, body


def _short(text: str) -> str:
    return " ".join(text.split())[:200]


def _changed(wanted: str, found: str) -> str:
    lines = difflib.unified_diff(wanted.splitlines(), found.splitlines(), lineterm="", n=0)
    kept = [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    return " | ".join(line.strip()[:160] for line in kept[:6])
