"""What a sequence is set to when it is made for rows that are there already: they have numbers from the lost one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from trueup.catalog.keys import identity_of, kind_of, literal, own_name, parts

State = Mapping[str, str | None]

_INTEGERS = ("smallint", "integer", "bigint")
_NUMBERS = (*_INTEGERS, "numeric")
_KEY = re.compile(r"PRIMARY KEY \((?P<column>[^,]+)\)")
_BOUNDS = re.compile(r"INCREMENT BY (?P<down>-?)\d+ MINVALUE (?P<least>-?\d+) MAXVALUE (?P<largest>-?\d+)")
_OF_COLUMN = ("default", "identity", "generated")


def fill_owned(column: str, sequence: str, wanted: State) -> list[str]:
    """Set a new sequence past the furthest value of its column, so that the next row gets a free one."""
    type_ = wanted.get(f"column {column}") or ""
    is_number = (wanted.get(f"domain {type_}") or type_).startswith(_NUMBERS)
    return [_fill(column, literal(sequence))] if is_number else []


def fill_identity(column: str) -> str:
    """The same for the sequence of an identity column."""
    return _fill(column, own_sequence(column))


def fill_shared(sequence: str, value: str, wanted: State, found: State) -> Iterator[str]:
    """The same for a new sequence that is no column's own, where what may have numbers from it has rows.

    Those are the columns that default to it; where there is none, every key whose numbers come from outside.
    """
    bounds = _BOUNDS.search(value)
    if bounds is None or wanted.get(f"sequence owner {sequence}") is not None:
        return
    default = f"nextval({literal(sequence)}::regclass)"
    columns = [identity_of(key) for key, value in wanted.items() if value == default and key.startswith("default ")]
    there = [column for column in columns or _keys_given(wanted) if found.get(f"column {column}") is not None]
    if not there:
        return
    furthest, of_all, limit = ("min", "least", "least") if bounds["down"] else ("max", "greatest", "largest")
    each = ", ".join(f"(SELECT {furthest}({parts(one)[-1]}) FROM {'.'.join(parts(one)[:2])})" for one in sorted(there))
    yield (
        f"SELECT pg_catalog.setval({literal(sequence)}, used.furthest) "
        f"FROM (SELECT {of_all}({each}) AS furthest) AS used "
        f"WHERE used.furthest BETWEEN SYMMETRIC (SELECT last_value FROM {sequence}) AND {bounds[limit]}"
    )


def own_sequence(column: str) -> str:
    """An expression for the sequence of a serial or identity column."""
    table = ".".join(parts(column)[:2])
    return f"pg_catalog.pg_get_serial_sequence({literal(table)}, {literal(own_name(column))})"


def _keys_given(wanted: State) -> Iterator[str]:
    """The whole-numbered columns that are a table's primary key, and that nothing of the table gives a number."""
    for key, value in wanted.items():
        found = _KEY.fullmatch(value or "") if kind_of(key) == "constraint" else None
        column = f"{'.'.join(parts(identity_of(key))[:2])}.{found['column']}" if found else ""
        if wanted.get(f"column {column}") in _INTEGERS and not any(wanted.get(f"{one} {column}") for one in _OF_COLUMN):
            yield column


def _fill(column: str, sequence: str) -> str:
    table, name = ".".join(parts(column)[:2]), parts(column)[-1]
    furthest = f"CASE WHEN q.seqincrement > 0 THEN max(t.{name}) ELSE min(t.{name}) END"
    return (
        f"SELECT pg_catalog.setval(q.seqrelid::regclass, used.furthest) FROM pg_catalog.pg_sequence AS q, "
        f"LATERAL (SELECT CAST({furthest} AS bigint) AS furthest FROM {table} AS t) AS used "
        f"WHERE q.seqrelid = {sequence}::regclass AND used.furthest BETWEEN SYMMETRIC q.seqstart "
        "AND CASE WHEN q.seqincrement > 0 THEN q.seqmax ELSE q.seqmin END"
    )
