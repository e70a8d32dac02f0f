"""What running code may notice though no name of it goes away. Told on request only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trueup.chain.grammar import Statement, enum_name, range_name
from trueup.planning.hazards.around import Around
from trueup.planning.hazards.model import Family, Hit, Level, Rule


def _rule(name: str, title: str, why: str, instead: str) -> Rule:
    return Rule(id=name, family=Family.BEHAVIOUR, title=title, why=why, instead=instead, level=Level.INFO)


SHAPE = _rule(
    "changes-shape",
    "rows or values get a new shape",
    "Code with SELECT * or INSERT without a list of columns, and code that knows all values of an enum, may notice.",
    "Deploy code that expects it first.",
)
REFUSES = _rule(
    "refuses-writes",
    "writes that were fine are refused",
    "The code that is still running may write what the new constraint refuses.",
    "Deploy code that keeps to it first.",
)
BEHAVIOUR = _rule(
    "changes-behaviour",
    "the same statement does something else",
    "A function, view, trigger, rule, default, sequence, extension or setting that running code uses changes under it.",
    "See that the running code can live with both.",
)
ACCESS = _rule(
    "changes-access",
    "who may see or do what changes",
    "The running code's role may lose rows or rights; row security without a policy hides every row from it.",
    "Policies and grants first, then what depends on them.",
)
RULES = (SHAPE, REFUSES, BEHAVIOUR, ACCESS)

_BEHAVIOUR_TAGS = {
    "alter_function_stmt": "a function's options change",
    "alter_extension_stmt": "an extension is updated",
    "alter_seq_stmt": "a sequence's options change",
    "alter_database_set_stmt": "a database's settings change",
    "alter_database_stmt": "a database's settings change",
    "alter_role_set_stmt": "a role's settings change",
    "alter_system_stmt": "the server's settings change",
    "rule_stmt": "a rule is made",
}
_ACCESS_TAGS = {
    "create_policy_stmt": "a policy is made",
    "alter_policy_stmt": "a policy changes",
    "alter_role_stmt": "a role's options change",
    "alter_owner_stmt": "an owner changes",
}
_DROPPED = {
    "OBJECT_TRIGGER": (BEHAVIOUR, "a trigger is dropped"),
    "OBJECT_RULE": (BEHAVIOUR, "a rule is dropped"),
    "OBJECT_POLICY": (ACCESS, "a policy is dropped"),
    "OBJECT_INDEX": (BEHAVIOUR, "an index is dropped: plans may change, and what it kept unique no longer is"),
}
_ALTERED = {
    "AT_AddColumn": (SHAPE, "gets a column"),
    "AT_AddConstraint": (REFUSES, "gets a constraint"),
    "AT_SetNotNull": (REFUSES, "gets a NOT NULL"),
    "AT_ReplicaIdentity": (BEHAVIOUR, "gets another replica identity"),
    "AT_DropInherit": (BEHAVIOUR, "leaves its parent"),
    "AT_AddInherit": (BEHAVIOUR, "gets a parent"),
    "AT_DetachPartition": (BEHAVIOUR, "loses a partition"),
    "AT_ChangeOwner": (ACCESS, "gets another owner"),
}


def statement_hits(statement: Statement, around: Around) -> Iterator[Hit]:
    """Hits of statements other than ALTER TABLE."""
    node, tag = statement.node, statement.tag
    if tag in _BEHAVIOUR_TAGS:
        yield Hit(BEHAVIOUR, _BEHAVIOUR_TAGS[tag])
    elif tag in _ACCESS_TAGS:
        yield Hit(ACCESS, _ACCESS_TAGS[tag])
    elif tag in ("create_function_stmt", "view_stmt") and node.replace:
        yield Hit(BEHAVIOUR, "a function or view is replaced")
    elif tag == "grant_stmt" and not node.is_grant:
        yield Hit(ACCESS, "rights are revoked")
    elif tag == "alter_enum_stmt" and node.new_val and not node.old_val:
        yield Hit(SHAPE, f"an enum gets the value '{node.new_val}'")
    elif tag == "index_stmt" and node.unique and not around.is_fresh(node.relation):
        yield Hit(REFUSES, f"{range_name(node.relation)} gets a unique index")
    elif tag == "alter_domain_stmt" and node.subtype in ("C", "O"):
        yield Hit(REFUSES, "a domain gets a constraint")
    elif tag == "drop_stmt" and (found := _DROPPED.get(enum_name(node, "remove_type"))):
        yield Hit(*found)


def alter_hits(relation: Any, command: Any, kind: str, around: Around) -> Iterator[Hit]:
    """Hits of one part of an ALTER TABLE."""
    if around.is_fresh(relation):
        return
    table = range_name(relation)
    if found := _ALTERED.get(kind):
        yield Hit(found[0], f"{table} {found[1]}")
        if kind == "AT_AddColumn":
            yield from _restricted(table, getattr(command, "def").column_def)
    elif "RowSecurity" in kind:
        yield Hit(ACCESS, f"{table}'s row security changes")
    elif kind == "AT_ColumnDefault" and command.HasField("def"):
        yield Hit(BEHAVIOUR, f"{table}.{command.name} gets another default")
    elif kind.startswith(("AT_Enable", "AT_Disable")):
        yield Hit(BEHAVIOUR, f"triggers or rules of {table} are switched on or off")
    elif kind in ("AT_SetRelOptions", "AT_ResetRelOptions") and around.step.tags:
        yield Hit(BEHAVIOUR, f"options of {table} change")


def _restricted(table: str, column: Any) -> Iterator[Hit]:
    kinds = {enum_name(item.constraint, "contype") for item in column.constraints}
    if kinds & {"CONSTR_CHECK", "CONSTR_FOREIGN", "CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_NOTNULL"}:
        yield Hit(REFUSES, f"{table}.{column.colname} is added with a constraint")
