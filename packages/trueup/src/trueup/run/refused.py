"""What the server refuses because of something that a later step has done early, or that no step has made.

That is no failure, but a person's matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg

from trueup.catalog.keys import (
    COLUMN_FACETS,
    identity_of,
    kind_of,
    mentions,
    own_name,
    parts,
    table_of,
    table_touched,
    unquoted,
)
from trueup.chain.model import LockedChain
from trueup.decide.model import Conflict, Decision, Difference
from trueup.decide.trajectory import Trajectories
from trueup.errors import ConflictError, StepFailed
from trueup.render.objects import create, drop
from trueup.render.tables import alter_column
from trueup.run.beside import named_beside

_KEYS = ("constraint", "index")
_OF_COLUMNS = ("column", *COLUMN_FACETS)
_BY_CONSTRAINT = ("23503", "23505", "23514", "23P01")
_BY_NOT_NULL, _BY_OWN_VALUES, _WITHOUT_KEY = "23502", "428C9", "42P10"
_BY_DEPENDENT = ("2BP01", "0A000", "42601")  # what hangs on it; a generated column; an identity
_FOR_TYPE = ("22", "42704", "42725", "42804", "42846", "42883")  # what is not there for it, or not one of its values
_BY_TYPE = ("22", "42804")  # a class: what a type cannot hold; what is of another type altogether


def as_conflict(
    failed: StepFailed, index: int, locked: LockedChain, paths: Trajectories, decision: Decision
) -> ConflictError | None:
    """The conflict that the failure of a step is; None where it is just a failure."""
    error = failed.__cause__
    if not isinstance(error, psycopg.Error):
        return None
    for fact, place in _early(index, paths, decision):
        origin = locked.steps[place - 1].id
        early = Difference(
            fact=fact, wanted=paths.value_at(fact, index), found=decision.before.get(fact), origin=origin
        )
        here = decision.renamed.get(fact, fact)
        table = table_touched(fact, early.found or early.wanted)
        is_near = table in locked.effects[index].locks or error.sqlstate == _BY_DEPENDENT[0]
        if _is_named(early, here, error) or (is_near and _is_meant(early, error)):
            marked = decision.steps[place - 1].verdict == "skip"
            return _conflict(failed, early, here, marked=marked)
    if beside := named_beside(error.diag, failed.statement, paths, decision):
        return _by_what_is_beside(failed, beside)
    other = next((one for one in decision.drift if _is_of_other_type(one, failed.statement)), None)
    return _by_its_type(failed, other) if other and (error.sqlstate or "").startswith(_FOR_TYPE) else None


def _early(index: int, paths: Trajectories, decision: Decision) -> Iterator[tuple[str, int]]:
    """The facts that are as steps behind this one make them, with the places of those."""
    pending = {verdict.index for verdict in decision.pending}
    for key in paths.of:
        found = decision.before.get(key)
        place = paths.last_place(key, found)
        if place > index + 1 and found != paths.value_at(key, index) and paths.last_setter(key, index) not in pending:
            yield key, place


def _is_named(early: Difference, here: str, error: psycopg.Error) -> bool:
    """True where the server says that it is this which it refuses the rows for."""
    said, kind = error.diag, kind_of(early.fact)
    names = tuple(unquoted(part) for part in parts(identity_of(here)))
    if early.found is None:
        return False
    if error.sqlstate == _BY_NOT_NULL:
        return kind == "not null" and names == (said.schema_name, said.table_name, said.column_name)
    if error.sqlstate not in _BY_CONSTRAINT:
        return False
    of = {"constraint": said.table_name, "domain constraint": said.datatype_name, "index": None}
    wanted = (said.schema_name, of.get(kind), said.constraint_name)
    return kind in of and names == tuple(name for name in wanted if name is not None)


def _is_meant(early: Difference, error: psycopg.Error) -> bool:
    """True where it names nothing, and this can be what it means."""
    state, kind = error.sqlstate or "", kind_of(early.fact)
    if state == _WITHOUT_KEY:
        return early.found is None and kind in _KEYS and (early.wanted or "").startswith(("UNIQUE", "PRIMARY KEY"))
    if state == _BY_OWN_VALUES:
        in_it = f'"{own_name(identity_of(early.fact))}"' in (error.diag.message_primary or "")
        return early.found is not None and kind in ("identity", "generated") and in_it
    if state in _BY_DEPENDENT:
        told = f"{error.diag.message_primary} {error.diag.message_detail}"
        is_new = early.found is not None and early.wanted is None
        return is_new and kind in ("constraint", "identity", "generated") and _names(told, early.fact)
    return state.startswith(_BY_TYPE) and kind == "column" and None not in (early.found, early.wanted)


def _names(told: str, fact: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(own_name(identity_of(fact)))}(?!\w)", told) is not None


def _conflict(failed: StepFailed, early: Difference, here: str, *, marked: bool) -> ConflictError:
    said = what_was_said(failed)
    done = "made" if early.wanted is None else "dropped" if early.found is None else "changed"
    again = "`trueup up --heal off`, then `trueup up`" if marked else f"`trueup up`: {early.origin} will do it again"
    sql = "; ".join(_as_before(early, here))
    conflict = Conflict(
        about=failed.step,
        why=f"{early.fact} is {done} here already by a later step, {early.origin}, and so the server refuses: {said}",
        differences=(early,),
        hint=f"Put it back as it was, with `{sql}`; then run {again}.",
    )
    return stopped(failed, conflict)


def _is_of_other_type(one: Difference, sql: str) -> bool:
    is_other = one.fact.startswith("column ") and None not in (one.wanted, one.found)
    return is_other and mentions(sql, table_of(one.fact)) and mentions(sql, identity_of(one.fact))


def _by_its_type(failed: StepFailed, column: Difference) -> ConflictError:
    said = what_was_said(failed)
    name = identity_of(column.fact)
    conflict = Conflict(
        about=failed.step,
        why=f"{name} has another type here than in the chain, and the server refuses: {said}",
        differences=(column,),
        hint=f"Give it that: `{alter_column(column.fact, column.wanted, column.found)}`; then run `trueup up` again.",
    )
    return stopped(failed, conflict)


def _by_what_is_beside(failed: StepFailed, named: str) -> ConflictError:
    said = what_was_said(failed)
    conflict = Conflict(
        about=failed.step,
        why=f"{named}, which no step makes, is in its way: {said}",
        hint="Take that away, or mend the rows; then run `trueup up` again.",
    )
    return stopped(failed, conflict)


def what_was_said(failed: StepFailed) -> str:
    """The server's own words about a step that it refused."""
    return failed.message.partition(" failed: ")[2]


def stopped(failed: StepFailed, conflict: Conflict) -> ConflictError:
    """A conflict that only the server could tell of, when it came to the step."""
    return ConflictError(
        f"a person must decide about 1 thing; {failed.step} is undone, everything before it is committed",
        conflicts=[conflict],
        hint="Go on as said there.",
    )


def _as_before(early: Difference, here: str) -> list[str]:
    """The statements that put the fact back as it was."""
    kind = kind_of(early.fact)
    if kind == "generated" and early.wanted is None:
        return [f"ALTER TABLE {table_of(early.fact)} DROP COLUMN {parts(identity_of(early.fact))[-1]}"]
    if kind in _OF_COLUMNS:
        return [alter_column(early.fact, early.wanted, early.found)]
    if kind == "domain constraint":
        *domain, name = parts(identity_of(early.fact))
        return [f"ALTER DOMAIN {'.'.join(domain)} DROP CONSTRAINT {name}"]
    gone = drop(here) if early.found is not None else []
    return [*gone, *(create(early.fact, early.wanted, None) if early.wanted is not None else [])]
