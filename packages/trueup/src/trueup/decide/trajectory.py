"""The values that each fact takes along a chain, and states folded from effects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from trueup.catalog.keys import COLUMN_FACETS, identity_of
from trueup.chain.model import Effect

Value = str | None


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
    def columns(self) -> frozenset[str]:
        """Identities of all columns that the chain ever has."""
        return frozenset(identity_of(key) for key in self.of if key.startswith("column "))

    def manages(self, key: str) -> bool:
        """True for the chain's facts, and for the facets of its columns even where it never gave them a value."""
        if key in self.of:
            return True
        return key.startswith(COLUMN_FACETS) and identity_of(key) in self.columns

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

    def last_setter(self, key: str, position: int) -> int:
        """Index of the last step up to `position` that touches the fact; -1 where it is the base's."""
        found = -1
        for place, _ in self.of.get(key, ()):
            if 0 < place <= position:
                found = place - 1
        return found


def fold(effects: Sequence[Effect], indexes: Iterable[int], base: Mapping[str, str]) -> dict[str, Value]:
    """The state after these steps, in order; removed facts stay as None."""
    state: dict[str, Value] = dict(base)
    for index in indexes:
        effect = effects[index]
        state.update(effect.set)
        for key in effect.gone:
            state[key] = None
    return state
