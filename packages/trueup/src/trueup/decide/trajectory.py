"""The values that each fact takes along a chain, and states folded from effects."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from trueup.catalog.keys import COLUMN_FACETS, identity_of, owner_of, parts, table_of
from trueup.chain.model import Effect

Value = str | None
_SET_BY_HAND = ("trigger state ", "row security ")
_BOTH = 2  # the old table and the new one


class Trajectories:
    """For one chain, every fact's values in order. Positions count steps: position i is after step i - 1."""

    def __init__(self, effects: Sequence[Effect], base: Mapping[str, str]) -> None:
        self.effects = effects
        self.base = base
        self.of: dict[str, list[tuple[int, Value]]] = {}
        for index, effect in enumerate(effects):
            for key, value in effect.set.items():
                self.of.setdefault(key, [(0, base.get(key))]).append((index + 1, value))
            for key in effect.gone:
                self.of.setdefault(key, [(0, base.get(key))]).append((index + 1, None))

    @cached_property
    def passing(self) -> frozenset[str]:
        """Facts that are there only in the middle of a step of several statements."""
        made = {key for effect in self.effects for part in effect.parts for key in part.set}
        return frozenset(made - self.of.keys())

    @cached_property
    def remade(self) -> dict[str, list[int]]:
        """The places of the steps of several statements that make a fact anew and leave it as it was."""
        found: dict[str, list[int]] = {}
        for index, effect in enumerate(self.effects):
            touched = frozenset(effect.keys)
            for key in {key for part in effect.parts for key in part.set if key not in touched}:
                found.setdefault(key, []).append(index + 1)
        return found

    @cached_property
    def columns(self) -> frozenset[str]:
        """Identities of all columns that the chain ever has."""
        return frozenset(identity_of(key) for key in self.of if key.startswith("column "))

    @cached_property
    def renamed_from(self) -> dict[str, tuple[str, int]]:
        """For a column that a rename brought: the key that it had before, and the index of that step."""
        found: dict[str, tuple[str, int]] = {}
        for index, effect in enumerate(self.effects):
            gone, new = ([k for k in keys if k.startswith("column ")] for keys in (effect.gone, effect.set))
            if gone and len(gone) == len(new) and _same_but_for_the_name(effect, gone, new):
                found.update((key, (old, index)) for old, key in zip(sorted(gone), sorted(new), strict=True))
        return found

    def names(self, key: str) -> Iterator[str]:
        """The column's key and those that it had before, from the last on; it may get one back that it had."""
        end = len(self.effects)
        yield key
        while key in self.renamed_from and self.renamed_from[key][1] < end:
            key, end = self.renamed_from[key]
            yield key

    def step_not_run(self, key: str, found: str) -> int:
        """The step that should have changed a column's type before it was renamed to this; -1 where there is none."""
        end = len(self.effects)
        while key in self.renamed_from and self.renamed_from[key][1] < end:
            key, end = self.renamed_from[key]
            had = max((place for place, value in self.of[key] if value == found and place <= end), default=-1)
            if had >= 0:
                return next((place - 1 for place, _ in self.of[key] if had < place <= end), -1)
        return -1

    def manages(self, key: str) -> bool:
        """True for the chain's facts, and for the facets of its objects even where it never gave them a value.

        So a default that somebody has set is told, a trigger that is disabled, and row security that is on.
        """
        if key in self.of:
            return True
        if key.startswith(COLUMN_FACETS):
            return identity_of(key) in self.columns
        return key.startswith(_SET_BY_HAND) and owner_of(key) in self.of

    def last_place(self, key: str, value: Value) -> int:
        """The last position at which the fact has this value; -1 where it never has."""
        places = self.of.get(key, ((0, None),))
        return next((place for place, at in reversed(places) if at == value), -1)

    def value_at(self, key: str, position: int) -> Value:
        """The fact's value after the first `position` steps."""
        found: Value = None
        for place, value in self.of.get(key, ()):
            if place > position:
                break
            found = value
        return found

    def taken_away(self, key: str, start: int, end: int) -> int:
        """The first place behind `start`, up to `end`, of a step that takes it away, be it to make it anew; or zero."""
        places = self._gone_at.get(key, [])
        at = bisect_right(places, start)
        return places[at] if at < len(places) and places[at] <= end else 0

    @cached_property
    def _gone_at(self) -> dict[str, list[int]]:
        """By fact, the places of the steps that take it away, be it in their middle."""
        found: dict[str, list[int]] = {}
        for place, effect in enumerate(self.effects, 1):
            for key in {*effect.gone, *(key for part in effect.parts for key in part.gone)}:
                found.setdefault(key, []).append(place)
        return found

    def last_setter(self, key: str, position: int) -> int:
        """Index of the last step up to `position` that touches the fact; -1 where it is the base's."""
        found = -1
        for place, _ in self.of.get(key, ()):
            if 0 < place <= position:
                found = place - 1
        return found


def _same_but_for_the_name(effect: Effect, gone: list[str], new: list[str]) -> bool:
    """One column of a table for another, or one table with all its columns for another."""
    tables = [key for key in (*effect.gone, *effect.set) if key.startswith("table ")]
    if len(gone) == 1:
        return len({table_of(key) for key in (*gone, *new)}) == 1 or len(tables) == _BOTH
    names = [sorted(parts(identity_of(key))[-1] for key in keys) for keys in (gone, new)]
    return len(tables) == _BOTH and names[0] == names[1]


def fold(effects: Sequence[Effect], indexes: Iterable[int], base: Mapping[str, str]) -> dict[str, Value]:
    """The state after these steps, in order; removed facts stay as None."""
    state: dict[str, Value] = dict(base)
    for index in indexes:
        effect = effects[index]
        state.update(effect.set)
        for key in effect.gone:
            state[key] = None
    return state
