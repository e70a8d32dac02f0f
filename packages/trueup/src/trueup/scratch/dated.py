"""Tables that are named by the clock or by rows, such as a partition for each of the next months: nobody's facts.

The lock file is written on one day and without rows, and the chain runs on another, with some. What else is made on
such tables later goes with them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from trueup.catalog.keys import identity_of, kind_of, mentions, own_name, table_touched
from trueup.chain.definitions import texts_reached
from trueup.chain.model import Effect, Facts, Step

_CLOCK = re.compile(
    r"\b(?:now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\("
    r"|\b(?:current_(?:date|time|timestamp)|local(?:time|timestamp))\b|'(?:now|today|tomorrow|yesterday)'",
    re.IGNORECASE,
)
_FROM = re.compile(r'\bFROM\s+(?:"?\w+"?\.)?"?(?P<name>\w+)', re.IGNORECASE)
_CALLS = {"do_stmt", "call_stmt", "select_stmt"}
_WITH_COLUMNS = ("table ", "view ", "materialized view ")
_YEAR = re.compile(r"(?:19|20)\d\d")
_DIGITS_OF_A_DAY = 6
_FUNCTIONS = ("function", "procedure")


def without_dated(steps: Sequence[Step], effects: Sequence[Effect], base: Facts) -> list[Effect]:
    """The effects without tables whose names a step has taken from the clock or from rows.

    Args:
        steps: The chain's steps.
        effects: What each has done when it was replayed.
        base: What was there before the first.
    """
    there = {identity_of(key) for key in base if key.startswith(_WITH_COLUMNS)}
    functions: dict[str, str] = {}
    kept = []
    for step, effect in zip(steps, effects, strict=True):
        functions |= _defined(step, effect)
        sets = (key for one in (effect, *effect.parts) for key in one.set)
        made = {identity_of(key) for key in sets if key.startswith(_WITH_COLUMNS)}
        is_called = made and not _CALLS.isdisjoint(step.tags)
        texts = texts_reached([step.sql], functions, functions.__getitem__) if is_called else ()
        if any(_CLOCK.search(text) or _reads(text, there) for text in texts):
            made = {name for name in made if not _has_date(name) or any(mentions(one.sql, name) for one in steps)}
        there |= made
        kept.append(_only_on(there, effect))
    return kept


def _has_date(name: str) -> bool:
    """True for a name with a year, or with so many digits that they may be a day or an hour."""
    return _YEAR.search(name) is not None or sum(map(str.isdigit, name)) >= _DIGITS_OF_A_DAY


def _reads(text: str, tables: set[str]) -> bool:
    """True where a text has one of the tables behind a FROM."""
    read = {match["name"].lower() for match in _FROM.finditer(text)}
    return any(own_name(table).lower() in read for table in tables)


def _defined(step: Step, effect: Effect) -> dict[str, str]:
    """By name, the texts that define the functions which a step makes, or that hold them."""
    keys = (key for key in effect.set if kind_of(key) in _FUNCTIONS)
    return {own_name(identity_of(key)): effect.texts.get(key, step.sql) for key in keys}


def _only_on(there: set[str], effect: Effect) -> Effect:
    """An effect with only what is on these tables, or on none; it may have taken some of them away."""

    def is_kept(key: str, value: str | None = None) -> bool:
        return (table := table_touched(key, value)) == "" or table in there

    return effect._replace(
        set={key: value for key, value in effect.set.items() if is_kept(key, value)},
        gone=tuple(key for key in effect.gone if is_kept(key)),
        parts=tuple(_only_on(there, part) for part in effect.parts),
    )
