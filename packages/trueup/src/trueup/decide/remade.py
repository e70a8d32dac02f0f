"""Types, views and functions that are here as a later step makes them anew; steps before that need their first form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from trueup.catalog import enums
from trueup.catalog.keys import identity_of, kind_of, parts
from trueup.chain.definitions import same_but_for_columns
from trueup.chain.model import NOTHING, Effect, Step
from trueup.decide.held import is_of_type, reads, with_leaves
from trueup.decide.trajectory import Trajectories, Value

_REMADE = ("enum", "domain", "type", "view", "materialized view", "function")
_COMPUTED = ("index ", "constraint ", "generated ")
"""What a function is called for when it is made: another that is called so may not do."""


class Remade(NamedTuple):
    """Such a thing: the step that makes what is here, the facts that go with it, and another that hangs on it."""

    key: str
    maker: int
    own: frozenset[str]
    holder: str

    def said(self, index: int, steps: Sequence[Step]) -> str:
        """How it is here, for the step of that index."""
        if self.maker == index:
            return f"{self.key} is here as its step makes it, but of the columns of another time"
        maker = steps[self.maker].id
        return f"{self.key} is here as a later step, {maker}, makes it anew, and a step before needs it as it was"


def remade_early(
    index: int,
    paths: Trajectories,
    now: Mapping[str, Value],
    place: Mapping[str, int],
    done: frozenset[int],
    beside: Mapping[str, str] = NOTHING,
) -> Remade | None:
    """The first that a step makes and that is here in another form, which would not do for the steps behind it.

    Args:
        index: The step; it is to come, as are those behind it but for `done`.
        paths: The values of the chain's facts.
        now: The database just before the step.
        place: The later places of facts that are there early.
        done: The steps that are taken as done.
        beside: What is here and no step makes.
    """
    for key, value in paths.effects[index].set.items():
        here = now.get(key)
        if here in (None, value) or kind_of(key) not in _REMADE or paths.value_at(key, index) is not None:
            continue
        if kind_of(key) == "enum" and enums.has_all(here or "", value):
            continue
        if place.get(key) == index + 1:  # as the step makes it, but of other columns
            return _remade(key, index, now, beside)
        end = paths.taken_away(key, index + 1, place.get(key, 0))
        between = (step for step in range(index, end - 1) if step not in done)
        if any(_needs(paths.effects[step], key, now) for step in between):
            early = _remade(key, place[key] - 1, now, beside)
            if not (early.holder and key.startswith("function ")):  # those are made with it as it is
                return early
    return None


def _remade(key: str, maker: int, now: Mapping[str, Value], beside: Mapping[str, str]) -> Remade:
    own = frozenset({*with_leaves([key], now), *_checks(key, now)})
    facts = chain(now.items(), beside.items())
    holder = next((k for k, v in facts if v is not None and k not in own and _hangs(v, key)), "")
    return Remade(key, maker, own, holder)


def of_other_columns(key: str, found: str, made: Iterable[tuple[int, Value]], steps: Sequence[Step]) -> int:
    """The place of the step that makes a view as it is here, but for the columns that a star stands for; or zero.

    Args:
        key: The view.
        found: What it is here.
        made: The places of the steps to come that set it, and its values there.
        steps: The chain's.
    """
    views = ((place, value) for place, value in made if value is not None and kind_of(key) == "view")
    is_made = ((at, same_but_for_columns(steps[at - 1], identity_of(key), found, value)) for at, value in views)
    return next((place for place, same in is_made if same), 0)


def _needs(effect: Effect, key: str, now: Mapping[str, Value]) -> bool:
    """True where the step makes something of it that is not there yet."""
    made = ((one, value) for one, value in effect.set.items() if now.get(one) is None and one != key)
    if key.startswith("function "):
        made = ((one, value) for one, value in made if one.startswith(_COMPUTED))
    return any(_hangs(value, key) for _, value in made)


def _checks(key: str, now: Mapping[str, Value]) -> Iterator[str]:
    """The constraints of a domain."""
    return (one for one in now if one.startswith(f"domain constraint {identity_of(key)}."))


def _hangs(value: str, key: str) -> bool:
    """True where the value of a fact names it, with its schema; a column's type in `public` has none."""
    name = ".".join(parts(identity_of(key)))
    return is_of_type(value, name) or reads(value, name)
