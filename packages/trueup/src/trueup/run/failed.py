"""What follows from steps that the server has refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trueup.chain.model import LockedChain
from trueup.errors import StepFailed
from trueup.planning.model import Action


def depends(action: Action, failures: Sequence[StepFailed], locked: LockedChain, index_of: Mapping[str, int]) -> bool:
    """True where an action uses what a failed step would have made, touches the same relations, or is of its file.

    A mark behind a step in its file says that it has run.
    """
    if action.step is None:
        return True
    step = locked.steps[action.step]
    for failure in failures:
        index = index_of[failure.step]
        failed = locked.effects[index]
        names = {key.rsplit(" ", 1)[-1].rsplit(".", 1)[-1].strip('"') for key in (*failed.keys, *failed.locks)}
        names |= {name.rsplit(".", 1)[-1] for name in failed.locks}
        if step.path == locked.steps[index].path or any(name and name in step.sql for name in names):
            return True
    return False
