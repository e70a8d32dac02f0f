"""Steps that an earlier run began in parts and did not finish."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from trueup.catalog.keys import owner_of
from trueup.decide.trajectory import Trajectories


class Begun(NamedTuple):
    """The steps, the database as it really is, and the names of backfills that are not at their end."""

    steps: Collection[int]
    facts: Mapping[str, str]
    fills: Collection[str] = ()


def as_before(live: Mapping[str, str], steps: Collection[int], paths: Trajectories) -> dict[str, str]:
    """The facts as if these steps had not begun: so they are decided about as steps that are still to run.

    What is half done is nobody's hole and nobody's stranger; the parts that are done are left out when the step is
    planned again.
    """
    if not steps:
        return dict(live)
    shown = dict(live)
    for index in sorted(steps, reverse=True):
        for key in paths.effects[index].keys:
            before = paths.value_at(key, index)
            if before is None:
                shown.pop(key, None)
            else:
                shown[key] = before
    return {key: value for key, value in shown.items() if not (owner := owner_of(key)) or owner in shown}
