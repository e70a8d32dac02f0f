"""What sequences and the rows that have numbers from them tell of a step that sets sequences."""

from __future__ import annotations

import re

from trueup.catalog.keys import identity_of, own_name, parts, table_of, unquoted
from trueup.chain.grammar import parse_each
from trueup.chain.model import Step
from trueup.chain.sequences import named_in, sequences_set
from trueup.decide.rows import Rows

_DOES_MORE = re.compile(r"\b(?:insert|update|delete|merge|truncate|create|alter|drop)\b", re.IGNORECASE)
_FURTHEST = re.compile(r"\bmax\s*\(", re.IGNORECASE)


def sequences_are_past(step: Step, rows: Rows) -> bool:
    """True where a sequence has given out the number that the step sets it to."""
    return rows.one_of([one.is_past() for s in parse_each(step.statements) for one in sequences_set(s)])


def have_numbers_past(step: Step, rows: Rows) -> bool:
    """True where rows have numbers that a sequence would give out next when the step has set it."""
    sets = [one for s in parse_each(step.statements) for one in sequences_set(s)]
    owned = ((one, _owner_of(one.name, rows)) for one in sets)
    return rows.one_of([one.is_past_in(*owner) for one, owner in owned if owner])


def is_behind(step: Step, rows: Rows) -> bool:
    """True where a sequence that a block sets would next give out a number that a row has, or one before that."""
    named = (one for text in step.statements for one in named_in(text)) if step.tags == ("do_stmt",) else ()
    owned = ((one, _owner_of(one.name, rows)) for one in named)
    return rows.one_of([one.is_behind(*owner) for one, owner in owned if owner])


def goes_behind_rows(step: Step) -> bool:
    """True for a block that does nothing but set sequences behind the numbers that rows have."""
    return _FURTHEST.search(step.sql) is not None and not _DOES_MORE.search(step.sql)


def _owner_of(name: tuple[str, ...], rows: Rows) -> tuple[str, str] | None:
    """The table and the column of a sequence that goes by this name, or is that column's."""
    for key, value in rows.now.items():
        if value is None or not key.startswith(("sequence owner ", "identity ")):
            continue
        column = value if key.startswith("sequence ") else identity_of(key)
        table, last_two = table_of(f"column {column}"), tuple(map(unquoted, parts(column)))[-2:]
        own = own_name(identity_of(key)) if key.startswith("sequence ") else f"{'_'.join(last_two)}_seq"
        if rows.now.get(f"table {table}") is not None and name in ((own,), last_two):
            return table, parts(column)[-1]
    return None
