"""Marks of trueup's own that somebody has deleted.

With a completion the ledger keeps how many marks there were. Where the database is still what the steps made that had
them, or further along, they count as marked, so that none is done twice. Where something of it is gone or as it was
before, somebody may have taken a step back, and its mark with it: then facts and rows alone decide.
"""

from __future__ import annotations

from collections.abc import Mapping

from trueup.catalog.keys import kind_of
from trueup.chain.model import Facts, LockedChain
from trueup.decide.anchor import ROWLESS
from trueup.decide.labels import has_early
from trueup.decide.model import Marks
from trueup.decide.trajectory import Trajectories, Value, fold


def with_lost(locked: LockedChain, live: Facts, marks: Marks, paths: Trajectories) -> Marks:
    """The marks, those that were lost among them where the facts bear it out; else without a word of these."""
    done = marks.done | marks.lost
    if marks.lost and _is_reached(live, fold(locked.effects, sorted(done), locked.base), max(done) + 1, paths):
        return Marks(done, marks.own | marks.lost, marks.lost, whole=True)
    return marks._replace(lost=frozenset())


def _is_reached(live: Facts, state: Mapping[str, Value], position: int, paths: Trajectories) -> bool:
    """True where each fact is as in this state or as a later step makes it."""
    return all(live.get(key) == state.get(key) or _is_later(key, live.get(key), position, paths) for key in paths.of)


def _is_later(key: str, found: Value, position: int, paths: Trajectories) -> bool:
    """True for the value of a later step; what rows hang on is not there only because somebody has taken it away."""
    if found is None and kind_of(key) not in ROWLESS:
        return False
    return paths.last_place(key, found) > position or has_early(key, found, position, paths)
