"""Steps that leave no trace in the catalog: rows written, calls, DDL without effect.

In order of trust: the ledger; the author's `done when` (both are settled before this is asked); a statement that
repeats harmlessly; then, without a ledger of trueup's own, its place in the chain, but only where the steps on the same
relations agree with it.
"""

from __future__ import annotations

from collections.abc import Mapping

from trueup.catalog.keys import column_of, index_table, kind_of, parts, table_of, unquoted
from trueup.chain.model import LockedChain, Step
from trueup.decide.anchor import Anchor
from trueup.decide.model import Marks, StepVerdict
from trueup.decide.trajectory import Trajectories

_WRITES = ("RX", "SUE", "S", "SRE", "X", "AE")
_ASK = "say which with `trueup resolve {step} --applied` or `--run`"


class DataRules:
    """Answers for the steps of one decision. `heal` are the facts healed in this run, `early` those ahead."""

    def __init__(
        self,
        locked: LockedChain,
        paths: Trajectories,
        live: Mapping[str, str],
        anchor: Anchor,
        marks: Marks,
        heal: Mapping[str, int],
        early: Mapping[str, int],
    ) -> None:
        self.locked = locked
        self.paths = paths
        self.live = live
        self.done = frozenset(anchor.done)
        self.marks = marks
        self.position = anchor.position
        self.empty_database = anchor.position == 0 and not any(key in live for key in paths.of)
        self.healed_tables = {table_of(key) for key in heal if kind_of(key) == "table"}
        self.healed_columns = {column_of(key) for key in heal if kind_of(key) == "column"}
        self.behind = {place for key in heal if (place := _relation(key, paths))}
        self.ahead = {place for key in early if (place := _relation(key, paths))}

    def verdict(self, index: int) -> StepVerdict:
        """Run it, assume that it was done, or leave the decision to a person."""
        step = self.locked.steps[index]
        before = index in self.done
        if not step.has_data:
            if before:
                return StepVerdict(index=index, verdict="reconcile", reason="it changes nothing in the catalog")
            return StepVerdict(index=index, verdict="run", reason="it changes nothing in the catalog, and is pending")
        if self.marks.own:
            return StepVerdict(index=index, verdict="run", reason="not in the ledger")
        if self.empty_database:
            return StepVerdict(index=index, verdict="run", reason="the database is empty")
        if step.guarded and (not before or self._still_fits(index)):
            return StepVerdict(index=index, verdict="run", reason="it repeats harmlessly")
        return self._by_place(index, step, before=before)

    def _by_place(self, index: int, step: Step, *, before: bool) -> StepVerdict:
        relations = set(self.locked.effects[index].locks)
        written = {name for name, mode in self.locked.effects[index].locks.items() if mode in _WRITES}
        if before:
            if written and written <= self.healed_tables:
                return StepVerdict(index=index, verdict="run", reason="the table it fills was missing")
            if self._names_healed(step, relations):
                return self._conflict(index, step, "it uses what was missing, so it may not have run")
            if not self._disagree(relations, self.behind, unknown=step.opaque):
                return StepVerdict(index=index, verdict="assume", reason="everything around it is there")
            return self._conflict(index, step, "some of what stood before it is missing here")
        if not self._disagree(relations, self.ahead, unknown=step.opaque):
            return StepVerdict(index=index, verdict="run", reason="nothing behind it is there")
        return self._conflict(index, step, "later steps on the same tables are there")

    def _disagree(self, relations: set[str], others: set[str], *, unknown: bool) -> bool:
        return bool(others) if unknown and not relations else bool(relations & others)

    def _names_healed(self, step: Step, relations: set[str]) -> bool:
        if relations & self.healed_tables:
            return True
        words = step.sql
        return any(
            column.rpartition(".")[0] in relations and unquoted(parts(column)[-1]) in words
            for column in self.healed_columns
        )

    def _still_fits(self, index: int) -> bool:
        """No step between it and the anchor took away or retyped a column of its tables, or changed an enum."""
        relations = set(self.locked.effects[index].locks)
        for later in range(index + 1, self.position):
            effect = self.locked.effects[later]
            taken = [key for key in effect.gone if key.startswith(("table ", "column "))]
            taken += [
                key for key in effect.set if key.startswith("column ") and self.paths.value_at(key, later) is not None
            ]
            enums = any(key.startswith("enum ") and self.paths.value_at(key, later) is not None for key in effect.keys)
            if enums or any(table_of(key) in relations for key in taken):
                return False
        return True

    def _conflict(self, index: int, step: Step, why: str) -> StepVerdict:
        return StepVerdict(index=index, verdict="conflict", reason=f"{why}; {_ASK.format(step=step.id)}")


def _relation(key: str, paths: Trajectories) -> str:
    """The table or view that a fact lives on."""
    kind = kind_of(key)
    if kind in ("index", "valid"):
        return next((index_table(value) for _, value in paths.of[key] if value), "") if kind == "index" else ""
    if kind in ("view", "materialized view"):
        return key.removeprefix(kind).strip()
    return table_of(key)
