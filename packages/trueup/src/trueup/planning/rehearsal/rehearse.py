"""Go through a plan as the server will, and say where it would be refused: before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from trueup.catalog.keys import unquoted
from trueup.chain.grammar import parse_each
from trueup.chain.model import Effect, LockedChain
from trueup.decide.model import Conflict, Decision, Difference
from trueup.decide.trajectory import Trajectories
from trueup.errors import MigrationError
from trueup.planning.model import Action, Plan
from trueup.planning.rehearsal.catalog import Catalog
from trueup.planning.rehearsal.sending import Refused, Sending
from trueup.planning.rehearsal.statements import send

_SEARCH_PATH = re.compile(r"search_path\W+(?:TO\s+)?(?P<names>[^;)]*)", re.IGNORECASE)
_NAMES = re.compile(r'"(?:[^"]|"")+"|[A-Za-z_]\w*')


def rehearsed(
    plan: Plan, locked: LockedChain, facts: Mapping[str, str], paths: Trajectories, *, to_the_end: bool = True
) -> Iterator[Conflict]:
    """What would go wrong: the first action that the server would refuse, or else what would not be as it must be.

    Args:
        plan: The plan.
        locked: The chain.
        facts: The database as it is.
        paths: The chain's facts.
        to_the_end: All that is missing is to be there behind it, but for what the decision tells as drift.
    """
    if _is_plain(plan):
        return
    catalog = Catalog(facts, paths)
    for action in plan.actions:
        try:
            _play(action, plan, locked, catalog)
        except Refused as refused:
            yield Conflict(
                about=action.id,
                why=f"the server would refuse it: {refused}",
                hint="Do by hand what is missing for it, or take back what is in its way, then run `trueup up` again.",
            )
            return
    if to_the_end:
        yield from _left(plan.decision, catalog)


def _is_plain(plan: Plan) -> bool:
    """True where the database is just as the chain has it at some place, and the rest runs as it is written."""
    decision = plan.decision
    is_odd = decision.distance or decision.lent or decision.renamed or decision.reordered
    return not is_odd and all(action.verdict == "run" and not action.why for action in plan.actions)


def _play(action: Action, plan: Plan, locked: LockedChain, catalog: Catalog) -> None:
    sending = Sending(catalog, _path(action))
    step = locked.steps[action.step] if action.step is not None else None
    effect = locked.effects[action.step] if action.step is not None else Effect()
    parts = effect.parts or (effect,)
    part_of = dict(zip(step.statements, parts, strict=False)) if step else {}
    for text in action.statements:
        try:
            statements = list(parse_each([text]))
        except MigrationError:  # no SQL, as a function of Python's
            continue
        did = [send(sending, one) for one in statements]
        if (part := part_of.get(text)) and any(did):
            catalog.follow(part)
    if action.splits and not action.unfinished:  # the last part of a safe form, whose statements are others
        catalog.follow(effect)
    lent = ("table ", "column ") if plan.decision.lent else ()  # they may have their later names back
    made = (key for key in action.keys if not (action.unfinished or key.startswith(lent)))
    catalog.put_all({key: effect.set.get(key) or plan.decision.before.get(key) or "" for key in made})


def _path(action: Action) -> list[str]:
    """The schemas in which names are looked for."""
    said = [match["names"] for one in action.context if (match := _SEARCH_PATH.search(one))]
    return [unquoted(name) for name in _NAMES.findall(said[-1])] if said else []


def _left(decision: Decision, catalog: Catalog) -> Iterator[Conflict]:
    """What is not as it must be behind the plan, although nothing was to be left."""
    told = {difference.fact for difference in decision.drift}
    for key, value in decision.final.items():
        if key in told or key in decision.renamed or catalog.has(key) in (None, value is not None):
            continue
        yield Conflict(
            about=key,
            why=f"it would {'be missing' if value is not None else 'still be there'} when all is done",
            differences=(Difference(fact=key, wanted=value, found=None if value is not None else ""),),
            hint=f"{'Make' if value is not None else 'Drop'} it by hand, then run `trueup up` again.",
        )
