"""Decide, for every step of a chain, what a live database needs. The order of reading: `decide` below.

Pure: facts, marks and wishes in, a `Decision` out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter

from trueup.chain.model import LockedChain
from trueup.decide.aliases import with_aliases
from trueup.decide.anchor import MOST_EARLY
from trueup.decide.ends import at_its_end, at_its_start
from trueup.decide.labels import in_order
from trueup.decide.lent import Lent, as_before, renamed_early
from trueup.decide.lost import with_lost
from trueup.decide.model import Decision, Marks, Wish
from trueup.decide.trajectory import Trajectories


def decide(
    locked: LockedChain,
    live: Mapping[str, str],
    marks: Marks,
    wish: Wish | None = None,
    *,
    paths: Trajectories | None = None,
) -> Decision:
    """Where this database stands, and what each step needs.

    Args:
        locked: The chain, with what each step does.
        live: All facts of the database in the chain's schemas.
        marks: What the ledger says, by step index.
        wish: What was asked for; by default every expand step.
        paths: The chain's trajectories, where they are known already.
    """
    wish = wish or Wish()
    paths = paths or Trajectories(locked.effects, locked.base)
    facts, reordered, asked = in_order(live, paths, wish.rows)
    decision = _with_renames(locked, facts, marks, wish, paths)
    decision.reordered, decision.asked = reordered, {*decision.asked, *asked}
    return decision


def _with_renames(
    locked: LockedChain, live: Mapping[str, str], marks: Marks, wish: Wish, paths: Trajectories
) -> Decision:
    """The decision, where renames of later steps may have been done early: the one that leaves the least to mend."""
    decision = _decide(locked, live, marks, wish, paths)

    def with_lent(lent: Sequence[Lent]) -> Decision:
        other = _decide(locked, as_before(lent, live, paths), marks, wish, paths, lent)
        other.asked = decision.asked = {*decision.asked, *other.asked}
        return other

    if lent := renamed_early(locked.steps, paths, live, _taken_as_done(decision, decision.anchor)):
        # without its old name a label is just another label: nothing to mend
        measure = "left_to_people" if any(one.enum for one in lent) else "trouble"
        decision = min(with_lent(lent), decision, key=attrgetter(measure))
    first = min(decision.heal.values(), default=-1)
    more = renamed_early(locked.steps, paths, live, _taken_as_done(decision, first)) if first >= 0 else lent
    if more and more != lent and len(more) <= MOST_EARLY:  # they may be what made the place so late
        other = with_lent(more)
        less = other.to_mend < decision.to_mend and other.left_to_people <= decision.left_to_people
        nearer = other.anchor < decision.anchor and other.distance <= decision.distance
        decision = other if less and nearer else decision
    return decision


def _taken_as_done(decision: Decision, end: int) -> Iterator[int]:
    return (step.index for step in decision.steps if step.verdict == "skip" or step.index < end)


def _decide(
    locked: LockedChain,
    live: Mapping[str, str],
    marks: Marks,
    wish: Wish,
    paths: Trajectories,
    lent: Sequence[Lent] = (),
) -> Decision:
    named, renamed = with_aliases(live, paths)
    managed = {key: value for key, value in named.items() if paths.manages(key)}
    marks = with_lost(locked, managed, marks, paths)
    if len(marks.done) == len(locked.steps) and not marks.lost and (ended := at_its_end(locked, managed, renamed)):
        return ended
    passing = {key: value for key, value in named.items() if key in paths.passing}
    if not (managed or passing or marks.done) and (started := at_its_start(locked, wish)):
        return started
    from trueup.decide.between import between  # what a run from either end does not wait for

    return between(locked, managed, passing, marks, wish, paths, here=named, renamed=renamed, lent=lent)
