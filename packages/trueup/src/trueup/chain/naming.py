"""What a step is called where its author gave no name: derived from the statement, stable under edits elsewhere."""

from __future__ import annotations

import re
from typing import Any

from trueup.chain.grammar import Statement, enum_name, nodes_of, string_list

_LONGEST = 60


def derived_name(statement: Statement) -> str:
    """A name such as `business_calendars_table`, `idx_leads_phone` or `leads_phone` (a column added)."""
    return _clean(_name(statement.tag, statement.node))


def _clean(name: str) -> str:
    return re.sub(r"\W+", "_", name.lower()).strip("_")[:_LONGEST] or "statement"


def _name(tag: str, node: Any) -> str:
    match tag:
        case "create_stmt":
            return f"{node.relation.relname}_table"
        case "index_stmt":
            return node.idxname or f"{node.relation.relname}_index"
        case "alter_table_stmt":
            return _alter_name(node)
        case "view_stmt":
            return f"{node.view.relname}_view"
        case "create_table_as_stmt":
            return f"{node.into.rel.relname}_as"
        case "create_function_stmt":
            return f"{string_list(node.funcname)[-1]}_function"
        case "create_trig_stmt":
            return f"{node.trigname}_trigger"
        case "create_enum_stmt" | "composite_type_stmt" | "create_domain_stmt":
            return f"{_type_name(node)}_type"
        case "alter_enum_stmt":
            return f"{string_list(node.type_name)[-1]}_{node.new_val}"
        case "create_schema_stmt":
            return f"{node.schemaname or 'authorization'}_schema"
        case "create_extension_stmt":
            return f"{node.extname}_extension"
        case "insert_stmt" | "update_stmt" | "delete_stmt" | "merge_stmt":
            return f"{tag.split('_', maxsplit=1)[0]}_{node.relation.relname}"
        case "rename_stmt":
            return f"rename_{node.subname or node.relation.relname}_to_{node.newname}"
        case "drop_stmt":
            return f"drop_{_last_string(node)}"
        case _:
            return f"{tag.removesuffix('_stmt')}_{_first_relation(node)}"


def _alter_name(node: Any) -> str:
    table = node.relation.relname
    if len(node.cmds) == 1:
        command = node.cmds[0].alter_table_cmd
        kind = enum_name(command, "subtype")
        if kind == "AT_AddColumn":
            return f"{table}_{getattr(command, 'def').column_def.colname}"
        if kind == "AT_AddConstraint":
            constraint = getattr(command, "def").constraint
            return constraint.conname or f"{table}_constraint"
        if command.name:
            return f"{table}_{command.name}_{kind.removeprefix('AT_')}"
    return f"alter_{table}"


def _type_name(node: Any) -> str:
    if node.DESCRIPTOR.name == "CompositeTypeStmt":
        return str(node.typevar.relname)
    return string_list(node.type_name if node.DESCRIPTOR.name == "CreateEnumStmt" else node.domainname)[-1]


def _last_string(node: Any) -> str:
    strings = [found.sval for found in nodes_of(node.objects[0], "String")]
    return strings[-1] if strings else "object"


def _first_relation(node: Any) -> str:
    return next((found.relname for found in nodes_of(node, "RangeVar")), "")
