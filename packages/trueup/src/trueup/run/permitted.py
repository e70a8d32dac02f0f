"""Ask, before anything is sent, whether the role may do what is planned: else it would be refused in the middle."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from psycopg import Connection, sql

from trueup.catalog.keys import identity_of, kind_of, parts, table_touched
from trueup.catalog.snapshot import last_result
from trueup.chain.model import LockedChain, Step
from trueup.decide.model import Conflict
from trueup.planning.model import Action, Plan
from trueup.run.look import query

_OWNED = {
    **dict.fromkeys(("table", "view", "materialized view", "sequence"), "relation"),
    **dict.fromkeys(("enum", "domain", "type"), "type"),
    **dict.fromkeys(("function", "procedure"), "routine"),
}
_ROLES = {"grant_role_stmt", "alter_owner_stmt", "alter_role_stmt", "create_role_stmt"}
_SETS_ROLE = re.compile(r"\b(?:ROLE|AUTHORIZATION|OWNER|row_security)\b", re.IGNORECASE)
_READS_NONE = {"insert_stmt"}

Need = tuple[str, str]
"""A kind, as the query has it, and a name."""


def not_permitted(
    conn: Connection[Any], plan: Plan, locked: LockedChain, own: Collection[int], said: Collection[int]
) -> list[Conflict]:
    """The conflicts with what the role of the connection may not do; one query, and none for a superuser.

    Args:
        own: The steps with a mark of trueup's own; without any, the rows have to tell which INSERTs have run.
        said: The steps that a person said have to run.
    """
    if conn.info.parameter_status("is_superuser") == "on" or _changes_roles(plan, locked):
        return []
    needs: dict[Need, str] = {}
    for action in plan.actions:
        step = locked.steps[action.step] if action.step is not None else None
        for need in _changed(action, plan, locked):
            needs.setdefault(need, action.id)
        if step and step.has_data and action.step not in said and (not own or not _only_adds(step)):
            tables = locked.effects[action.step or 0].locks
            needs |= {("rows", table): action.id for table in tables if ("rows", table) not in needs}
    if not needs:
        return []
    kinds, names = (sql.Literal(list(one)).as_string(conn) for one in zip(*needs, strict=True))
    text = query("permitted").replace("{kinds}", kinds).replace("{names}", names)
    role = conn.info.user
    found = last_result(conn, f"BEGIN READ ONLY; {text}; COMMIT")
    return [_conflict(needs[kind, name], kind, name, owner, role) for kind, name, owner in found]


def _changes_roles(plan: Plan, locked: LockedChain) -> bool:
    """True where the plan itself changes who may do what, or as whom it goes on."""
    steps = [locked.steps[action.step] for action in plan.actions if action.step is not None]
    return any(_ROLES.intersection(s.tags) or any(map(_SETS_ROLE.search, s.context)) for s in steps)


def _changed(action: Action, plan: Plan, locked: LockedChain) -> Iterator[Need]:
    """What an action changes of what is there, and the schemas in which it makes something."""
    effect = locked.effects[action.step] if action.step is not None else None
    changes = effect.changes if effect else ((key, plan.decision.before.get(key)) for key in action.keys)
    for key, value in changes:
        kind, is_there = kind_of(key), key in plan.decision.found
        table = table_touched(key, value)
        if table and kind not in ("privileges", "table") and f"table {table}" in plan.decision.found:
            yield "relation", table
        elif kind in _OWNED and is_there:
            yield _OWNED[kind], identity_of(key)
        elif kind in _OWNED and value is not None:
            yield "schema", parts(identity_of(key))[0]


def _only_adds(step: Step) -> bool:
    """True for an INSERT of VALUES: it reads no rows."""
    return set(step.tags) == _READS_NONE and not re.search(r"\bSELECT\b", step.sql, re.IGNORECASE)


def _conflict(about: str, kind: str, name: str, owner: str | None, role: str) -> Conflict:
    if kind == "rows":
        return Conflict(
            about=about,
            why=f"row security hides rows of {name} from {role}, so nobody knows what it has done or would do",
            hint=f"Connect as a role that sees all of them, or say: `trueup resolve {about} --applied` or `--run`.",
        )
    if kind == "schema":
        return Conflict(
            about=about,
            why=f"{role} may make nothing in the schema {name}",
            hint=f"GRANT CREATE ON SCHEMA {name} TO {role}, or connect as its owner.",
        )
    return Conflict(
        about=about,
        why=f"{name} belongs to {owner}, and {role} may not change it",
        hint=f"Give it to {role} with ALTER … OWNER TO, GRANT {owner} TO {role}, or connect as {owner}.",
    )
