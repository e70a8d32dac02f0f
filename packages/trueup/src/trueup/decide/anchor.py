"""Find where in the chain a database stands: the prefix whose state differs from it in the fewest facts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from trueup.catalog import enums
from trueup.catalog.keys import COLUMN_FACETS, identity_of, kind_of, owner_of, table_touched
from trueup.chain.model import NOTHING, Effect, Step
from trueup.decide.trajectory import Trajectories, Value

ROWLESS = {
    *("not null", "default", "constraint", "validated", "index", "valid", "trigger", "comment on", "storage"),
    *("options", "numbering", "privileges", "default privileges"),
}

_CHANGED_BY_STEPS_ONLY = {"table", "column", "generated", "collation", "identity", "sequence", "domain", "type"}

MOST_EARLY = 8
"""More steps than that are hardly run out of their order by hand."""


class Anchor(NamedTuple):
    """`done` are the steps taken as done there: the marked ones and the unmarked ones of the prefix.

    Of steps behind them, which have several statements, so many are taken as done as `begun` says, by their indexes.
    """

    position: int
    distance: int
    done: tuple[int, ...]
    begun: Mapping[int, int] = NOTHING


class _Candidate(NamedTuple):
    """A state of the chain: behind the step `last`, or behind so many statements of the one after it."""

    distance: int
    rank: int
    last: int
    within: int = 0


_WITHIN, _STEP, _FILE = range(3)
"""Where a database may have been left: among equals the end of a file is likelier than the end of a step."""


def find_anchor(
    steps: Sequence[Step],
    paths: Trajectories,
    live: Mapping[str, str],
    *,
    marked: frozenset[int],
    own: frozenset[int],
    excluded: frozenset[int] = frozenset(),
    end: int | None = None,
    whole: bool = False,
) -> Anchor:
    """One pass over the deltas: the distance changes only in the facts that a step touches.

    Args:
        marked: Steps that the ledger says are done; folded first.
        own: Those of them that trueup itself wrote; behind the last one a step counts only if facts say so.
        excluded: Steps that this run must not look at.
        end: The step that is known not to have run, where there is one.
        whole: Only states between steps count.

    What a step makes and takes away again is in `live` too: it tells how far into the step a database has come.
    """
    if not marked and not any(key in live for key in paths.of):
        return Anchor(0, sum(1 for key in paths.base if key in paths.of), ())
    effects = paths.effects
    state, last_marked = _fold_marked(effects, marked, paths.base)
    untold = _untold(paths, live)
    distance = sum(1 for key in paths.of if state.get(key) != live.get(key) and key not in untold)
    strict_from, latest = max(own, default=-1), len(steps) if whole else max(marked, default=-1)
    candidates, best = [_Candidate(distance, _FILE, -1)], distance
    for index, effect in enumerate(effects):
        if index in marked or index in excluded:
            continue
        for within, part in enumerate(effect.parts if index > latest else (), 1):
            distance += _apply(part, index, state, last_marked, live, untold)
            if distance < best:  # a fact says so
                candidates.append(_Candidate(distance, _WITHIN, index - 1, within))
        distance += _apply(effect, index, state, last_marked, live, untold)
        if index > strict_from and own and distance >= best:
            continue  # pending until a fact says otherwise
        best = min(best, distance)
        ends_file = index + 1 == len(steps) or steps[index + 1].path != steps[index].path
        candidates.append(_Candidate(distance, _FILE if ends_file else _STEP, index))
    settled = marked | excluded
    end = len(steps) if end is None else end
    nearest, undone = _nearest([c for c in candidates if c.last < end], paths, live, settled)
    left_out = _first_left_out(strict_from + 1, nearest.last + 1, steps, paths, live, settled) if own else len(steps)
    if left_out <= nearest.last:
        nearest, undone = _nearest([c for c in candidates if c.last < left_out], paths, live, settled)
    done = tuple(
        i for i in range(len(steps)) if i in marked or (i <= nearest.last and i not in excluded and i not in undone)
    )
    position = max(done, default=-1) + 1
    begun = {position: nearest.within} if nearest.within and position == nearest.last + 1 else NOTHING
    return Anchor(position, nearest.distance, done, begun)


def _untold(paths: Trajectories, live: Mapping[str, str]) -> set[str]:
    """What steps bring to a table, behind its own, that is not there: where it was lost, this tells of no place."""
    later: set[str] = set()
    made: set[str] = set()
    for effect in paths.effects:
        for key, value in effect.set.items():
            table = table_touched(key, value)
            if table and f"table {table}" not in live:
                (made if f"table {table}" in effect.set else later).add(key)
    return later - made


def _nearest(
    candidates: Sequence[_Candidate],
    paths: Trajectories,
    live: Mapping[str, str],
    settled: frozenset[int],
) -> tuple[_Candidate, set[int]]:
    """The nearest state, and the steps up to there that have not run all the same.

    Among equals the end of a file, then the latest. Where something is there that a step has taken away, that step has
    not run, and only the states before it count.
    """
    end = len(paths.effects)
    while True:
        before = [candidate for candidate in candidates if candidate.last < end]
        best = min(candidate.distance for candidate in before)
        nearest = max((c for c in before if c.distance == best), key=lambda c: (c.rank, c.last, c.within))
        leftover, undone = _leftovers(nearest.last, paths, live, settled)
        if leftover is None:
            return nearest, undone
        end = leftover


def _first_left_out(
    start: int,
    position: int,
    steps: Sequence[Step],
    paths: Trajectories,
    live: Mapping[str, str],
    settled: frozenset[int],
) -> int:
    """The first step from `start` on that nobody has run, as nothing of its file is there; else the position.

    Then what is there behind it came early. But where more is there than anybody runs by hand, and in order up to that
    step, its file may have run as well, and what it made have been lost.
    """

    def would_stay(key: str, value: Value, index: int) -> bool:
        """What no step up to the position touches again, of a table or a column that is still there."""
        owners = (owner_of(key), f"table {table_touched(key, value)}")
        is_lost = any(paths.value_at(owner, index) is not None and owner not in live for owner in owners)
        return paths.last_setter(key, position) == index and not is_lost

    is_there: dict[int, bool] = {}
    for index in range(start, position):
        kept = [key for key, value in paths.effects[index].changes if would_stay(key, value, index)]
        if kept and index not in settled:
            is_there[index] = any(live.get(key) != paths.value_at(key, index) for key in kept)
    files = {steps[index].path for index, there in is_there.items() if there}
    first = next((index for index in is_there if steps[index].path not in files), position)
    in_order = any(there for index, there in is_there.items() if index < first)
    return position if in_order and sum(is_there.values()) > MOST_EARLY else first


def _fold_marked(
    effects: Sequence[Effect],
    marked: frozenset[int],
    base: Mapping[str, str],
) -> tuple[dict[str, Value], dict[str, int]]:
    state: dict[str, Value] = dict(base)
    last_marked: dict[str, int] = {}
    for index in sorted(marked):
        for key, value in effects[index].set.items():
            state[key], last_marked[key] = value, index
        for key in effects[index].gone:
            state[key], last_marked[key] = None, index
    return state, last_marked


def _apply(
    effect: Effect,
    index: int,
    state: dict[str, Value],
    last_marked: Mapping[str, int],
    live: Mapping[str, str],
    untold: Collection[str],
) -> int:
    """Apply a step to the state, except where a marked later step has spoken; the change in distance."""
    change = 0
    for key, value in effect.changes:
        if last_marked.get(key, -1) > index:
            continue
        there = live.get(key)
        change += 0 if key in untold else (value != there) - (state.get(key) != there)
        state[key] = value
    return change


def _leftovers(
    position: int,
    paths: Trajectories,
    live: Mapping[str, str],
    settled: frozenset[int],
) -> tuple[int | None, set[int]]:
    """A fact that is there although an unmarked step of the prefix removed it: that step has not run.

    Where rows hang on the fact, the database stands before that step: it is the first answer. Where none do (an index,
    a default, NOT NULL), only that step is still to come, the second: an ORM leaves such things behind. So is a step
    that changes what cannot be made anew from its value, a column's type first of all; and what is then set on it.
    """
    undone: set[int] = set()
    retyped: set[str] = set()
    for index in range(position + 1):
        if index in settled:
            continue
        for key in paths.effects[index].gone:
            if not _is_left_over(key, index, position, paths, live):
                continue
            if kind_of(key) not in ROWLESS:
                return index, undone
            undone.add(index)
        not_reached = {key for key in paths.effects[index].set if _is_not_reached(key, index, position, paths, live)}
        retyped |= {identity_of(key) for key in not_reached if key.startswith("column ")}
        waits = retyped and any(_waits(key, value, live, retyped) for key, value in paths.effects[index].changes)
        if not_reached or waits:
            undone.add(index)
    return None, undone


def _waits(key: str, value: Value, live: Mapping[str, str], retyped: set[str]) -> bool:
    """True for a default and the like that is not there, of a column that is still to get its type: it comes after."""
    return identity_of(key) in retyped and kind_of(key) in COLUMN_FACETS and live.get(key) != value


def _is_not_reached(key: str, index: int, position: int, paths: Trajectories, live: Mapping[str, str]) -> bool:
    """True where the step changes a fact of these kinds, and the fact still has a value from before."""
    found, made = live.get(key), paths.effects[index].set[key]
    is_swapped = key.startswith("enum ") and found is not None and not enums.is_part_of(found, made)
    if found in (None, made) or not (is_swapped or kind_of(key) in _CHANGED_BY_STEPS_ONLY):
        return False
    was = paths.value_at(key, index) if is_swapped else None
    swaps = was is not None and not enums.has_all(made, was)
    if was and swaps and enums.has_all(found, was) and not enums.has_all(found, made):  # whatever else it has by now
        return True
    had = max((place for place, value in paths.of[key] if value == found and place <= position + 1), default=-1)
    return 0 <= had <= index


def _is_left_over(key: str, index: int, position: int, paths: Trajectories, live: Mapping[str, str]) -> bool:
    """True where only a step before this one, which takes it away, can have made it; none that is still to come."""
    found = live.get(key)
    if found is None or paths.value_at(key, position + 1) is not None or paths.last_setter(key, position + 1) != index:
        return False
    made = [place for place, value in paths.of[key] if value == found]
    return any(place <= index for place in made) and not any(place > position + 1 for place in made)
