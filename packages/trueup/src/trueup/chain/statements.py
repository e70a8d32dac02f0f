"""Questions about one statement that its parse tree answers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from trueup.catalog.keys import literal
from trueup.chain.grammar import (
    Statement,
    deparse,
    enum_name,
    nodes_of,
    parse_each,
    parse_statements,
    range_name,
    string_list,
    walk,
)
from trueup.chain.model import DATA_TAGS
from trueup.errors import MigrationError

_OUTSIDE_TRANSACTIONS = re.compile(
    r"^\s*(vacuum|create\s+database|drop\s+database|alter\s+system|create\s+tablespace|drop\s+tablespace"
    r"|create\s+subscription|reindex\s+(\([^)]*\)\s*)?(database|system))\b",
    re.IGNORECASE,
)
_MAY_BE_TEMPORARY = re.compile(r"\btemp(orary)?\b|pg_temp", re.IGNORECASE)
_ON_CONFLICT_NOTHING = 2
_TRANSACTION = "TRANSACTION"  # SET TRANSACTION: of this transaction by its nature
_COMMITS = re.compile(r"\b(commit|rollback)\s*;", re.IGNORECASE)
_DUPLICATE = r"(?:duplicate_\w+|unique_violation)"
_CATCHES_DUPLICATES = re.compile(
    rf"\s*BEGIN\b(?P<made>.*)\bEXCEPTION\s+WHEN\s+{_DUPLICATE}(?:\s+OR\s+{_DUPLICATE})*\s+THEN"
    r"\s+(?:NULL|RAISE\s+(?:NOTICE|INFO|LOG|DEBUG|WARNING)\b[^;]*)\s*;\s*END\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
_IF_MISSING = re.compile(
    r"\s*BEGIN\s+IF\s+NOT\s+EXISTS\s*\((?P<asked>.*?)\)\s*THEN\b(?P<made>.*)\bEND\s+IF\s*;\s*END\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
_CREATES = {
    *("create_stmt", "create_enum_stmt", "create_domain_stmt", "create_range_stmt", "composite_type_stmt"),
    *("create_role_stmt", "create_schema_stmt", "create_seq_stmt", "create_policy_stmt", "create_trig_stmt"),
    *("create_extension_stmt", "index_stmt", "view_stmt"),
}
_ADDS = {"AT_AddConstraint", "AT_AddColumn"}
_QUOTED = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_WRITES = re.compile(
    r"\b(?:insert|update|delete|merge|truncate|copy|call|perform|execute|create|alter|drop|grant|revoke|refresh|lock"
    r"|comment|nextval|setval)\b",
    re.IGNORECASE,
)
_CALLED = re.compile(r"\b([a-z_]\w*)\s*\(", re.IGNORECASE)
_READING = {"count", "exists", "max", "min", "sum", "coalesce", "string_agg", "array_agg", "array_length", "bool_or"}
_READING |= {"bool_and", "cardinality", "length", "lower", "upper", "trim", "format", "to_regclass", "current_setting"}
_READING |= {"in", "any", "all", "and", "or", "not", "if", "when", "where", "on", "from", "select", "as", "varchar"}
_HARMLESS_FUNCTIONS = {"setval", "now", "version", "max", "coalesce", "count", "min", "pg_get_serial_sequence"}


def is_concurrent(statement: Statement) -> bool:
    """CONCURRENTLY: it builds or drops outside any transaction."""
    node = statement.node
    if "concurrently" not in statement.text.lower():  # walking the tree would cost more than parsing it
        return False
    return (
        bool(getattr(node, "concurrent", False))
        or (statement.tag == "reindex_stmt" and "concurrently" in statement.text.lower())
        or (statement.tag == "alter_table_stmt" and any(part.concurrent for part in nodes_of(node, "PartitionCmd")))
    )


def refuses_transactions(statement: Statement) -> bool:
    """The server does not run it inside a transaction block, or it may commit by itself."""
    if statement.tag == "call_stmt" or (statement.tag == "do_stmt" and _COMMITS.search(statement.text)):
        return True
    return is_concurrent(statement) or bool(_OUTSIDE_TRANSACTIONS.match(statement.text))


def without_concurrently(statement: Statement) -> str:
    """The same statement in the form that runs inside a transaction."""
    if not is_concurrent(statement):
        return statement.text
    if statement.tag == "reindex_stmt":
        return re.sub(r"\bconcurrently\b", "", statement.text, flags=re.IGNORECASE)
    node = type(statement.node)()
    node.CopyFrom(statement.node)
    for part in walk(node):
        if "concurrent" in part.DESCRIPTOR.fields_by_name:
            part.concurrent = False
    return deparse(statement.tag, node)


def is_session_setting(statement: Statement) -> bool:
    """`SET`, `RESET` and `SELECT set_config(…, false)`: context for what follows, no step."""
    if statement.tag == "variable_set_stmt":
        return not statement.node.is_local and statement.node.name != _TRANSACTION
    return _set_config_arguments(statement) is not None and not needs_one_transaction(statement)


def as_local_setting(statement: Statement) -> str:
    """The same setting for one transaction, so that it cannot leak to the next client of a pooler."""
    arguments = _set_config_arguments(statement)
    if arguments is not None:
        name, value = (literal(arguments[i].a_const.sval.sval) for i in (0, 1))
        return f"SELECT pg_catalog.set_config({name}, {value}, true)"
    node = type(statement.node)()
    node.CopyFrom(statement.node)
    if statement.text.upper().startswith("RESET"):
        return f"SET LOCAL {node.name} TO DEFAULT" if node.name else ""
    node.is_local = True
    return deparse(statement.tag, node)


def setting_name(statement: Statement) -> str:
    """Which setting it sets; empty for all of them."""
    arguments = _set_config_arguments(statement)
    if arguments is not None:
        return str(arguments[0].a_const.sval.sval)
    return str(statement.node.name)


def _set_config_arguments(statement: Statement) -> Any | None:
    if statement.tag != "select_stmt" or len(statement.node.target_list) != 1 or statement.node.from_clause:
        return None
    value = statement.node.target_list[0].res_target.val
    if value.WhichOneof("node") != "func_call" or string_list(value.func_call.funcname)[-1] != "set_config":
        return None
    arguments = value.func_call.args
    return arguments if [each.WhichOneof("node") for each in arguments] == ["a_const"] * 3 else None


def needs_one_transaction(statement: Statement) -> bool:
    """Its effect ends with the transaction or the session, so its neighbours must share it."""
    node = statement.node
    if statement.tag in ("lock_stmt", "declare_cursor_stmt"):
        return True
    if statement.tag == "variable_set_stmt":
        return bool(node.is_local) or node.name == _TRANSACTION
    if arguments := _set_config_arguments(statement):
        return bool(arguments[2].a_const.boolval.boolval)
    if not _MAY_BE_TEMPORARY.search(statement.text):  # walking every tree would cost more than parsing it
        return False
    return "pg_temp" in statement.text or any(relation.relpersistence == "t" for relation in nodes_of(node, "RangeVar"))


def is_guarded(statement: Statement) -> bool:
    """A statement that repeats harmlessly by its own guard, or writes nothing."""
    node = statement.node
    match statement.tag:
        case "insert_stmt":
            nothing = node.on_conflict_clause.action == _ON_CONFLICT_NOTHING  # DO UPDATE could undo later changes
            return nothing or _where_not_exists(node.select_stmt.select_stmt)
        case "update_stmt":
            return _where_column_is_null(node)
        case "select_stmt":
            functions = {string_list(call.funcname)[-1] for call in nodes_of(node, "FuncCall")}
            writes = any(found.DESCRIPTOR.name in ("InsertStmt", "UpdateStmt", "DeleteStmt") for found in walk(node))
            return not writes and functions <= _HARMLESS_FUNCTIONS
        case "do_stmt":
            return _makes_what_is_not_there(node)
        case _:
            return statement.tag not in DATA_TAGS


def _makes_what_is_not_there(block: Any) -> bool:
    """A block that makes things if they are missing, or catches that they are there: twice is as good as once."""
    code = _code(block)
    match = _CATCHES_DUPLICATES.fullmatch(code) or _IF_MISSING.fullmatch(code)
    if match is None:
        return False
    try:
        made = parse_statements(match["made"])
    except MigrationError:  # it is more than SQL
        return False
    asked = match.groupdict().get("asked", "")
    return bool(made) and all(_only_adds(one) or _inserts_what_was_asked_for(one, asked) for one in made)


def _code(block: Any) -> str:
    """What a DO block runs."""
    return "".join(a.def_elem.arg.string.sval for a in block.args if a.def_elem.defname == "as")


def only_checks(text: str) -> bool:
    """True for a DO block that reads, and raises something at most: it leaves nothing behind, however often it runs."""
    blocks = [one.node for one in parse_each([text]) if one.tag == "do_stmt"]
    code = _QUOTED.sub(" ", "".join(map(_code, blocks)))
    called = {name.lower() for name in _CALLED.findall(code)}
    return bool(blocks) and not _WRITES.search(code) and called <= _READING


def _inserts_what_was_asked_for(statement: Statement, asked: str) -> bool:
    name = re.escape(statement.node.relation.relname) if statement.tag == "insert_stmt" else ""
    return bool(name) and re.search(rf"(?<!\w){name}(?!\w)", asked) is not None


def _only_adds(statement: Statement) -> bool:
    if statement.tag == "alter_enum_stmt":
        return not statement.node.old_val  # else it renames one
    if statement.tag != "alter_table_stmt":
        return statement.tag in _CREATES
    return all(enum_name(cmd.alter_table_cmd, "subtype") in _ADDS for cmd in statement.node.cmds)


def conjuncts(where: Any) -> list[Any]:
    """The conditions that a WHERE joins by AND."""
    if where.WhichOneof("node") == "bool_expr" and enum_name(where.bool_expr, "boolop") == "AND_EXPR":
        return list(where.bool_expr.args)
    return [where]


def _where_not_exists(select: Any) -> bool:
    return any(
        part.WhichOneof("node") == "bool_expr"
        and enum_name(part.bool_expr, "boolop") == "NOT_EXPR"
        and part.bool_expr.args[0].WhichOneof("node") == "sub_link"
        for part in conjuncts(select.where_clause)
    )


def _where_column_is_null(update: Any) -> bool:
    """`UPDATE … SET x = … WHERE x IS NULL`: done once, the row no longer matches."""
    targets = {target.res_target.name for target in update.target_list}
    return any(
        part.WhichOneof("node") == "null_test"
        and enum_name(part.null_test, "nulltesttype") == "IS_NULL"
        and part.null_test.arg.WhichOneof("node") == "column_ref"
        and string_list(part.null_test.arg.column_ref.fields)[-1] in targets
        for part in conjuncts(update.where_clause)
    )


def columns_written(texts: Iterable[str]) -> set[str]:
    """The columns that UPDATEs set or INSERTs fill, by name."""
    found: set[str] = set()
    for statement in parse_each(texts):
        for part in walk(statement.node):
            if part.DESCRIPTOR.name == "UpdateStmt":
                found.update(target.res_target.name for target in part.target_list)
            elif part.DESCRIPTOR.name == "InsertStmt":
                found.update(target.res_target.name for target in part.cols)
    return found


def filled_whole(texts: Iterable[str]) -> set[str]:
    """The tables of which an INSERT fills all columns, for it names none: unquoted, without schemas."""
    inserts = (node for s in parse_each(texts) for node in nodes_of(s.node, "InsertStmt"))
    return {str(node.relation.relname) for node in inserts if not node.cols}


def whole_rows(text: str) -> set[str]:
    """The tables and views of which the statements of a text use whole rows, as in `to_jsonb(t)`: their bare names."""
    found: set[str] = set()
    for statement in parse_each([text]):
        columns = (column.fields for column in nodes_of(statement.node, "ColumnRef"))
        named = {str(fields[0].string.sval) for fields in columns if len(fields) == 1}
        relations = nodes_of(statement.node, "RangeVar")
        found |= {str(r.relname) for r in relations if (r.alias.aliasname or r.relname) in named}
    return found


def relations_named(text: str) -> set[str]:
    """The tables and views that the statements of a text name, unquoted, without schemas."""
    return {str(name.relname) for s in parse_each([text]) for name in nodes_of(s.node, "RangeVar")}


def removed_objects(statement: Statement) -> set[tuple[str, str]]:
    """(kind, name) of what the statement removes, as `created_objects` would name it."""
    node, found = statement.node, set()
    if statement.tag == "drop_stmt":
        for item in node.objects:
            strings = [text.sval for text in nodes_of(item.list if item.HasField("list") else item, "String")]
            if item.HasField("object_with_args"):
                strings = list(string_list(item.object_with_args.objname))
            if strings:
                found.add(("object", strings[-1]))
    elif statement.tag == "alter_table_stmt":
        for item in node.cmds:
            command = item.alter_table_cmd
            if enum_name(command, "subtype") in ("AT_DropColumn", "AT_DropConstraint"):
                found.add((range_name(node.relation), command.name))
    return found


def created_objects(statement: Statement) -> set[tuple[str, str]]:
    """(kind, name) of what the statement creates."""
    node = statement.node
    match statement.tag:
        case "create_stmt":
            return {("object", node.relation.relname)}
        case "view_stmt":
            return {("object", node.view.relname)}
        case "create_table_as_stmt":
            return {("object", node.into.rel.relname)}
        case "index_stmt":
            return {("object", node.idxname)}
        case "create_trig_stmt":
            return {("object", node.trigname)}
        case "create_policy_stmt":
            return {("object", node.policy_name)}
        case "rule_stmt":
            return {("object", node.rulename)}
        case "create_function_stmt":
            return {("object", string_list(node.funcname)[-1])}
        case "create_enum_stmt":
            return {("object", string_list(node.type_name)[-1])}
        case "rename_stmt":
            return {("object", node.newname)} if not node.subname else {(range_name(node.relation), node.newname)}
        case "alter_table_stmt":
            return _added(node)
    return set()


def _added(node: Any) -> set[tuple[str, str]]:
    found = set()
    for item in node.cmds:
        command = item.alter_table_cmd
        if enum_name(command, "subtype") == "AT_AddColumn":
            found.add((range_name(node.relation), getattr(command, "def").column_def.colname))
        elif enum_name(command, "subtype") == "AT_AddConstraint":
            found.add((range_name(node.relation), getattr(command, "def").constraint.conname))
    return found
