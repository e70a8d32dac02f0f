"""Databases somewhere between the ends of a chain: find the place, then decide step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trueup.chain.model import Effect, Facts, LockedChain, Step
from trueup.decide.anchor import Anchor, find_anchor
from trueup.decide.begun import begun_early
from trueup.decide.given import Given
from trueup.decide.lent import Lent
from trueup.decide.model import Decision, Marks, Wish
from trueup.decide.trajectory import Trajectories
from trueup.decide.verdicts import Deciding


def between(
    locked: LockedChain,
    managed: Facts,
    passing: Facts,
    marks: Marks,
    wish: Wish,
    paths: Trajectories,
    *,
    here: Facts,
    renamed: Mapping[str, str],
    lent: Sequence[Lent],
) -> Decision:
    """The decision for a database.

    Args:
        managed: The facts that are the chain's, by its names.
        passing: Facts that are there only in the middle of a step.
        here: All facts, with those that are nobody's, in their order.
        renamed: By the chain's key of an object, the key that it has here.
        lent: Renames of later steps that are done here, and that the facts are told as before.
    """
    excluded = _excluded(locked.steps, marks.done | frozenset(wish.applied), wish)
    renamed = {**renamed, **{one.old: one.new for one in lent if not one.is_seen}}
    seen = tuple(one for one in lent if one.is_seen)

    def deciding(anchor: Anchor, left: frozenset[int]) -> Deciding:
        given = Given(locked=locked, paths=paths, live=managed, here=here, anchor=anchor, marks=marks)
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
    if begun := begun_early(locked, {**managed, **passing}, anchor, decision):
        other = decided(anchor._replace(begun={**anchor.begun, **begun}), left)
        other.asked = decision.asked = {*decision.asked, *other.asked}
        decision = min(decision, other, key=lambda one: one.trouble)
    if anchor.begun and decision.conflicts and not _may_have_written(locked.steps[anchor.position]):
        other = decided(*anchored(whole=True))
        other.asked = decision.asked = {*decision.asked, *other.asked}
        decision = min(decision, other, key=lambda one: one.left_to_people)
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
