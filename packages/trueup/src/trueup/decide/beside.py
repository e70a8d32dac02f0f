"""What somebody has added to the chain's tables, and what rows that a step inserts would break of it."""

from __future__ import annotations

from trueup.catalog.keys import identity_of, kind_of, table_of, table_touched, unquoted
from trueup.catalog.references import unique_columns
from trueup.chain.model import Step
from trueup.decide.given import Given
from trueup.decide.model import StepVerdict, assume, conflict
from trueup.decide.rows import Rows

_GIVES = ("default", "identity", "generated")


class Beside:
    """Answers for the data steps of one decision."""

    def __init__(self, given: Given, rows: Rows) -> None:
        self._given, self._rows, self.facts = given, rows, given.beside
        self._must_be_given: dict[str, str] = {}  # by table, one of its columns
        self._keys: dict[str, list[tuple[str, frozenset[str]]]] = {}  # by table, what is unique, with its columns
        for key, value in self.facts.items():
            given_by = [f"{kind} {identity_of(key)}" for kind in _GIVES]
            if kind_of(key) == "not null" and not any(one in self.facts for one in given_by):
                self._must_be_given[table_of(key)] = identity_of(key)
            elif key.startswith(("constraint ", "index ")) and (columns := unique_columns(value)):
                self._keys.setdefault(table_touched(key, value), []).append((key, frozenset(map(unquoted, columns))))

    def kept_from(self, verdict: StepVerdict) -> StepVerdict:
        """The verdict of a data step that is to run, where what was added lets it; else what is to be done instead."""
        step = self._given.locked.steps[verdict.index]
        if not step.inserts or not (why := self._refused_by(verdict.index, step)):
            return verdict
        if verdict.index in self._given.done and step.guarded and not self._rows.none_in(self._rows.filled(step)):
            return assume(verdict.index, f"its place says so, and {why}")
        return conflict(verdict.index, why)

    def _refused_by(self, index: int, step: Step) -> str:
        """Why the server would refuse rows of its INSERTs; empty where nothing that was added forbids them."""
        for table in sorted(self._rows.filled(step)):
            if self._is_made_anew(table, index):
                continue
            if column := self._must_be_given.get(table, ""):
                return f"it gives no value to {column}, which no step makes, and which must have one"
            for key, columns in self._keys.get(table, ()):
                if self._rows.one_would_be_refused(step, [columns]):
                    return f"a row is there with the key of one that it writes, by {key}, which no step makes"
        return ""

    def _is_made_anew(self, table: str, index: int) -> bool:
        """True where the table is not there, or goes before the step, with what was added to it."""
        key, given = f"table {table}", self._given
        return key not in given.live or bool(given.paths.taken_away(key, given.anchor.position, index))
