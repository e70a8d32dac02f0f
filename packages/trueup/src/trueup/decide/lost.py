"""Marks of trueup's own that somebody has deleted.

With a completion the ledger keeps how many marks there were. Where the database is still what the steps made that had
them, or further along, they count as marked, so that none is done twice. Where something of it is gone or as it was
before, somebody may have taken a step back, and its mark with it: then facts and rows alone decide.
"""

from __future__ import annotations

from trueup.chain.model import Facts, LockedChain
from trueup.decide.labels import has_early
from trueup.decide.model import Marks
from trueup.decide.trajectory import Trajectories, fold


def with_lost(locked: LockedChain, live: Facts, marks: Marks, paths: Trajectories) -> Marks:
    """The marks, those that were lost among them where the facts bear it out; else without a word of these."""
    done = marks.done | marks.lost
    if marks.lost and _is_reached(live, fold(locked.effects, sorted(done), locked.base), max(done) + 1, paths):
        return Marks(done, marks.own | marks.lost, marks.lost, whole=True)
    return marks._replace(lost=frozenset())


def _is_reached(live: Facts, state: Facts | dict[str, str | None], position: int, paths: Trajectories) -> bool:
    """True where each fact is as in this state or as a later step makes it."""
    for key in paths.of:
        found = live.get(key)
        is_later = found is not None and (
            paths.last_place(key, found) > position or has_early(key, found, position, paths)
        )
        if found != state.get(key) and not is_later:
            return False
    return True
