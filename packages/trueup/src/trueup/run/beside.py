"""What the server names when it refuses a step, and what no step has made."""

from __future__ import annotations

import re

from psycopg.errors import Diagnostic

from trueup.catalog.keys import identity_of, kind_of, mentions, own_name
from trueup.decide.model import Decision
from trueup.decide.trajectory import Trajectories

_RULES = ("constraint", "index", "domain constraint")
_FUNCTIONS = ("function", "procedure")
_OF_TRIGGER = re.compile(r'PL/pgSQL function (?:"?\w+"?\.)?"?(\w+)"?\(\)')


def named_beside(said: Diagnostic, sql: str, paths: Trajectories, decision: Decision) -> str:
    """A constraint, a column or a trigger's function that the chain does not know; empty where none is named.

    Args:
        said: What the server says.
        sql: The text that it refuses: what that calls itself is not beside it.
        paths: The chain's facts.
        decision: With the names that these have here.
    """
    if said.table_name in _names([*decision.found], ("partition",)):  # it has rules of its own for its parent's
        return ""
    known = [*paths.of, *paths.passing, *decision.renamed.values()]
    if said.constraint_name and said.constraint_name not in _names(known, _RULES):
        return f"{said.constraint_name} on {said.schema_name}.{said.table_name}"
    if said.column_name and said.column_name not in _names(known, ("column",)):
        return f"{said.schema_name}.{said.table_name}.{said.column_name}"
    inner = _OF_TRIGGER.search(said.context or "")
    if inner and inner[1] not in _names(known, _FUNCTIONS) and not mentions(sql, inner[1]):
        return f"function {inner[1]}"
    return ""


def _names(keys: list[str], kinds: tuple[str, ...]) -> set[str]:
    return {own_name(identity_of(key)) for key in keys if kind_of(key) in kinds}
