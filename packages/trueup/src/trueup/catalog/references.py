"""Foreign keys, and the keys that they refer to: one reader of what pg_get_constraintdef writes of them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_NAME = r'(?:"(?:[^"]|"")+"|[^\s",.()]+)'
_COLUMN = rf"(?:PERIOD )?{_NAME}"
_COLUMNS = rf"{_COLUMN}(?:, {_COLUMN})*"
_FOREIGN_KEY = re.compile(
    rf"FOREIGN KEY \((?P<columns>{_COLUMNS})\) REFERENCES (?P<parent>{_NAME}(?:\.{_NAME})?)\((?P<referred>{_COLUMNS})\)"
)
_ACTION = re.compile(r" ON (?P<event>DELETE|UPDATE) (?P<does>CASCADE|SET NULL|SET DEFAULT)\b")
_KIND = "(?:UNIQUE|PRIMARY KEY)(?: NULLS NOT DISTINCT)?|UNIQUE ON .+? USING btree"
_UNIQUE = re.compile(rf"(?:{_KIND}) \((?P<columns>{_COLUMNS})\)(?!.* WHERE )")


class ForeignKey(NamedTuple):
    """A foreign key: its columns, the table that it refers to, and that table's columns, all quoted where need be."""

    columns: tuple[str, ...]
    parent: str
    referred: tuple[str, ...]


@lru_cache(maxsize=4096)
def foreign_key(value: str) -> ForeignKey | None:
    """The foreign key that a constraint's definition tells of; None for other constraints."""
    match = _FOREIGN_KEY.match(value) if value.startswith("FOREIGN KEY") else None
    return ForeignKey(_names(match["columns"]), match["parent"], _names(match["referred"])) if match else None


def on_delete(value: str | None) -> str:
    """What a foreign key does to the rows that refer to one which is deleted; empty where it does nothing to them."""
    return _on("DELETE", value)


def on_update(value: str | None) -> str:
    """The same where the key that they refer to changes."""
    return _on("UPDATE", value)


def _on(event: str, value: str | None) -> str:
    return next((one["does"] for one in _ACTION.finditer(value or "") if one["event"] == event), "")


def unique_columns(value: str) -> tuple[str, ...]:
    """The columns of a unique constraint, a primary key or a unique index on columns alone; empty for all others."""
    match = _UNIQUE.match(value)
    return _names(match["columns"]) if match else ()


def _names(text: str) -> tuple[str, ...]:
    return tuple(re.findall(_NAME, text.replace("PERIOD ", "")))
