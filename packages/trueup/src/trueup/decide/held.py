"""What a later step has made early and what now stands in a step's way: the server would refuse it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from trueup.catalog.keys import identity_of, kind_of, parts, table_of, unquoted
from trueup.chain.model import Effect, Step
from trueup.decide.trajectory import Value

_REFERENCES = re.compile(r"REFERENCES (.+?)\(")
_DEFINED_ON_COLUMNS = ("view", "materialized view", "policy", "trigger", "rule")


def early_holder(step: Step, effect: Effect, early: Iterable[tuple[str, str]], now: Mapping[str, Value]) -> str:
    """The fact that hangs on what the step drops or retypes; empty where none does.

    Args:
        step: A step that is to run as written.
        effect: What it does.
        early: Facts that are there, but only later steps make.
        now: The database just before the step.
    """
    if "rename_stmt" in step.tags or re.search(r"\bcascade\b", step.sql, re.IGNORECASE):
        return ""
    dropped = [key for key in effect.gone if key.startswith("table ")]
    touched = {key for key in effect.gone if key.startswith("column ")} | set(_retyped(effect, now))
    for key, value in early if dropped or touched else ():
        if kind_of(key) == "constraint":
            match = _REFERENCES.search(value)
            if match and f"table {match[1]}" in dropped and table_of(key) != match[1]:
                return key
        elif kind_of(key) in _DEFINED_ON_COLUMNS and any(_hangs_on(key, value, column) for column in touched):
            return key
    return ""


def _retyped(effect: Effect, now: Mapping[str, Value]) -> Iterator[str]:
    for key, value in effect.set.items():
        if key.startswith("column ") and now.get(key) not in (None, value):
            yield key


def _hangs_on(key: str, value: str, column: str) -> bool:
    table = table_of(column)
    on_it = table_of(key) == table or _names(value, table)
    return on_it and _names(value, identity_of(column))


def _names(text: str, identity: str) -> bool:
    """True where the text has the object's own name as a word."""
    return re.search(rf"(?<!\w){re.escape(unquoted(parts(identity)[-1]))}(?!\w)", text) is not None
