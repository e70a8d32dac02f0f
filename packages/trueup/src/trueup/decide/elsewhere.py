"""What is early on a table that a pending step renames away, to make another of its name: it was meant for that one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from trueup.catalog.keys import identity_of, kind_of, owner_of, table_touched
from trueup.catalog.references import foreign_key
from trueup.chain.model import Effect
from trueup.decide.rows import Rows
from trueup.decide.trajectory import Trajectories, Value

_DROPPED = ("constraint", "index", "column")  # in this order: the first two may be of such a column


def goes_elsewhere(
    renamed: set[str], index: int, place: Mapping[str, int], now: Mapping[str, Value], paths: Trajectories
) -> list[str]:
    """The early facts that were meant for a later table of this name, and are on, or refer to, what the step renames.

    Args:
        renamed: The tables that the step is to rename.
        index: Which step it is.
        place: The later places of facts that are there early.
        now: The database just before the step.
        paths: The chain's effects.
    """
    effect = paths.effects[index]
    if not any(_is_made_anew(table, index + 1, paths) or _is_swapped(table, effect) for table in renamed):
        return []
    later = ((key, now.get(key)) for key, at in place.items() if at > index + 1)
    later = ((key, value) for key, value in later if value != paths.value_at(key, index))  # else it has it of its own
    meant = {key for key, value in later if value is not None and not renamed.isdisjoint(_tables(key, value))}
    leaves = {key for key in place if owner_of(key) in meant and now.get(key) is not None}
    return sorted(meant | leaves)


def _tables(key: str, value: str) -> set[str]:
    """The table that a fact is on, and the one that it refers to: that it would follow."""
    reference = foreign_key(value) if kind_of(key) == "constraint" else None
    return {table_touched(key, value), *([reference.parent] if reference else [])}


def can_go(key: str, was: Value, others: Collection[str], rows: Rows) -> bool:
    """True for what can go, for its own step to make it again: a column without values, and what holds no rows.

    Not what the table that is renamed has of its own by then: `was`, in another form.
    """
    if was is not None:
        return False
    if kind_of(key) == "column":
        return rows.is_unset(identity_of(key))
    return kind_of(key) in ("index", "constraint") or owner_of(key) in others


def in_order_to_go(keys: Iterable[str]) -> list[str]:
    """Those of them that have to be dropped, the first first; the others go along."""
    return sorted((key for key in keys if kind_of(key) in _DROPPED), key=lambda key: _DROPPED.index(kind_of(key)))


def _is_swapped(table: str, effect: Effect) -> bool:
    """True where the step's own statements rename the table away, and then make another of its name."""
    key, is_gone = f"table {table}", False
    for part in effect.parts:
        if is_gone and key in part.set and not any(one.startswith("table ") for one in part.gone):
            return True
        is_gone = is_gone or key in part.gone
    return False


def _is_made_anew(table: str, position: int, paths: Trajectories) -> bool:
    """True where the next of that name is not this one, renamed again."""
    values = paths.of.get(f"table {table}", ())
    made = next((place for place, value in values if place > position and value is not None), 0)
    return made > 0 and not any(key.startswith("table ") for key in paths.effects[made - 1].gone)
