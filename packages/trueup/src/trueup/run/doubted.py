"""A data step that the server refuses for its rows, where those of steps before it are only taken as there.

What it takes for granted trueup has neither run nor seen: no failure, but a person's matter.
"""

from __future__ import annotations

from collections.abc import Collection

import psycopg

from trueup.chain.model import LockedChain
from trueup.decide.model import Conflict, Decision
from trueup.errors import ConflictError, StepFailed
from trueup.run.ledger import Ledger
from trueup.run.refused import stopped, what_was_said

_BY_ROWS = ("22", "23", "P0001")  # two classes, and what a function of the chain's raises


def as_doubt(
    failed: StepFailed, index: int, locked: LockedChain, decision: Decision, ledger: Ledger, *, proved: bool
) -> ConflictError | None:
    """The conflict that the failure of a step is; None where it is just a failure.

    `proved`: the database was true once. Then what was only taken as done is as good as run.
    """
    error = failed.__cause__
    by_rows = isinstance(error, psycopg.Error) and (error.sqlstate or "").startswith(_BY_ROWS)
    if index < 0 or not by_rows or not locked.steps[index].has_data:
        return None
    taken = ledger.taken.union(one.index for one in decision.steps if one.verdict in ("assume", "reconcile"))
    if index < decision.anchor and _fact_before(index, locked) in taken:
        why = "by its place it is done"
    elif not proved and (last := _data_before(index, locked, taken)) >= 0:
        why = f"{locked.steps[last].id}, on its tables, is only taken as done"
    else:
        return None
    said = what_was_said(failed)
    word = f"`trueup resolve {failed.step} "
    conflict = Conflict(
        about=failed.step,
        why=f"{why}, and the server refuses its rows: {said}",
        hint=f"If its work is there, or not wanted here: {word}--applied`; if not, mend the rows, then {word}--run`.",
        by_word=True,
    )
    return stopped(failed, conflict)


def _fact_before(index: int, locked: LockedChain) -> int:
    """The last step before it that has facts; -1 where there is none."""
    return next((i for i in range(index - 1, -1, -1) if locked.effects[i].keys), -1)


def _data_before(index: int, locked: LockedChain, taken: Collection[int]) -> int:
    """The last of these steps before it that wrote rows of its tables; -1 where there is none."""
    tables = locked.effects[index].locks.keys()
    before = (i for i in range(index - 1, -1, -1) if i in taken and locked.steps[i].has_data)
    return next((i for i in before if tables & locked.effects[i].locks.keys()), -1)
