"""What a plan is made of. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from trueup.chain.model import NOTHING
from trueup.decide.model import Conflict, Decision, Verdict
from trueup.planning.backfill import Backfill
from trueup.planning.live import Live

if TYPE_CHECKING:
    from trueup.planning.probes import Probe


class Action(NamedTuple):
    """Statements that are sent together: one transaction, unless `transaction` is False.

    `step` is the index of the step that it carries out, None for healing. `keys` are the facts that must be there
    afterwards. `marks` is True where the step's ledger row belongs in the same transaction. With a `backfill` the one
    statement runs in batches, each a transaction of its own, and the row comes with the last.

    A step in its safe form is several actions; `why` says how each differs from what was written. `unfinished`: more
    of them follow, and the ledger notes that the step has begun; `splits`: it is one of several. `locks` are the modes
    that it takes on tables that are there. `unhurried`: without statement timeout, for nobody waits for it.
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
    locks: Mapping[str, str] = NOTHING
    why: str = ""
    unhurried: bool = False
    unfinished: bool = False
    splits: bool = False


class Plan(NamedTuple):
    """Everything that a run will send, in order. `settled` are steps that only need their mark.

    `probes` are to be asked first: each that is true is one more conflict. `live` are the tables that it touches.
    """

    decision: Decision
    actions: tuple[Action, ...]
    settled: tuple[int, ...]
    conflicts: tuple[Conflict, ...] = ()
    probes: tuple[Probe, ...] = ()
    live: Live = Live()
