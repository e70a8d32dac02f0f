"""What a plan is made of. Plain data."""

from __future__ import annotations

from dataclasses import dataclass

from trueup.decide.model import Conflict, Decision, Verdict
from trueup.planning.backfill import Backfill
from trueup.planning.probes import Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Statements that are sent together: one transaction, unless `transaction` is False.

    `step` is the index of the step that it carries out, None for healing. `keys` are the facts that must be there
    afterwards. `marks` is True where the step's ledger row belongs in the same transaction. With a `backfill` the one
    statement runs in batches, each a transaction of its own, and the row comes with the last.
    """

    step: int | None
    id: str
    verdict: Verdict
    reason: str
    statements: tuple[str, ...]
    keys: tuple[str, ...] = ()
    transaction: bool = True
    marks: bool = True
    context: tuple[str, ...] = ()
    backfill: Backfill | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a run will send, in order. `settled` are steps that only need their mark.

    `probes` are to be asked first: each that is true is one more conflict.
    """

    decision: Decision
    actions: tuple[Action, ...]
    settled: tuple[int, ...]
    conflicts: tuple[Conflict, ...] = ()
    probes: tuple[Probe, ...] = ()
