"""The chain's own UPDATEs of a column that was lost: they fill it again, before NOT NULL is set."""

from __future__ import annotations

from collections.abc import Collection

from trueup.catalog.keys import identity_of, kind_of, mentions, own_name, table_of
from trueup.chain.grammar import parse_statements
from trueup.chain.model import LockedChain, Step
from trueup.chain.updates import fills
from trueup.decide.model import Decision
from trueup.planning.model import Action
from trueup.planning.safely import Safely


class Filling:
    """Knows the columns that have to be filled, as keys, and what fills them.

    Args:
        begun: Names of backfills that an earlier run has begun.
    """

    def __init__(self, locked: LockedChain, decision: Decision, safely: Safely, begun: Collection[str]) -> None:
        self._locked = locked
        self._decision = decision
        self._safely = safely
        self._begun = begun

    def is_due(self, column: str) -> bool:
        """The column is made anew, or has no values yet, or an earlier run has begun to fill it."""
        begun = any(_name(column, step) in self._begun for step in self._fillers(column)) if self._begun else False
        unfilled = identity_of(column) in self._decision.unfilled
        return self._decision.found.get(column) is None or unfilled or begun

    def columns(self, keys: Collection[str]) -> frozenset[str]:
        """The columns of these facts that an UPDATE of the chain fills, as `schema.table.column`."""
        missing = (f"column {identity_of(key)}" for key in keys if kind_of(key) == "not null")
        columns = {key for key in (*keys, *missing) if kind_of(key) == "column" and self.is_due(key)}
        return frozenset(identity_of(key) for key in columns if self._fillers(key))

    def actions(self, column: str) -> list[Action]:
        """The UPDATEs, in batches where the table is big."""
        return [
            Action(
                step=None,
                id=_name(column, step),
                verdict="heal",
                reason=f"step {step.id} fills it",
                statements=step.statements,
                marks=False,
                context=step.context,
                backfill=self._safely.in_batches(step, _name(column, step), table_of(column)),
            )
            for step in self._fillers(column)
        ]

    def _fillers(self, key: str) -> list[Step]:
        """The steps that are nothing but an UPDATE of the column, as far as they were done here."""
        table, column = own_name(table_of(key)), own_name(identity_of(key))
        found = []
        for step in self._locked.steps[: self._decision.anchor]:
            if step.tags == ("update_stmt",) and column in step.sql and table in step.sql:
                (statement,) = parse_statements(step.statements[0])
                is_of_table = statement.node.relation.relname == table
                if is_of_table and fills(statement, column) and self._still_fits(step, key):
                    found.append(step)
        return found

    def _still_fits(self, step: Step, key: str) -> bool:
        """True where no column of the table that the UPDATE names has been taken away since."""
        table, before = table_of(key), self._decision.before
        taken = (one for one in self._decision.final if one.startswith("column ") and table_of(one) == table)
        return not any(before.get(one) is None and mentions(step.sql, identity_of(one)) for one in taken)


def _name(column: str, step: Step) -> str:
    return f"{column} with {step.id}"
