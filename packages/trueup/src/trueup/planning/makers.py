"""Which step of the chain gave a fact its value, and how that step's text defines it."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property, partial

from trueup.catalog.keys import by_own_name, identity_of, kind_of, quoted
from trueup.chain.definitions import check_definition, defining_statement, trigger_statement, view_statement
from trueup.chain.model import LockedChain, Step
from trueup.decide.trajectory import Trajectories

_IN_A_LIST = "(ARRAY["  # the server shows `IN (…)` in one of two ways, by how it was written


class Makers:
    """Answers for facts of one chain."""

    def __init__(self, locked: LockedChain, paths: Trajectories) -> None:
        self._locked = locked
        self._paths = paths

    def place(self, key: str, value: str | None) -> int:
        """The index of the last step that gave the fact this value; -1 where it is the base's."""
        return self._paths.last_place(key, value) - 1

    def step(self, key: str, value: str | None) -> Step | None:
        """That step."""
        place = self.place(key, value)
        return self._locked.steps[place] if place >= 0 else None

    def source(self, key: str, value: str | None) -> str:
        """What defines a function, a trigger, view or CHECK; empty where no statement of the chain does as a whole."""
        step = self.step(key, value)
        if step is None:
            return ""
        if kind_of(key) == "trigger":
            return trigger_statement(step, identity_of(key))
        if kind_of(key) == "view":
            return view_statement(step, identity_of(key), partial(self._are_settled, self.place(key, value) + 1))
        if kind_of(key) == "constraint":
            return check_definition(step, identity_of(key)) if _IN_A_LIST in (value or "") else ""
        text = self._locked.effects[self.place(key, value)].texts.get(key, "")
        return text or defining_statement(step, key)

    def _are_settled(self, place: int, tables: Collection[str], columns: Collection[str]) -> bool:
        """True where none of these tables gets or loses one of these columns behind the place, as far as is known."""
        for table in tables:
            known = self._called.get(table, ())
            if len(known) != 1 or any(self._comes_or_goes(f"column {known[0]}.{quoted(c)}", place) for c in columns):
                return False
        return True

    def _comes_or_goes(self, column: str, place: int) -> bool:
        there = self._paths.value_at(column, place) is not None
        return any(at > place and (value is not None) != there for at, value in self._paths.of.get(column, ()))

    @cached_property
    def _called(self) -> dict[str, list[str]]:
        """The chain's tables by their names alone."""
        return by_own_name(identity_of(key) for key in self._paths.of if key.startswith("table "))
