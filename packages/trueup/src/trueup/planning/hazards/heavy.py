"""Statements that keep a table to themselves by their nature, and settings that take the brakes off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from trueup.catalog.keys import own_name
from trueup.chain.grammar import Statement, enum_name, range_name
from trueup.chain.locks import MODES, STRONG
from trueup.planning.hazards.around import Around, locking
from trueup.planning.hazards.model import Family, Hit, Level, Rule, lock_rule

REWRITE = lock_rule(
    "rewrite-table",
    "a table is written anew under its lock",
    "Nobody can read or write the table until all of it, and all its indexes, have been copied.",
    "Plain VACUUM, or an extension that copies beside the users (pg_repack, pg_squeeze); for LOGGED, TABLESPACE and "
    "ACCESS METHOD a window.",
)
REFRESH = lock_rule(
    "refresh-view",
    "a materialized view is refreshed under its lock",
    "Nobody can read the view until its query has ended.",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index on it; not in a migration, where it can be "
    "avoided.",
)
LOCK_TABLE = lock_rule(
    "lock-table",
    "LOCK TABLE",
    "The lock is kept until everything behind it in the file is done.",
    "Leave it out: each step takes what it needs, for as long as it needs it.",
)
TRUNCATE = Rule(
    id="truncate",
    family=Family.ROWS,
    title="a table is emptied",
    why="Its rows are gone for good, under the table's strongest lock.",
    instead="DELETE in batches (`-- backfill`), where the rows may go and the table is in use.",
)
TRUNCATE_CASCADE = Rule(
    id="truncate-cascade",
    family=Family.ROWS,
    title="TRUNCATE … CASCADE empties tables that it does not name",
    why="Every table with a foreign key to this one is emptied with it, and those that point to them.",
    instead="Name every table that is to be emptied, without CASCADE.",
)
NO_TIMEOUT = lock_rule(
    "no-timeout",
    "a timeout is switched off",
    "A statement that waits for a strong lock makes everybody queue behind it; the timeout ends that.",
    "Leave lock_timeout and statement_timeout to trueup; both have options of `up`.",
)
DISABLE_TRIGGER = Rule(
    id="disable-trigger",
    family=Family.BEHAVIOUR,
    title="triggers or rules are switched off",
    why="Whatever anybody writes meanwhile is not seen by them; with ALL, foreign keys are not checked either.",
    instead="`SET LOCAL session_replication_role = replica` in an `-- atomic` block is for this session alone.",
)
CREATE_TRIGGER = lock_rule(
    "create-trigger",
    "a trigger is added to a table in use",
    "Writers wait for a moment; then every write pays for it.",
    "Deploy what the trigger calls before it; drop and create in one file is one transaction.",
    level=Level.NOTE,
)
OPAQUE = lock_rule(
    "opaque-block",
    "a DO block, a call or a Python step does DDL",
    "What it does cannot be read, rewritten or done in parts; it keeps its locks until it ends.",
    "Write the statements one by one.",
)
RULES = (REWRITE, REFRESH, LOCK_TABLE, TRUNCATE, TRUNCATE_CASCADE, NO_TIMEOUT, DISABLE_TRIGGER, CREATE_TRIGGER, OPAQUE)

_REWRITING = {
    "AT_SetLogged": "becomes LOGGED",
    "AT_SetUnLogged": "becomes UNLOGGED",
    "AT_SetTableSpace": "moves to another tablespace",
    "AT_SetAccessMethod": "gets another access method",
}
_TOLD = {"rewrite-table", "column-type", "volatile-default", "auto-increment", "stored-generated", "truncate"}
_TOLD |= {"truncate-cascade", "opaque-block", "refresh-view"}
_TIMEOUT_OFF = re.compile(r"\b(lock_timeout|statement_timeout)\b\W+(?:to\b\W+)?'?0+(?:ms|s|min)?'?\W*$", re.IGNORECASE)


def statement_hits(statement: Statement, around: Around) -> Iterator[Hit]:
    """Hits of statements other than ALTER TABLE."""
    node = statement.node
    match statement.tag:
        case "vacuum_stmt" if any(option.def_elem.defname == "full" for option in node.options):
            tables = [item.vacuum_relation.relation for item in node.rels]
            said = ", ".join(range_name(table) for table in tables) or "every table"
            yield Hit(REWRITE, f"VACUUM FULL of {said}", locking(*tables))
        case "cluster_stmt":
            table = node.relation
            yield Hit(
                REWRITE, f"CLUSTER of {range_name(table) or 'every table'}", locking(table) if table.relname else {}
            )
        case "refresh_mat_view_stmt" if not node.concurrent and not around.is_fresh(node.relation):
            yield Hit(REFRESH, f"{range_name(node.relation)} is refreshed", locking(node.relation))
        case "lock_stmt":
            yield from _locked(node, around)
        case "truncate_stmt":
            yield from _emptied(node, around)
        case "create_trig_stmt" if not around.is_fresh(node.relation):
            yield Hit(
                CREATE_TRIGGER,
                f"{range_name(node.relation)} gets the trigger {node.trigname}",
                locking(node.relation, mode="SRE"),
            )
        case "variable_set_stmt":
            yield from timeout_hits(statement.text)
        case "do_stmt" | "call_stmt" if around.step.opaque or around.step.python:
            yield from _opaque(statement, around)


def alter_hits(relation: Any, _command: Any, kind: str, around: Around) -> Iterator[Hit]:
    """Hits of one part of an ALTER TABLE."""
    if around.is_fresh(relation):
        return
    if kind in _REWRITING:
        yield Hit(REWRITE, f"{range_name(relation)} {_REWRITING[kind]}", locking(relation))
    elif kind.startswith(("AT_DisableTrig", "AT_DisableRule")):
        yield Hit(
            DISABLE_TRIGGER,
            f"triggers or rules of {range_name(relation)} are switched off",
            locking(relation, mode="SRE"),
        )


def observed_hits(around: Around, told: set[str]) -> Iterator[Hit]:
    """A table that the scratch server wrote anew, though nothing in the text says so: a domain's CHECK, say."""
    if around.effect is None or told & _TOLD:
        return
    for name in around.effect.rewritten:
        if f"table {name}" in around.facts and not _made_here(name, around):
            yield Hit(REWRITE, f"{name} is written anew", {name: "AE"})


