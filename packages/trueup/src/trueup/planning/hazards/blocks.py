"""Several statements in one transaction: what one of them locks stays locked until the last is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trueup.chain.grammar import Statement, enum_name, nodes_of, range_identity
from trueup.planning.hazards.around import Around
from trueup.planning.hazards.model import Hit, lock_rule

SEVERAL_LOCKS = lock_rule(
    "several-locks",
    "several tables are locked in one transaction",
    "The locks are kept until the last statement is done, and two transactions that lock in another order deadlock.",
    "Leave out `-- atomic` or BEGIN … COMMIT: each statement is then a step and a transaction of its own.",
)
VALIDATE_IN_BLOCK = lock_rule(
    "validate-in-block",
    "a constraint is validated in the transaction that added it",
    "The lock of ADD CONSTRAINT is kept while every row is read; NOT VALID was for nothing.",
    "Leave out `-- atomic` or BEGIN … COMMIT around the two.",
)
ROWS_IN_BLOCK = lock_rule(
    "rows-in-block",
    "rows are written while a table's lock is kept",
    "The lock that a statement before it took is kept for as long as the rows take.",
    "Write the rows in a step of its own, with `-- backfill` where they are many.",
)
RULES = (SEVERAL_LOCKS, VALIDATE_IN_BLOCK, ROWS_IN_BLOCK)

_WRITES = ("update_stmt", "delete_stmt", "merge_stmt", "insert_stmt")
_WEAK = {"AT_ValidateConstraint", "AT_SetStatistics", "AT_SetRelOptions", "AT_ResetRelOptions", "AT_ClusterOn"}


def block_hits(
    statements: Sequence[Statement], arounds: Sequence[Around], observed: Mapping[str, str]
) -> Iterator[tuple[int, Hit]]:
    """(position, hit) of what a step of several statements adds to its statements' own hazards."""
    locked: dict[str, str] = {}
    for position, (statement, around) in enumerate(zip(statements, arounds, strict=True)):
        if any(kind == "AT_ValidateConstraint" for kind in _kinds(statement)) and locked:
            yield position, Hit(VALIDATE_IN_BLOCK, "a constraint is validated under the lock of an earlier statement")
        if statement.tag in _WRITES and locked and not around.is_fresh(statement.node.relation):
            said = f"rows of {statement.node.relation.relname} are written while {_names(locked)} stays locked"
            yield position, Hit(ROWS_IN_BLOCK, said, dict(locked))
        for relation in _strongly_locked(statement):
            if not around.is_fresh(relation):
                locked[range_identity(relation)] = observed.get(range_identity(relation), "AE")
    if len(locked) > 1:
        yield 0, Hit(SEVERAL_LOCKS, f"{_names(locked)} are locked in one transaction", locked)


def _names(locked: Mapping[str, str]) -> str:
    return ", ".join(name.removeprefix("public.") for name in locked)


def _kinds(statement: Statement) -> list[str]:
    if statement.tag != "alter_table_stmt":
        return []
    return [enum_name(item.alter_table_cmd, "subtype") for item in statement.node.cmds]


def _strongly_locked(statement: Statement) -> list[Any]:
    """The relations whose writers have to wait for the statement, as its text says."""
    node = statement.node
    match statement.tag:
        case "alter_table_stmt" if not set(_kinds(statement)) <= _WEAK:
            return [node.relation, *_parents(node)]
        case "index_stmt" | "create_trig_stmt":
            return [node.relation] if not getattr(node, "concurrent", False) else []
        case "rename_stmt":
            return [node.relation] if node.HasField("relation") else []
        case "lock_stmt":
            return [item.range_var for item in node.relations]
        case "create_stmt":
            return _parents(node)
    return []


def _parents(node: Any) -> list[Any]:
    """The tables that its foreign keys refer to."""
    return [c.pktable for c in nodes_of(node, "Constraint") if enum_name(c, "contype") == "CONSTR_FOREIGN"]
