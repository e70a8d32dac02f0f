"""What a person must decide, said so that it can be decided: what differs, and the way on that helps here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from trueup.chain.model import LockedChain
from trueup.decide.model import Conflict, Decision, Difference, StepVerdict

if TYPE_CHECKING:
    from trueup.planning.probes import Probe


def of(locked: LockedChain, decision: Decision) -> Iterator[Conflict]:
    """The conflicts of a decision: tables that were lost, then steps."""
    yield from (_lost(locked, difference) for difference in decision.heal_conflicts)
    yield from (_step(locked, verdict) for verdict in decision.conflicts)


def cannot_make(difference: Difference, why: str) -> Conflict:
    """A fact that no DDL can be derived for."""
    return Conflict(
        about=difference.fact,
        why=f"it is not as the chain wants it, and cannot be made so: {why}",
        differences=(difference,),
        hint="Make it by hand as it is wanted, then run `trueup up` again.",
    )


def cannot_complete(
    step: str, verdict: StepVerdict, wanted: Mapping[str, str | None], found: Mapping[str, str | None]
) -> Conflict:
    """A step that is partly there, and of which nothing can be made from its facts alone."""
    differing = (
        Difference(fact=key, wanted=wanted.get(key), found=found.get(key), origin=step) for key in verdict.missing
    )
    return Conflict(
        about=step,
        why=f"{verdict.reason}, and no statement makes them from what is there",
        differences=tuple(differing),
        hint=_by_hand(f"`trueup resolve {step} --applied`"),
    )


def rows_in_the_way(probe: Probe, wanted: str | None, found: str | None) -> Conflict:
    """A fact that rows forbid."""
    return Conflict(
        about=probe.fact,
        why=f"it cannot be made: {probe.why}",
        differences=(Difference(fact=probe.fact, wanted=wanted, found=found),),
        hint=f"Mend the rows, then run `trueup up` again. This says whether any is left: {probe.sql};",
    )


def _lost(locked: LockedChain, difference: Difference) -> Conflict:
    return Conflict(
        about=difference.fact,
        why=f"the ledger says that {difference.origin} made it, but it is not there",
        differences=(difference,),
        hint="Restore it from a backup. If it may be made anew, empty, take back its mark: the row "
        f"of {difference.origin} in trueup.schema_migrations (chain {locked.chain.name}).",
    )


def _step(locked: LockedChain, verdict: StepVerdict) -> Conflict:
    step = locked.steps[verdict.index]
    word = f"`trueup resolve {step.id} --applied`"
    if not locked.effects[verdict.index].keys:
        hint = f"If its work is there: {word}; if not, `trueup resolve {step.id} --run`."
        if verdict.differences:  # to run it as it is written would not do what it says
            hint = f"Do its work by hand, with the columns named, then {word}; or, if it is there already, only that."
        return Conflict(about=step.id, why=verdict.reason, differences=verdict.differences, hint=hint, by_word=True)
    return Conflict(
        about=step.id,
        why=verdict.reason,
        differences=verdict.differences,
        hint=_by_hand(word),
    )


def _by_hand(word: str) -> str:
    return f"Change by hand what differs, then run `trueup up` again; where what was found is as good, {word}."
