"""Whether what a data step uses is still as it was at its place in the chain: only then can it run again."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cached_property

from trueup.catalog import enums
from trueup.catalog.keys import identity_of, kind_of, mentions, table_of
from trueup.catalog.types import widens
from trueup.chain.model import Step
from trueup.decide.given import Given
from trueup.decide.held import is_of_type, may_name

CALLABLE = ("view", "materialized view", "function", "procedure")


class Fitting:
    """Answers about the steps before the anchor. `heal` are the facts that are made first."""

    def __init__(self, given: Given, heal: Collection[str]) -> None:
        self.locked, self.paths, self.live, self.begun = given.locked, given.paths, given.live, given.begun
        self.position, self.heal = given.anchor.position, heal

    def still_fits(self, index: int, *, by_name: bool = False) -> bool:
        """No step up to the anchor, nor a begun one, took away or retyped a column of its tables, or labels of an enum.

        Nor made what a new row could be refused for: a trigger, or NOT NULL of a column that it does not name. (A CHECK
        is made on a table that has those rows already.)

        Args:
            index: The step.
            by_name: It is known not to have run: columns that it does not name are nothing to it.
        """
        step, relations = self.locked.steps[index], self.locked.effects[index].locks
        for later in range(index + 1, self.position):
            effect = self.locked.effects[later]
            taken = (key for key in self._taken[later] if table_of(key) in relations)
            if any(not (by_name and self._is_nothing_to(step, index, key)) for key in taken):
                return False
            if self._is_called(effect.gone, step):
                return False
            if step.inserts and any(
                relations.get(table_of(k)) == "RX" and self._may_refuse(k, step) for k in effect.set
            ):
                return False
        if any(later > index and self._writes_labels(step, index, enum) for later, enum in self._lessened):
            return False
        gone = (key for part in self.begun for key in part.gone if key not in self.live)
        return not any(table_of(key) in relations and mentions(step.sql, identity_of(key)) for key in gone)

    def _is_nothing_to(self, step: Step, index: int, key: str) -> bool:
        """True for a column that it does not name; one of a table that it inserts into it may have a value for."""
        effect = self.locked.effects[index]
        if not key.startswith("column ") or may_name(identity_of(key), step.sql, effect.locks):
            return False
        return not (step.inserts and effect.locks.get(table_of(key)) == "RX")

    @cached_property
    def _taken(self) -> list[list[str]]:
        """By step, the tables and columns that it takes away, and the columns that it narrows."""
        found = []
        for index, effect in enumerate(self.locked.effects):
            narrowed = (key for key in effect.set if key.startswith("column ") and self._is_narrowed(key, index))
            found.append([*(key for key in effect.gone if key.startswith(("table ", "column "))), *narrowed])
        return found

    @cached_property
    def _lessened(self) -> list[tuple[int, str]]:
        """The steps up to the anchor that take labels from an enum, or the enum."""
        effects = enumerate(self.locked.effects[: self.position])
        enums_of = ((index, key) for index, effect in effects for key in effect.keys if key.startswith("enum "))
        return [(index, identity_of(key)) for index, key in enums_of if self._loses_labels(key, index)]

    @cached_property
    def _columns_on(self) -> dict[str, list[str]]:
        """By table, the columns that it ever has."""
        found: dict[str, list[str]] = {}
        for key in self.paths.of:
            if key.startswith("column "):
                found.setdefault(table_of(key), []).append(key)
        return found

    def _is_narrowed(self, column: str, index: int) -> bool:
        """True where the step gives a column that is there a type that does not hold all values of its former one."""
        was, made = self.paths.value_at(column, index), self.locked.effects[index].set[column]
        return was is not None and not widens(was, made)

    def _is_called(self, gone: Iterable[str], step: Step) -> bool:
        """True where something is gone that the step calls by its name."""
        called = (key for key in gone if kind_of(key) in ("sequence", *CALLABLE) and key not in self.live)
        return any(mentions(step.sql, identity_of(key)) for key in called)

    def _loses_labels(self, enum: str, index: int) -> bool:
        """True where the step takes the enum away, or labels of it."""
        was, made = self.paths.value_at(enum, index), self.locked.effects[index].set.get(enum)
        return was is not None and (made is None or not enums.has_all(made, was))

    def _writes_labels(self, step: Step, index: int, enum: str) -> bool:
        """True where the step names the enum, or a table of its has a column of that type."""
        relations = self.locked.effects[index].locks
        columns = (key for table in relations for key in self._columns_on.get(table, ()))
        types = (self.paths.value_at(key, index) for key in columns)
        return mentions(step.sql, enum) or any(value is not None and is_of_type(value, enum) for value in types)

    def _may_refuse(self, key: str, step: Step) -> bool:
        kind = kind_of(key)
        unnamed = kind == "not null" and not mentions(step.sql, identity_of(key))
        return (kind == "trigger" and key in self.live) or (unnamed and self.must_be_given(key))

    def must_be_given(self, key: str) -> bool:
        """NOT NULL of a column that no default fills, nor one that is healed first."""
        facets = {f"{facet} {identity_of(key)}" for facet in ("default", "identity", "generated")}
        return key in self.live and facets.isdisjoint(self.live) and facets.isdisjoint(self.heal)
