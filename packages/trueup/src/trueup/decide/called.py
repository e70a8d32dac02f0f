"""What a step reads and writes by way of the views and functions that it names."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from trueup.catalog.keys import identity_of, kind_of
from trueup.chain.definitions import defining_statement, texts_reached
from trueup.decide.fitting import CALLABLE
from trueup.decide.given import Given


class Called:
    """The chain's views and functions, as texts."""

    def __init__(self, given: Given) -> None:
        self._locked, self._paths = given.locked, given.paths

    def reached(self, texts: Iterable[str], index: int) -> list[str]:
        """The texts, and those of what they name, as it was at this place, be it through others."""
        there = self._callable
        return list(texts_reached(texts, there, lambda name: self._text_of(there[name], index)))

    @cached_property
    def _callable(self) -> dict[str, str]:
        return {identity_of(key): key for key in self._paths.of if kind_of(key) in CALLABLE}

    def _text_of(self, key: str, index: int) -> str:
        """What it is at this place; of a function the facts have no text. Empty where it is not there."""
        setter, value = self._paths.last_setter(key, index), self._paths.value_at(key, index)
        if value is None or setter < 0 or kind_of(key) not in ("function", "procedure"):
            return value or ""
        return self._locked.effects[setter].texts.get(key, "") or defining_statement(self._locked.steps[setter], key)
