"""What the steps judged so far will do to rows, once they run: of that, what is there now says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trueup.catalog.keys import mentions, own_name, table_of
from trueup.chain.inserts import Sought, rows_sought
from trueup.chain.model import Step
from trueup.chain.statements import columns_written
from trueup.chain.updates import constants_sought, may_meet
from trueup.decide.given import Given
from trueup.decide.model import StepVerdict
from trueup.decide.rows import Rows
from trueup.decide.surroundings import Surroundings


class Pending:
    """Keeps it in mind, from verdict to verdict."""

    def __init__(self, given: Given, around: Surroundings, rows: Rows) -> None:
        self._rows = rows
        self._steps = given.locked.steps
        self._effects = given.locked.effects
        self._around = around
        self._changed: set[str] = set()
        self._filled: set[str] = set()
        self._filled_by: dict[str, set[str]] = {}  # by file
        self._assumed: set[str] = set()  # tables that steps which are only taken as done have filled
        self._taken: dict[str, set[str] | None] = {}  # columns that are set; None where rows may be taken away
        self.to_come: dict[str, list[Mapping[str, Any]]] = {}  # rows of INSERTs; an empty one for any row

    def note(self, verdict: StepVerdict) -> None:
        """The next step's verdict."""
        step, tables = self._steps[verdict.index], self._around.written(verdict.index)
        if verdict.verdict == "assume" and step.inserts:
            self._assumed |= tables
        if verdict.verdict in ("run", "complete") and step.has_data and not self._finds_its_rows(step, tables):
            self._changed |= tables
            self._filled |= tables if step.inserts else set()
            self._filled_by.setdefault(step.path, set()).update(tables if step.inserts else ())
            self._note_taken(step, tables)
            for table in tables if step.inserts else ():
                self.to_come.setdefault(table, []).extend(self._rows.written(step) or [{}])

    def _finds_its_rows(self, step: Step, tables: set[str]) -> bool:
        """True for guarded INSERTs whose rows are there: they change nothing."""
        return step.guarded and set(step.tags) == {"insert_stmt"} and self._rows.would_be_refused(step, tables)

    def has_rows(self, table: str) -> bool:
        """True where the table has rows, or will have some by then."""
        return table in self._filled or not self._rows.none_in([table])

    def _note_taken(self, step: Step, tables: set[str]) -> None:
        if set(step.tags) == {"insert_stmt"}:
            return
        only_sets = set(step.tags) <= {"insert_stmt", "update_stmt"}
        pairs = zip(step.statements, step.tags, strict=True)
        columns = columns_written(text for text, tag in pairs if tag == "update_stmt") if only_sets else None
        for table in tables:
            before = self._taken.get(table, set())
            self._taken[table] = None if before is None or columns is None else before | columns

    def changes(self, index: int) -> bool:
        """True where rows of a table that the step uses will be others by then."""
        return any(map(self.has_rows, self._changed.intersection(self._effects[index].locks)))

    def fills(self, index: int) -> bool:
        """True where steps that are to run before it write rows of the tables that it writes."""
        return not self._filled.isdisjoint(self._around.written(index))

    def fills_what_it_reads(self, index: int) -> bool:
        """True where steps of its file that are to run before it write rows of tables that it only reads."""
        filled, read = self._filled_by.get(self._steps[index].path, set()), self._effects[index].locks.keys()
        return not filled.isdisjoint(read - self._around.written(index))

    def may_set(self, column: str) -> bool:
        """True where steps that are to run before may give rows other values in a column."""
        taken = self._taken.get(table_of(f"column {column}"), set())
        return taken is None or own_name(column) in taken

    def may_take(self, index: int, columns: str) -> bool:
        """True where rows of the step's tables may be gone by then, or have other values in the columns named."""
        for table in self._taken.keys() & self._effects[index].locks.keys():
            taken = self._taken[table]
            if taken is None or any(mentions(columns, column) for column in taken):
                return True
        return False

    def lacks_selected(self, index: int) -> str:
        """A table that only steps which are taken as done have filled, without a row that a value is selected from.

        Where those rows are not there, that the step has its place says nothing of its own.
        """
        rows = self._rows.written(self._steps[index]) if self._assumed else []
        sought = (one for row in rows for one in rows_sought(row) if one.table in self._assumed)
        missing = (one.table for one in sought if not self._may_come(one) and self._rows.none_of([one.is_there]))
        return next(missing, "")

    def _may_come(self, sought: Sought) -> bool:
        """True where rows that are still to come may be the one."""
        changed = self._taken.get(sought.table, set())
        columns = {column for column, _ in constants_sought(sought.where)}
        if changed is None or not columns or columns & changed:
            return True
        return any(may_meet(sought.where, row, changed=changed) for row in self.to_come.get(sought.table, ()))

    def assumed(self, tables: set[str]) -> set[str]:
        """Those of the tables with rows that are taken as there, and that nothing changes or takes away now."""
        return (tables & self._assumed) - self._taken.keys()

    def only_assumed(self, tables: set[str]) -> set[str]:
        """Those of the tables whose rows are taken as there, and that nothing fills or changes now."""
        return (tables & self._assumed) - self._filled - self._changed
