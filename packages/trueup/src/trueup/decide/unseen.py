"""What a data step must not see yet: triggers, rules, defaults and functions as later steps have made them early.

It writes its rows as it would have in the chain. In its own transaction, such a thing is what it was at its place:
it is set aside, or has its former value. Constraints stay: users may rely on them, and mostly the rows fit. Only where
a foreign key would take rows along, or leave some behind, or a column's values are others, a person has to decide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property

from trueup.catalog import enums
from trueup.catalog.keys import identity_of, kind_of, mentions, own_name, table_of
from trueup.chain.model import Step
from trueup.chain.statements import columns_written
from trueup.decide.carried import Carried, may_do
from trueup.decide.data import DataRules
from trueup.decide.given import Given
from trueup.decide.held import with_leaves
from trueup.decide.model import StepVerdict, conflict
from trueup.decide.surroundings import not_filled
from trueup.decide.trajectory import Value

_FUNCTIONS = ("function", "procedure")
_FIRING = ("trigger", "trigger state", "rule")
_SEEN = (*_FUNCTIONS, *_FIRING, "default", "constraint", "column", "view")
_CALLING = ("trigger", "rule", "default", "generated")
_NAMED_IN_DEFAULTS = (*_FUNCTIONS, "sequence", "enum", "domain", "type")
_TAKES_ALL = ("text", "character varying", "bigint", "numeric")  # what was there is still there, in another form
_EVENTS = re.compile(r"\b(?:BEFORE|AFTER|INSTEAD OF|ON) ((?:INSERT|UPDATE|DELETE|TRUNCATE)\b.*?) (?:ON|TO) ")


class Unseen:
    """Answers for the data steps of one decision.

    Args:
        now: The database as it is just before the step that is asked about.
        some: The facts that a later step may have made.
        is_later: Whether one is as a step behind this one has made it.
        rules: What is known of the data steps.
    """

    def __init__(
        self,
        given: Given,
        now: Mapping[str, Value],
        some: Iterable[str],
        is_later: Callable[[str, int], bool],
        rules: DataRules,
    ) -> None:
        self._steps, self._effects, self._paths = given.locked.steps, given.locked.effects, given.paths
        self._now, self._is_later, self._rules = now, is_later, rules
        self._called = rules.around.called
        self._carried = Carried(given, now, rules, self.reached)
        self._some = [key for key in some if kind_of(key) in _SEEN]

    def kept_from(self, verdict: StepVerdict, *, said: bool) -> StepVerdict:
        """The verdict of a data step that is to run, with what it is to be kept from; or else a conflict."""
        index, step = verdict.index, self._steps[verdict.index]
        if not said and (gone := self._gone(index)):
            return conflict(index, f"it uses {gone}, which a later step has taken away here already")
        early = {} if step.python else {**dict(self._early(index)), **self._made_without(verdict)}
        tables = self._rules.around.written(index)
        if not said and (why := self._carried.along(index, early)):
            return conflict(index, why)
        if not early:
            return verdict
        if not said and (key := self._retyped_in_its_file(early, index)):
            return conflict(index, f"it reads {identity_of(key)}, whose type a later step of its file has changed here")
        if not said and (view := self._read_anew(early, tables, index)):
            return conflict(index, f"it reads {view}, and that is as a later step has made it here: put it back first")
        acting = {key for key, was in early.items() if table_of(key) in tables and self._acts(key, was, step)}
        called = {key for key, was in early.items() if was is not None and kind_of(key) in _FUNCTIONS}
        texts = self.reached(index, tables) if called else []
        called = {key for key in called if any(mentions(text, identity_of(key)) for text in texts)}
        aside = with_leaves((key for key in acting if self._now.get(key) is not None), self._now)
        former = {key: was for key, was in early.items() if was is not None and key in acting | called}
        return verdict._replace(aside={**verdict.aside, **aside}, former=former)

    def _gone(self, index: int) -> str:
        """A table that it names and that is not there, though it was before the step."""
        step, effect = self._steps[index], self._effects[index]
        tables = (table for table in effect.locks if self._now.get(f"table {table}") is None)
        there = (table for table in tables if self._paths.value_at(f"table {table}", index) is not None)
        return "" if effect.keys else next((table for table in there if mentions(step.sql, table)), "")

    def _early(self, index: int) -> Iterator[tuple[str, Value]]:
        """The facts that are as later steps make them, and what they were; not those that the step itself touches."""
        effect = self._effects[index]
        touched = {key for one in (effect, *effect.parts) for key in one.keys}
        for key in self._some:
            if self._is_later(key, index) and not {key, f"table {table_of(key)}"} & touched:
                was = self._was(key, index)
                if was != self._now.get(key):
                    yield key, was

    def _made_without(self, verdict: StepVerdict) -> dict[str, Value]:
        """Functions as a block makes them, where they are here as a later step does and its text is not sent."""
        if verdict.verdict != "complete":
            return {}
        effect = self._effects[verdict.index]
        sent = {key for position in verdict.statements for key in effect.parts[position].set}
        later = {key for key in self._some if kind_of(key) in _FUNCTIONS and self._is_later(key, verdict.index)}
        return {key: value for key, value in effect.set.items() if key in later - sent}

    def _was(self, key: str, index: int) -> Value:
        """Its value just before the step; a column that is there early has the default that it came with."""
        column = f"column {identity_of(key)}"
        if kind_of(key) != "default" or self._paths.value_at(column, index) is not None:
            return self._paths.value_at(key, index)
        made = (place for place, value in self._paths.of.get(column, ()) if place > index and value is not None)
        return self._paths.value_at(key, next(made, index))

    def _acts(self, key: str, was: Value, step: Step) -> bool:
        """True where it has a part in what the step writes into its table."""
        kind, identity = kind_of(key), identity_of(key)
        if kind == "default":
            unnamed = own_name(identity) not in columns_written(step.statements)
            return step.inserts and unnamed and (was is None or self._can_be_given(identity, was))
        if kind not in _FIRING:
            return False
        here = self._now.get(f"trigger {identity}" if kind == "trigger state" else key)
        fired = was if here is None and kind != "trigger state" else here
        return fired is not None and _fires(fired, table_of(key), step)

    def _retyped_in_its_file(self, early: Mapping[str, Value], index: int) -> str:
        """A column that it reads, and whose values a later step of its file has made others: it was to keep them."""
        step, tables = self._steps[index], self._effects[index].locks
        for key, was in early.items():
            here = self._now.get(key)
            if kind_of(key) != "column" or was is None or here is None or here.startswith(_TAKES_ALL):
                continue
            is_of_its_file = self._steps[self._paths.last_place(key, here) - 1].path == step.path
            is_named = table_of(key) in tables and mentions(step.sql, identity_of(key))
            if is_of_its_file and is_named and not_filled(step, [identity_of(key)]):
                return key
        return ""

    def _read_anew(self, early: Mapping[str, Value], tables: set[str], index: int) -> str:
        """A view that it reads, be it through another or a function, and that a later step has made another."""
        views = [key for key, was in early.items() if kind_of(key) == "view" and None not in (was, self._now.get(key))]
        texts = self.reached(index, tables) if views else []
        return next((key for key in views if any(mentions(text, identity_of(key)) for text in texts)), "")

    def _can_be_given(self, column: str, default: str) -> bool:
        """True where the column still has the type of this default, and what the default names is there."""
        key = f"column {column}"
        if self._now.get(key) != self._paths.value_at(key, self._paths.last_place(f"default {column}", default)):
            return False
        named = (k for k in self._paths.of if kind_of(k) in _NAMED_IN_DEFAULTS and mentions(default, identity_of(k)))
        return all(_offers(self._now.get(k), k, default) for k in named)

    def reached(self, index: int, tables: set[str]) -> list[str]:
        """The step's text, those of what acts on the tables that it writes, and of the views and functions they use."""
        acting = (key for table in tables for key in self._on_table.get(table, ()))
        texts = [self._steps[index].sql, *(value for key in acting if (value := self._paths.value_at(key, index)))]
        return self._called.reached(texts, index)

    @cached_property
    def _on_table(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for key in self._paths.of:
            if kind_of(key) in _CALLING:
                found.setdefault(table_of(key), []).append(key)
        return found


def _fires(value: str, table: str, step: Step) -> bool:
    """True where a trigger or a rule is for an event that the step may cause."""
    events = _EVENTS.search(value)
    return events is None or may_do(re.findall("INSERT|UPDATE|DELETE|TRUNCATE", events[1]), table, step)


def _offers(here: Value, key: str, default: str) -> bool:
    """True where what a default names is there; of an enum, with the label."""
    return here is not None and (kind_of(key) != "enum" or any(label in default for label in enums.labels(here)))
