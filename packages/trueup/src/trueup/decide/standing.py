"""How the facts of a database stand to each step of the chain: before it, there, beyond it, or like nothing known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from trueup.catalog import enums
from trueup.catalog.keys import kind_of, owner_of
from trueup.catalog.types import widens
from trueup.chain.model import Effect
from trueup.decide.cursors import Cursors
from trueup.decide.given import Given
from trueup.decide.held import goes_with_its_owner, hangs_on
from trueup.decide.labels import has_early
from trueup.decide.retyped import by_their_columns
from trueup.decide.trajectory import Value

_SET_OUTRIGHT = ("privileges ", "default privileges ", "comment on ")
"""What a statement sets to its value whatever it was before."""
_WRITTEN_ANEW = ("index ", "constraint ")


class Standing:
    """`now` follows the database from what it is, through healing and each step; `last_done` is the last step by fact.

    `passing` are facts that are here and that a step makes and takes away again.
    """

    def __init__(self, given: Given, cursors: Cursors, passing: Mapping[str, str]) -> None:
        self.locked, self.paths, self.marks, self.done = given.locked, given.paths, given.marks, given.done
        self.begun, self.made_within, self.touched_within = given.anchor.begun, given.made_within, given.touched_within
        self.wanted, self.place, self.passing = cursors.wanted, cursors.place, dict(passing)
        self.now = dict(cursors.now)
        self.last_done = {key: index for index in given.anchor.done for key in self.locked.effects[index].keys}

    def may_be_later(self) -> set[str]:
        """The facts of which a step behind a pending one may have made what they are."""
        settled = self.marks.done if self.marks.own else self.done
        first = next((index for index in range(len(self.locked.steps)) if index not in settled), len(self.locked.steps))
        later = {key for key, index in self.last_done.items() if index > first}
        return self.place.keys() | self.touched_within.keys() | later

    def is_later(self, key: str, index: int) -> bool:
        """True where the fact is as a step behind this one has made it, while this one was still to run."""
        is_pending = index not in self.done or bool(self.marks.own)
        if self.place.get(key, 0) > index + 1 or self.touched_within.get(key, -1) > index:
            return True
        return is_pending and self.last_done.get(key, -1) > index

    def before_it(self, index: int) -> Mapping[str, Value]:
        """The database just before the step, without what those of its statements have made that have run."""
        if index not in self.begun:
            return self.now
        return {key: value for key, value in self.now.items() if key not in self.made_within}

    def has_passing(self, effect: Effect) -> bool:
        """True where something is there that the step's statements make and take away again: the last have not run."""
        return bool(self.within(effect))

    def within(self, effect: Effect) -> dict[str, str]:
        """What is there of that. An enum that is renamed away has come to it with a label less, it may be."""
        found: dict[str, str] = {}
        for part in effect.parts if self.passing else ():
            renamed = [key for key in part.set if key.startswith("enum ")] if _takes_an_enum(part) else []
            for key, value in part.set.items():
                here = self.passing.get(key)
                if here == value or (here is not None and key in renamed and enums.is_part_of(here, value)):
                    found[key] = value
        return found

    def passes(self, effect: Effect) -> None:
        """What the step's statements make and take away again is not there any more behind them."""
        for part in effect.parts if self.passing else ():
            for key in part.set:
                self.passing.pop(key, None)

    def value_before(self, index: int) -> Callable[[str], Value]:
        """A fact's value in the chain just before the step."""
        return lambda key: self.paths.value_at(key, index)

    def early(self, index: int) -> Iterator[tuple[str, str]]:
        """Facts that are there, but only steps behind this one make."""
        for key in self.place.keys() | self.last_done.keys():
            value = self.now.get(key)
            if value is not None and self.paths.value_at(key, index) is None:
                yield key, value

    def sorted_facts(self, index: int, effect: Effect) -> tuple[list[str], list[str], list[str]]:
        """The step's facts that are at or beyond it, those still before it, and those that are neither."""
        there: list[str] = []
        missing: list[str] = []
        strange: list[str] = []
        for key, value in effect.changes:
            found = self.now.get(key)
            if value is not None and self.grown_enum(key, found):
                (there if enums.has_all(found or "", value) else missing).append(key)
            elif found == value or self.is_beyond(key, index) or self._settled_later(key, index, found):
                there.append(key)
            elif (
                found is None
                or found == self.paths.value_at(key, index)
                or (key.startswith("column ") and value is not None and self._is_between(key, found, value, index))
                or key.startswith(_SET_OUTRIGHT)
                or has_early(key, found, index, self.paths)
                or goes_with_its_owner(key, self.locked.steps[index], effect)
                or (key.startswith("default ") and all(one.startswith("default ") for one in effect.keys))
            ):
                missing.append(key)
            else:
                strange.append(key)
        strange_owners = set(strange)
        implied = [key for key in there if owner_of(key) in strange_owners and kind_of(key) in ("valid", "validated")]
        there = [key for key in there if key not in implied]
        return by_their_columns(self.locked.steps[index], there, missing, strange)

    def _is_between(self, column: str, found: str, made: str, index: int) -> bool:
        """True for a type that somebody has widened, and that the step's holds all values of."""
        was = self.paths.value_at(column, index)
        return was is not None and widens(was, found) and widens(found, made)

    def is_beyond(self, key: str, index: int) -> bool:
        """True where the fact is further along than this step; an enum may have come to a later list only by now."""
        if self.place and self.place.get(key, -1) > index:
            return True
        if not key.startswith("enum "):
            return False
        found = self.now.get(key)
        if found is None or found == self.paths.value_at(key, index):
            return False
        return self.paths.last_place(key, found) > index + 1

    def grown_enum(self, key: str, found: Value) -> bool:
        """An enum with labels that later steps add, in their order: nothing the chain ever listed, but no stranger."""
        if found is None or not key.startswith("enum ") or self.paths.last_place(key, found) >= 0:
            return False
        return any(value is not None and enums.is_part_of(found, value) for _, value in self.paths.of[key])

    def _settled_later(self, key: str, index: int, found: Value) -> bool:
        """True where a later step that is done has given the fact the value that it has."""
        return self.last_done.get(key, -1) > index and self.wanted.get(key) == found

    def _write_anew(self, column: str, index: int) -> None:
        """What was made early on a column that changes its type: the server writes it anew, as it does in the chain."""
        for key, found in self.now.items():
            is_on_it = found is not None and key.startswith(_WRITTEN_ANEW) and hangs_on(key, found, column)
            if is_on_it and key in self.paths.of and self.paths.last_place(key, found) < 0:
                later = (value for place, value in self.paths.of[key] if place > index + 1 and value is not None)
                self.now[key] = next(later, found)

    def advance(self, effect: Effect, index: int) -> None:
        """The step, or a part of it, is done: what is not further along is as it leaves it."""
        for key in effect.set:
            if key.startswith("column ") and self.now.get(key) not in (None, effect.set[key]):
                self._write_anew(key, index)
        for key in effect.keys:
            if not self.is_beyond(key, index) and self.last_done.get(key, -1) <= index:
                found, value = self.now.get(key), effect.set.get(key)
                grown = found and value and self.grown_enum(key, found)
                self.now[key] = enums.merged(found, value) if grown and found and value else value


def _takes_an_enum(part: Effect) -> bool:
    return any(key.startswith("enum ") for key in part.gone)
