"""Types, views and functions that are here as a later step makes them anew; steps before that need their first form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from trueup.catalog import enums
from trueup.catalog.keys import identity_of, kind_of, parts
from trueup.chain.model import NOTHING, Effect
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
        end = paths.taken_away(key, index + 1, place.get(key, 0))
        between = (step for step in range(index, end - 1) if step not in done)
        if any(_needs(paths.effects[step], key, now) for step in between):
            own = frozenset({*with_leaves([key], now), *_checks(key, now)})
            facts = chain(now.items(), beside.items())
            holder = next((k for k, v in facts if v is not None and k not in own and _hangs(v, key)), "")
            if not (holder and key.startswith("function ")):  # those are made with it as it is
                return Remade(key, place[key] - 1, own, holder)
    return None


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