def timeout_hits(setting: str) -> Iterator[Hit]:
    """Hits of a SET."""
    if match := _TIMEOUT_OFF.search(setting):
        yield Hit(NO_TIMEOUT, f"{match[1].lower()} is switched off")


def _locked(node: Any, around: Around) -> Iterator[Hit]:
    modes = list(MODES)
    mode = modes[node.mode - 1] if 0 < node.mode <= len(modes) else "AE"
    tables = [item.range_var for item in node.relations if not around.is_fresh(item.range_var)]
    if tables and mode in STRONG:
        said = ", ".join(range_name(table) for table in tables)
        yield Hit(LOCK_TABLE, f"{said} is locked in {MODES[mode]} mode", locking(*tables, mode=mode))


def _emptied(node: Any, around: Around) -> Iterator[Hit]:
    tables = [item.range_var for item in node.relations if not around.is_fresh(item.range_var)]
    if not tables:
        return
    said, locks = ", ".join(range_name(table) for table in tables), locking(*tables)
    cascade = enum_name(node, "behavior") == "DROP_CASCADE"
    yield Hit(TRUNCATE_CASCADE if cascade else TRUNCATE, f"{said} is emptied", locks)


def _opaque(statement: Statement, around: Around) -> Iterator[Hit]:
    locks = around.effect.locks if around.effect else {}
    strong = {relation: mode for relation, mode in locks.items() if mode in STRONG and not _made_here(relation, around)}
    if strong or around.effect is None:
        name = around.step.python or statement.tag.removesuffix("_stmt").upper()
        yield Hit(OPAQUE, f"{name} with DDL in it", strong)


def _made_here(relation: str, around: Around) -> bool:
    return own_name(relation) in around.fresh
