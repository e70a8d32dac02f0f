"""Which of what is missing is made again, and which is left to a person: `[run] heal = on | new | off`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Literal, NamedTuple

from trueup.catalog.keys import identity_of, kind_of, owner_of, parts, table_of, table_touched
from trueup.chain.model import NOTHING, LockedChain
from trueup.decide.model import Conflict, Decision, Difference
from trueup.decide.trajectory import fold

Heal = Literal["on", "new", "off"]
"""`new`: only what has never been as it must be; what was so when the database was last proved true is left."""


_NEEDED = {"table", "column", "constraint", "index", "view", "materialized view", "function", "procedure", "sequence"}
_NEEDED |= {"trigger", "policy", "rule", "type", "enum", "domain", "domain constraint", "extension", "schema"}
"""Kinds without which a statement that changes them fails."""


class Proof(NamedTuple):
    """The last proof: the steps that were marked then, and by fact what differed even so."""

    steps: frozenset[int] = frozenset()
    drift: Mapping[str, Difference] = NOTHING

    def were_true(self, locked: LockedChain, decision: Decision) -> frozenset[str]:
        """Of the facts that are not as they must be, those that were when the database was last proved true."""
        differing = {*decision.heal, *(difference.fact for difference in decision.drift)}
        if not self.steps or not differing:
            return frozenset()
        then, found = fold(locked.effects, sorted(self.steps), locked.base), decision.found
        return frozenset(key for key in differing if then.get(key) != found.get(key) and not self._differed(key))

    def _differed(self, key: str) -> bool:
        """True where it was not as it must be even then, nor what it hangs on."""
        if key in self.drift:
            return not self.drift[key].was_true
        owner = owner_of(key)
        return bool(owner) and self._differed(owner)


def without_left(decision: Decision, heal: Heal, were_true: Collection[str]) -> tuple[Decision, list[str]]:
    """The decision with only what is to be healed, and the facts that are left as they are."""
    if heal == "on":
        return decision, []
    left = [key for key in decision.heal if heal == "off" or key in were_true or _hangs_on(key, decision, were_true)]
    left += [key for key in decision.heal if key not in left and owner_of(key) in left]
    kept = {key: step for key, step in decision.heal.items() if key not in left}
    before = {**decision.before, **{key: decision.found.get(key) for key in left}}
    return replace(decision, heal=kept, before=before, reordered=()), left


def _hangs_on(key: str, decision: Decision, missing: Collection[str]) -> bool:
    """True for what cannot be made while one of these tables and columns is missing."""
    value = decision.before.get(key)
    table = table_touched(key, value)
    if not table:
        return False
    gone = {one for one in missing if table_of(one) == table and decision.found.get(one) is None}
    names = [parts(identity_of(one))[-1] for one in gone if one.startswith("column ")]
    mentioned = any(re.search(rf"(?<![\w\"]){re.escape(name)}(?![\w\"])", value or "") for name in names)
    return mentioned or f"table {table}" in gone


def in_the_way(
    locked: LockedChain, decision: Decision, left: Collection[str], wanted: Mapping[str, str | None]
) -> Iterator[Conflict]:
    """Pending steps that change what is left missing: they could not run."""
    missing = [key for key in left if kind_of(key) in _NEEDED and decision.found.get(key) is None]
    for verdict in decision.pending if missing else ():
        keys = {owner_of(key) for key in locked.effects[verdict.index].keys}.union(locked.effects[verdict.index].keys)
        if needed := [key for key in missing if key in keys]:
            yield Conflict(
                about=locked.steps[verdict.index].id,
                why=f"it changes {needed[0]}, which is missing here and is not to be healed",
                differences=tuple(Difference(fact=key, wanted=wanted[key], found=None) for key in needed),
                hint="Make it by hand as it is wanted, or let `trueup up --heal on` do it.",
            )
