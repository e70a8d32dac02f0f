"""CREATE TABLE and ALTER TABLE, rehearsed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from trueup.chain.grammar import enum_name, string_list
from trueup.planning.rehearsal.catalog import Constraint, Relation
from trueup.planning.rehearsal.sending import TEMPORARY, Refused, Sending, said

_CONSTRAINTS = ("CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_FOREIGN", "CONSTR_CHECK", "CONSTR_EXCLUSION")
_OF_A_COLUMN = ("AT_ColumnDefault", "AT_SetNotNull", "AT_DropNotNull", "AT_AddIdentity", "AT_DropIdentity")
_OF_A_PARTITION = ("AT_AttachPartition", "AT_DetachPartition")


def create_table(sending: Sending, node: Any) -> bool:
    """CREATE TABLE; what it has from other tables comes with its effect."""
    if node.relation.relpersistence == TEMPORARY:
        sending.catalog.temporary.add(node.relation.relname)
        return True
    name = sending.name(node.relation)
    if not sending.is_free(name, or_not=node.if_not_exists):
        return False
    parents = [sending.relation(parent.range_var) for parent in node.inh_relations]
    table = sending.catalog.relations[name] = Relation("table", name, parent=parents[0] if parents else None)
    table.columns = set(table.parent.columns) if table.parent else set()
    elements = [one.column_def for one in node.table_elts if one.WhichOneof("node") == "column_def"]
    for column in elements:
        sending.has_type(column.type_name)
        table.columns.add(column.colname)
    for column in elements:
        for one in column.constraints:
            _add_constraint(sending, table, one.constraint, own=[column.colname])
    for element in node.table_elts:
        if element.WhichOneof("node") == "constraint":
            _add_constraint(sending, table, element.constraint)
    return True


def _add_constraint(sending: Sending, table: Relation | None, node: Any, own: Sequence[str] = ()) -> None:
    kind = enum_name(node, "contype")
    if kind not in _CONSTRAINTS or table is None:
        return
    columns = [*own, *string_list(node.keys), *string_list(node.fk_attrs)]
    sending.columns(table, columns)
    parent = sending.relation(node.pktable) if kind == "CONSTR_FOREIGN" else None
    referred = string_list(node.pk_attrs)
    sending.columns(parent, referred)
    if node.indexname and sending.catalog.lacks(("index",), (table.name[0], node.indexname)):
        raise Refused(f"there is no index {node.indexname} by then")
    sending.catalog.relations.pop((table.name[0], node.indexname), None)  # from now on it is the constraint's
    if node.conname in table.constraints:
        raise Refused(f"{said(table.name)} has a constraint {node.conname} already by then")
    if name := node.conname or _chosen_name(sending, table, kind, columns):
        table.constraints[name] = Constraint(set(columns), parent, set(referred))


def _chosen_name(sending: Sending, table: Relation, kind: str, columns: Sequence[str]) -> str:
    """What the server calls a constraint that has no name; empty where that is not known, or something is called so."""
    match kind:
        case "CONSTR_PRIMARY":
            name = f"{table.name[-1]}_pkey"
        case "CONSTR_UNIQUE":
            name = "_".join((table.name[-1], *columns, "key"))
        case "CONSTR_FOREIGN":
            name = "_".join((table.name[-1], *columns, "fkey"))
        case _:
            return ""
    return "" if sending.catalog.is_used(name, table.name[0]) else name


def alter_table(sending: Sending, node: Any) -> bool:
    """ALTER TABLE: one command after the other."""
    table = sending.relation(node.relation, missing_ok=node.missing_ok)
    if table is None:
        return not node.missing_ok
    did = [_alter(sending, table, one.alter_table_cmd) for one in node.cmds]
    return any(did)


def _alter(sending: Sending, table: Relation, command: Any) -> bool:
    does = enum_name(command, "subtype")
    change = _ALTERS.get(does)
    if change is not None:
        return change(sending, table, command)
    if does in _OF_A_COLUMN:
        sending.columns(table, [command.name])
    elif does in _OF_A_PARTITION:
        child = sending.relation(getattr(command, "def").partition_cmd.name)
        if child:
            child.parent = table if does == "AT_AttachPartition" else None
    return True


def _drop_column(sending: Sending, table: Relation, command: Any) -> bool:
    if not sending.part("column", table, command.name, missing_ok=command.missing_ok):
        return False
    sending.catalog.drop_column(table, command.name)
    return True


def _table_constraint(sending: Sending, table: Relation, command: Any) -> bool:
    _add_constraint(sending, table, getattr(command, "def").constraint)
    return True


def _drop_constraint(sending: Sending, table: Relation, command: Any) -> bool:
    if not sending.part("constraint", table, command.name, missing_ok=command.missing_ok):
        return False
    table.constraints.pop(command.name, None)
    return True


def _uses_constraint(sending: Sending, table: Relation, command: Any) -> bool:
    return sending.part("constraint", table, command.name)


def _retype(sending: Sending, table: Relation, command: Any) -> bool:
    sending.columns(table, [command.name])
    sending.has_type(getattr(command, "def").column_def.type_name)
    return True


def _add_column(sending: Sending, table: Relation, command: Any) -> bool:
    column = getattr(command, "def").column_def
    if column.colname in table.columns:
        if command.missing_ok:
            return False
        raise Refused(f"{said(table.name)} has a column {column.colname} already by then")
    sending.has_type(column.type_name)
    sending.catalog.add_column(table, column.colname)
    for one in column.constraints:
        _add_constraint(sending, table, one.constraint, own=[column.colname])
    return True


_ALTERS: dict[str, Callable[[Sending, Relation, Any], bool]] = {
    "AT_AddColumn": _add_column,
    "AT_DropColumn": _drop_column,
    "AT_AlterColumnType": _retype,
    "AT_AddConstraint": _table_constraint,
    "AT_DropConstraint": _drop_constraint,
    "AT_ValidateConstraint": _uses_constraint,
    "AT_AlterConstraint": _uses_constraint,
}
