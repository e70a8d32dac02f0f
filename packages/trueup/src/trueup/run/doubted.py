"""A data step that the server refuses for its rows, where those of steps before it are only taken as there.

What it takes for granted trueup has neither run nor seen: no failure, but a person's matter.
"""

from __future__ import annotations

import psycopg

from trueup.chain.model import LockedChain
from trueup.decide.model import Conflict, Decision
from trueup.errors import ConflictError, StepFailed
from trueup.run.ledger import Ledger
from trueup.run.refused import stopped

_BY_ROWS = ("22", "23", "P0001")  # two classes, and what a function of the chain's raises


def as_doubt(
    failed: StepFailed, index: int, locked: LockedChain, decision: Decision, ledger: Ledger
) -> ConflictError | None:
    """The conflict that the failure of a step is; None where it is just a failure."""
    error = failed.__cause__
    by_rows = isinstance(error, psycopg.Error) and (error.sqlstate or "").startswith(_BY_ROWS)
    if index < 0 or not by_rows or not locked.steps[index].has_data:
        return None
    assumed = ledger.assumed.union(verdict.index for verdict in decision.steps if verdict.verdict == "assume")
    tables = locked.effects[index].locks.keys()
    before = (i for i in sorted(assumed, reverse=True) if i < index and tables & locked.effects[i].locks.keys())
    if (last := next(before, -1)) < 0 and index >= decision.anchor:
        return None
    why = f"{locked.steps[last].id}, on its tables, is only taken as done" if last >= 0 else "by its place it is done"
    said = failed.message.partition(" failed: ")[2]
    word = f"`trueup resolve {failed.step} "
    conflict = Conflict(
        about=failed.step,
        why=f"{why}, and the server refuses its rows: {said}",
        hint=f"If its work is there, or not wanted here: {word}--applied`; if not, mend the rows, then {word}--run`.",
        by_word=True,
    )
    return stopped(failed, conflict)
