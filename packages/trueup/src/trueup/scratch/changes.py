"""What single statements changed, put together to the effect of a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from trueup.chain.locks import STRENGTH
from trueup.chain.model import Effect, Facts
from trueup.scratch.observed import LOCK_LETTERS, Held


class Change(NamedTuple):
    """The facts of the objects that a statement touched, before and after it."""

    old: Facts
    new: Facts
    held: list[Held]
    names: dict[int, str]
    rewritten: tuple[str, ...]


def together(changes: Sequence[Change]) -> tuple[Facts, Facts]:
    """The facts before the first change and after the last one."""
    old: Facts = {}
    new: Facts = {}
    seen: set[str] = set()
    for change in changes:
        old.update((key, value) for key, value in change.old.items() if key not in seen)
        seen.update(change.old, change.new)
        for key in change.old:
            new.pop(key, None)
        new.update(change.new)
    return old, new


def effect_of(old: Facts, new: Facts) -> Effect:
    """What the difference between two states is as an effect."""
    return Effect(
        set=ordered({key: value for key, value in new.items() if old.get(key) != value}),
        gone=tuple(sorted(key for key in old if key not in new)),
    )


def lock_modes(changes: Sequence[Change], *, concurrent: bool) -> dict[str, str]:
    """The strongest mode per relation that was there before a statement took it.

    Args:
        concurrent: The step says CONCURRENTLY, which the scratch server's transaction could not; on a table that takes
            SHARE UPDATE EXCLUSIVE in place of the stronger mode seen.
    """
    names = {oid: name for change in changes for oid, name in change.names.items()}
    found: dict[str, str] = {}
    for lock in (lock for change in changes for lock in change.held):
        letters, name = LOCK_LETTERS.get(lock.mode, ""), names.get(lock.relation)
        if concurrent and letters and STRENGTH[letters] > STRENGTH["SUE"]:
            letters = "SUE"
        if letters and name and STRENGTH[letters] >= STRENGTH.get(found.get(name, ""), -1):
            found[name] = letters
    return dict(sorted(found.items()))


def ordered(facts: Facts) -> Facts:
    """By name, but a table's columns as they stand in it: a table made anew shall look like the author's."""
    columns = {key: place for place, key in enumerate(k for k in facts if k.startswith("column "))}
    return dict(sorted(facts.items(), key=lambda item: (item[0].split(" ", 1)[0], columns.get(item[0], 0), item[0])))
