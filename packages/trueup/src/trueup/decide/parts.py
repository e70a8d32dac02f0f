"""A step of several statements that is partly there: which of its statements still have to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from trueup.chain.model import DATA_TAGS, Effect, Step
from trueup.decide.trajectory import Value


def statements_to_run(
    step: Step,
    effect: Effect,
    now: Mapping[str, Value],
    beyond: Callable[[str], bool],
) -> list[int] | None:
    """The statements whose effect is not there, by index; None where saying so could lose or repeat work.

    Args:
        step: A step of several statements; `effect` has one part for each.
        effect: What it does.
        now: The database just before the step.
        beyond: Whether a fact is further along than this step.
    """
    state = dict(now)
    chosen: list[int] = []
    for position, part in enumerate(effect.parts):
        if not part.keys:
            if step.tags[position] in DATA_TAGS and not step.guarded:
                return None
            chosen.append(position)
            continue
        there = [_is_there(key, part.set.get(key), state, effect, beyond) for key in part.keys]
        if all(there):
            continue
        if any(there) and not _still_before(part, state):
            return None
        chosen.append(position)
        state.update(part.set)
        state.update(dict.fromkeys(part.gone))
    return chosen


def _is_there(
    key: str,
    value: Value,
    state: Mapping[str, Value],
    effect: Effect,
    beyond: Callable[[str], bool],
) -> bool:
    """True where the fact is as this statement leaves it, as the whole step does, or further along."""
    found = state.get(key)
    return found == value or beyond(key) or (found is not None and found == effect.set.get(key))


def _still_before(part: Effect, state: Mapping[str, Value]) -> bool:
    """True where nothing that the statement makes is there, and what it takes away is: it has not run."""
    made = any(state.get(key) == value for key, value in part.set.items())
    return not made and all(state.get(key) is not None for key in part.gone)
