"""Decide, for every step of a chain, what a live database needs. The order of reading: `decide` below.

Pure: facts, marks and wishes in, a `Decision` out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from trueup.chain.model import Effect, LockedChain, Step
from trueup.decide.aliases import with_aliases
from trueup.decide.anchor import MOST_EARLY, Anchor, find_anchor
from trueup.decide.ends import at_its_end, at_its_start
from trueup.decide.given import Given
from trueup.decide.labels import in_order
from trueup.decide.lent import Lent, as_before, renamed_early
from trueup.decide.lost import with_lost
from trueup.decide.model import Decision, Marks, Wish
from trueup.decide.trajectory import Trajectories
from trueup.decide.verdicts import Deciding


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
        decision = min(with_lent(lent), decision, key=_left_to_people if any(one.enum for one in lent) else _trouble)
    first = min(decision.heal.values(), default=-1)
    more = renamed_early(locked.steps, paths, live, _taken_as_done(decision, first)) if first >= 0 else lent
    if more and more != lent and len(more) <= MOST_EARLY:  # they may be what made the place so late
        other = with_lent(more)
        less = _to_mend(other) < _to_mend(decision) and _left_to_people(other) <= _left_to_people(decision)
        nearer = other.anchor < decision.anchor and other.distance <= decision.distance
        decision = other if less and nearer else decision
    return decision


def _trouble(decision: Decision) -> tuple[int, int]:
    """What a decision leaves to people, and what it has to mend."""
    return _left_to_people(decision), _to_mend(decision)


def _to_mend(decision: Decision) -> int:
    return len(decision.heal) + len(decision.drift)


def _left_to_people(decision: Decision) -> int:
    return len(decision.conflicts) + len(decision.heal_conflicts)


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
    excluded = _excluded(locked.steps, marks.done | frozenset(wish.applied), wish)
    renamed |= {one.old: one.new for one in lent if not one.is_seen}
    seen = tuple(one for one in lent if one.is_seen)

    def deciding(anchor: Anchor, left: frozenset[int]) -> Deciding:
        given = Given(locked=locked, paths=paths, live=managed, anchor=anchor, marks=marks)
        return Deciding(given, wish, excluded=left, passing=passing, lent=seen)

    def anchored(end: int | None = None, *, whole: bool = False) -> tuple[Anchor, frozenset[int]]:
        return _anchor(locked, paths, {**managed, **passing}, marks, wish, excluded, end=end, whole=whole)

    def decided(anchor: Anchor, left: frozenset[int]) -> Decision:
        first = deciding(anchor, left)
        decision = first.decision(renamed)
        if first.not_run:
            asked, decision = decision.asked, deciding(*anchored(min(first.not_run))).decision(renamed)
            decision.asked = {*asked, *decision.asked}
        return decision

    anchor, left = anchored()
    decision = decided(anchor, left)
    if anchor.within and decision.conflicts and not _may_have_written(locked.steps[anchor.position]):
        other = decided(*anchored(whole=True))
        other.asked = decision.asked = {*decision.asked, *other.asked}
        decision = min(decision, other, key=_left_to_people)
    return decision


def _may_have_written(step: Step) -> bool:
    """True where to take the step as done, or as not begun, could skip or repeat what it does to rows."""
    return step.has_data and not step.guarded


def _anchor(
    locked: LockedChain,
    paths: Trajectories,
    live: Mapping[str, str],
    marks: Marks,
    wish: Wish,
    excluded: frozenset[int],
    *,
    end: int | None,
    whole: bool,
) -> tuple[Anchor, frozenset[int]]:
    """Where the database stands, and the steps that are not asked for and not there."""
    steps, marked = locked.steps, marks.done | frozenset(wish.applied)

    def found(without: frozenset[int]) -> Anchor:
        return find_anchor(steps, paths, live, marked=marked, own=marks.own, excluded=without, end=end, whole=whole)

    anchor = found(excluded)
    there = {i for i in excluded if _contracted(steps[i], i, wish) and _effect_is_there(locked.effects[i], live)}
    if there:  # what a contract step removes is not there before it was made, either: nearer with it than without?
        reached = found(excluded - there)
        if reached.distance < anchor.distance:
            return reached, excluded - there.intersection(reached.done)
    return anchor, excluded


def _excluded(steps: Sequence[Step], marked: frozenset[int], wish: Wish) -> frozenset[int]:
    """Steps that are not asked for: behind `until`, and contract steps in the expand phase."""
    until = len(steps) if wish.until is None else wish.until
    return frozenset(
        index
        for index, step in enumerate(steps)
        if index not in marked and (index >= until or (step.phase == "contract" and not wish.contract))
    )


def _contracted(step: Step, index: int, wish: Wish) -> bool:
    return step.phase == "contract" and (wish.until is None or index < wish.until)


def _effect_is_there(effect: Effect, live: Mapping[str, str]) -> bool:
    return (
        bool(effect.keys)
        and all(live.get(k) == v for k, v in effect.set.items())
        and not any(key in live for key in effect.gone)
    )
