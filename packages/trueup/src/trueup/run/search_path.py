"""Ask whether names without a schema mean here what they meant on the scratch server."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from trueup.catalog.keys import identity_of, parts, quoted
from trueup.catalog.snapshot import last_result
from trueup.chain.grammar import parse_each
from trueup.chain.model import Effect, LockedChain, Step
from trueup.decide.model import Conflict

_WHERE = "SELECT quote_ident(current_schema()), current_setting('search_path')"


def led_elsewhere(conn: Connection[Any], locked: LockedChain) -> list[Conflict]:
    """A conflict where a table that the chain makes without its schema would be made in another; one query."""
    found = ((step, _made_in(step, effect)) for step, effect in zip(locked.steps, locked.effects, strict=True))
    step, schema = next(((step, schema) for step, schema in found if schema), (None, ""))
    if step is None:
        return []
    ((here, path),) = last_result(conn, f"BEGIN READ ONLY; {_WHERE}; COMMIT")
    if here == schema:
        return []
    leads = f"in the schema {here}" if here else "nowhere"
    return [
        Conflict(
            about=step.id,
            why=f"what it makes in the schema {schema} would be made {leads}: here the search_path is {path}",
            hint=f"Connect with the lock file's own: `?options=-csearch_path%3D{schema}` at the end of the URL.",
        )
    ]


def _made_in(step: Step, effect: Effect) -> str:
    """The schema in which a step has made a table that its text names without one; empty for all others."""
    if "create_stmt" not in step.tags or any("search_path" in one.lower() for one in (*step.context, step.sql)):
        return ""
    bare = {
        quoted(one.node.relation.relname)
        for one in parse_each(step.statements)
        if one.tag == "create_stmt" and not one.node.relation.schemaname
    }
    made = (parts(identity_of(key)) for key in effect.set if key.startswith("table "))
    return next((schema for schema, name in made if name in bare), "")
