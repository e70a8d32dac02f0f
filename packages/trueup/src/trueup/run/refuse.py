"""What stops a run before its first statement."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from trueup.chain.model import Chain
from trueup.connect.link import Link
from trueup.errors import ConflictError, SessionNeeded, UsageError
from trueup.planning.model import Plan
from trueup.words import counted

_SHOWN = 5


def refuse_conflicts(plan: Plan) -> None:
    """Stop where a person must decide.

    Raises:
        ConflictError: has every conflict, each with the way on.
    """
    if plan.conflicts:
        raise ConflictError(
            f"a person must decide about {counted(len(plan.conflicts), 'thing')}; nothing was run",
            conflicts=list(plan.conflicts),
            hint="Go on as said there, then run `trueup up` again.",
        )


def refuse_alone(link: Link, plan: Plan) -> None:
    """Behind a transaction pooler a statement outside transactions can have neither timeouts nor a lock.

    Raises:
        SessionNeeded: names the steps.
    """
    if link.topology.has_sessions:
        return
    alone = [action.id for action in plan.actions if not action.transaction]
    if alone:
        raise SessionNeeded(
            f"{', '.join(alone[:_SHOWN])} cannot run in a transaction, and {link.chosen} leads through a pooler that "
            "pools transactions; nothing was run",
            steps=alone,
            hint="Set DATABASE_URL_DIRECT to the server itself, or to a pooler with pool_mode = session.",
        )


def refuse_marked(chain: Chain, wanted: Iterable[int], marked: Collection[int]) -> None:
    """A mark stands over a person's word that a step has to run: rows may hang on what it has done.

    Raises:
        UsageError: names the steps.
    """
    again = [chain.steps[index].id for index in wanted if index in marked]
    if again:
        names = ", ".join(f"'{name}'" for name in again)
        raise UsageError(
            f"{', '.join(again)}: marked in the ledger as done; nothing was run",
            hint="If the work was lost, take back the mark, and say it again: DELETE FROM trueup.schema_migrations "
            f"WHERE chain = '{chain.name}' AND migration_id IN ({names});",
        )
