"""Rows of other tables that go or change with those of a data step, by foreign keys as later steps make them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from trueup.catalog.keys import mentions, table_of, unquoted
from trueup.catalog.references import ForeignKey, foreign_key, on_delete, on_update
from trueup.chain.model import Step
from trueup.chain.statements import columns_written
from trueup.decide.data import DataRules
from trueup.decide.given import Given
from trueup.decide.trajectory import Value

_PLAIN = {"insert_stmt", "update_stmt", "delete_stmt", "truncate_stmt"}
_DELETION = re.compile(r"\b(?:delete|merge)\b", re.IGNORECASE)
_EMPTIES_ALL = re.compile(r"\bTRUNCATE\b.*\bCASCADE\b", re.IGNORECASE | re.DOTALL)


class Carried:
    """Answers for the data steps of one decision.

    Args:
        now: The database as it is just before the step that is asked about.
        rules: What is known of the data steps.
        reached: The texts that a step reaches, with tables that it writes.
    """

    def __init__(
        self,
        given: Given,
        now: Mapping[str, Value],
        rules: DataRules,
        reached: Callable[[int, set[str]], list[str]],
    ) -> None:
        self._steps, self._now, self._rules, self._reached = given.locked.steps, now, rules, reached
        self._beside = {key: value for key, value in given.beside.items() if key.startswith("constraint ")}

    def along(self, index: int, early: Mapping[str, Value]) -> str:
        """Why the step cannot run: whose rows would go along, or change; empty where none would.

        `early` are the facts that are as later steps make them, with what they were.
        """
        step, tables = self._steps[index], self._rules.around.written(index)
        if set(step.tags) == {"do_stmt"} and step.guarded:  # it only makes what is not there
            return ""
        for key, was in early.items():
            now = self._now.get(key)
            reference = foreign_key(now or was or "")
            if reference is None or reference.parent not in tables or not self._rules.pending.has_rows(table_of(key)):
                continue
            if self._acts_otherwise(index, reference, now, was):
                if self._would_change_nothing(index, step):
                    return ""
                why = f"which rows of {table_of(key)} go, or change, with those of {reference.parent} depends on {key}"
                return f"{why}, and that is as a later step has left it: put it back first"
        beside = ((key, foreign_key(value)) for key, value in self._beside.items())
        emptied = (key for key, reference in beside if reference and reference.parent in tables)
        if _EMPTIES_ALL.search(step.sql) and (key := next(emptied, "")):
            return f"it empties {table_of(key)} along, by {key}, which no step makes: take that away first"
        return ""

    def _would_change_nothing(self, index: int, step: Step) -> bool:
        return not self._rules.pending.changes(index) and self._rules.rows.would_not_change(step)

    def _acts_otherwise(self, index: int, reference: ForeignKey, now: Value, was: Value) -> bool:
        """True where a foreign key does something else by now, or is there only now, to what the step may do."""
        step, parent = self._steps[index], reference.parent
        if on_delete(now) != on_delete(was) and may_do(("DELETE", "MERGE"), parent, step):
            return any(_DELETION.search(text) for text in self._reached(index, self._rules.around.written(index)))
        if now is not None and was is None and _EMPTIES_ALL.search(step.sql):
            return True
        sets = columns_written(step.statements).intersection(map(unquoted, reference.referred))
        return bool(sets) and on_update(now) != on_update(was)


def may_do(events: Iterable[str], table: str, step: Step) -> bool:
    """True where the step may do one of these to the table."""
    if not set(step.tags) <= _PLAIN or not mentions(step.sql, table):
        return True
    return any(event.lower() in step.sql.lower() for event in events)
