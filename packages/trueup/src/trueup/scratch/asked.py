"""What a statement may change, by its kind: which look is asked behind it, and what may share its message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trueup.chain.grammar import Statement, enum_name
from trueup.chain.model import Step
from trueup.chain.statements import is_guarded
from trueup.scratch.look import look_sql

_RENAME_TAGS = {"rename_stmt", "alter_object_schema_stmt"}
_UNLOCKED_TAGS = {"grant_stmt", "alter_domain_stmt", "alter_default_privileges_stmt"}
_NAMES_EVERYWHERE = {"OBJECT_SCHEMA", "OBJECT_ROLE"}
_FACTLESS_TAGS = {"vacuum_stmt", "alter_system_stmt", "check_point_stmt", "createdb_stmt", "dropdb_stmt"}
_TYPELESS_TAGS = {"create_stmt", "alter_table_stmt", "index_stmt"}
_PLAIN_TAGS = {
    "create_stmt",
    "alter_table_stmt",
    "index_stmt",
    "drop_stmt",
    "create_enum_stmt",
    "view_stmt",
    "comment_stmt",
    "create_schema_stmt",
    "create_seq_stmt",
    "alter_seq_stmt",
    "create_trig_stmt",
    "create_policy_stmt",
    "grant_stmt",
}
_ROW_TAGS = {"insert_stmt", "update_stmt", "delete_stmt"}
_MOST_PARTS = 24  # of one transaction: each look reads again all that the transaction has locked
_MOST_TOGETHER = 32  # steps
_MOST_TEXT = 100_000  # characters


def look_for(statements: Sequence[Statement], *, everything: bool) -> str:
    """The query for what these statements change; empty where they cannot change a fact."""
    if all(s.tag in _FACTLESS_TAGS for s in statements):
        return ""
    return look_sql(
        renames=any(_may_rename(s) for s in statements),
        unlocked=any(s.tag in _UNLOCKED_TAGS or _is_opaque(s) for s in statements),
        types=not {s.tag for s in statements} <= _TYPELESS_TAGS,
        everything=everything or any(_renames_everywhere(s) for s in statements),
    )


def is_divided(statements: Sequence[Statement]) -> bool:
    """True where there are several, and few enough for a look behind each in the step's transaction."""
    return 1 < len(statements) <= _MOST_PARTS


def messages(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """The steps, divided into those whose transactions go into one message."""
    message: list[Step] = []
    length = 0
    for step in steps:
        length += len(step.sql)
        if message and not (is_plain(step) and len(message) < _MOST_TOGETHER and length < _MOST_TEXT):
            yield message
            message, length = [], len(step.sql)
        message.append(step)
        if not is_plain(step) or not _ROW_TAGS.isdisjoint(step.tags):  # whose checks may read tables after the look
            yield message
            message, length = [], 0
    if message:
        yield message


def is_plain(step: Step) -> bool:
    """True where it runs in a transaction, and nothing more has to be asked of the server to understand what it did."""
    is_alone = step.no_transaction and "alter_table_stmt" in step.tags
    return set(step.tags) <= _PLAIN_TAGS | _ROW_TAGS and 0 < len(step.tags) <= _MOST_PARTS and not is_alone


def _may_rename(statement: Statement) -> bool:
    """It may give something another name, by which other objects' facts mention it."""
    if statement.tag == "alter_enum_stmt":
        return bool(statement.node.old_val)
    return statement.tag in _RENAME_TAGS or _is_opaque(statement)


def _is_opaque(statement: Statement) -> bool:
    """It calls something that may do anything."""
    return statement.tag in ("do_stmt", "call_stmt") or (statement.tag == "select_stmt" and not is_guarded(statement))


def _renames_everywhere(statement: Statement) -> bool:
    """It gives a schema or a role another name, which many facts bear."""
    return statement.tag == "rename_stmt" and enum_name(statement.node, "rename_type") in _NAMES_EVERYWHERE
