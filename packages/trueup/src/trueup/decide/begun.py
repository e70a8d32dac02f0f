"""Steps of several statements that were begun early and left in their middle, with others pending before them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from trueup.catalog.keys import identity_of, kind_of, mentions
from trueup.chain.model import Effect, LockedChain, Step
from trueup.decide.anchor import Anchor
from trueup.decide.held import may_name
from trueup.decide.model import Decision
from trueup.decide.trajectory import Value, fold

_NAMED = ("table", "view", "materialized view", "enum", "domain", "type", "function", "procedure", "sequence", "index")


def begun_early(locked: LockedChain, live: Mapping[str, str], anchor: Anchor, decision: Decision) -> dict[int, int]:
    """The steps behind the anchor in which the database stands, too, by index: how many of their statements have run.

    Only of those is it asked of which the decision leaves something to people, or of whose facts it heals some. What
    is there is as the first statements leave it, and the steps that are pending before have nothing to do with that.
    """
    done = frozenset(anchor.done)
    pending = [verdict.index for verdict in decision.steps if verdict.index not in done]
    state: dict[str, Value] | None = None
    found = {}
    for index in pending:
        effect = locked.effects[index]
        if index in anchor.begun or not _is_in_question(index, effect, decision):
            continue
        state = state or fold(locked.effects, anchor.done, locked.base)
        count = _run_of(effect, state, live)
        before = [one for one in pending if one < index]
        if count and not any(_has_to_do_with(effect.parts[:count], one, locked, state) for one in before):
            found[index] = count
    return found


def _is_in_question(index: int, effect: Effect, decision: Decision) -> bool:
    if not effect.parts:
        return False
    is_left = decision.steps[index].verdict == "conflict"
    return is_left or any(key in decision.heal for part in effect.parts for key in part.keys)


def _run_of(effect: Effect, state: Mapping[str, Value], live: Mapping[str, str]) -> int:
    """How many of its statements have run, by what they touch: behind those it is nearer than before and behind all."""
    keys = {key for part in effect.parts for key in part.keys}
    now = dict(state)
    distances = [_distance(keys, now, live)]
    for part in effect.parts:
        now.update(fold([part], [0], {}))
        distances.append(_distance(keys, now, live))
    best = min(distances)
    return distances.index(best) if best < distances[-1] else 0


def _distance(keys: Iterable[str], state: Mapping[str, Value], live: Mapping[str, str]) -> int:
    return sum(1 for key in keys if state.get(key) != live.get(key))


def _has_to_do_with(parts: Sequence[Effect], index: int, locked: LockedChain, state: Mapping[str, Value]) -> bool:
    """True where a step touches what these statements do, or names what they take away or change."""
    step, effect = locked.steps[index], locked.effects[index]
    keys = {key for part in parts for key in part.keys}
    if any(not keys.isdisjoint(one.keys) for one in (effect, *effect.parts)):
        return True
    return any(_names(key, step, effect) for key in keys if state.get(key) is not None)


def _names(key: str, step: Step, effect: Effect) -> bool:
    if kind_of(key) != "column":
        return kind_of(key) in _NAMED and mentions(step.sql, identity_of(key))
    return may_name(identity_of(key), step.sql, effect.locks)
