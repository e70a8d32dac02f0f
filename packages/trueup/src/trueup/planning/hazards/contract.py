"""What breaks the code that is still running: drops, renames, narrower types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trueup.chain.grammar import Statement, enum_name, nodes_of, range_name
from trueup.planning.hazards.around import Around, locking, signature
from trueup.planning.hazards.model import Family, Hit, Level, Rule

_LATER = (
    "Put `-- phase: contract` before it, and run it with `trueup up --phase contract` once no running code needs it."
)


def _rule(name: str, title: str, why: str, instead: str = _LATER, level: Level = Level.WARNING) -> Rule:
    return Rule(id=name, family=Family.CONTRACT, title=title, why=why, instead=instead, level=level)


DROP_TABLE = _rule(
    "drop-table",
    "a table is dropped",
    "The code that is still running reads and writes it, and its rows are gone for good.",
)
DROP_COLUMN = _rule(
    "drop-column",
    "a column is dropped",
    "The code that is still running names it in its queries, as ORMs do in every one; its values are gone for good.",
)
DROP_OBJECT = _rule(
    "drop-object",
    "a view, function, type or other object is dropped",
    "The code that is still running may use it.",
)
DROP_DATABASE = _rule(
    "drop-database",
    "a database is dropped",
    "Everything in it is gone.",
    "Do it by hand; a migration runs again wherever the chain does.",
)
DROP_CASCADE = _rule(
    "drop-cascade",
    "CASCADE takes along what is not named",
    "What depends on the object is dropped with it, and that may be more in production than on your machine.",
    "Drop the dependent objects by name first, then this one without CASCADE.",
)
DROP_DEFAULT = _rule(
    "drop-default",
    "a default is dropped",
    "The code that is still running leaves the column out of its INSERTs and gets NULL, or an error.",
)
DROP_NOT_NULL = _rule(
    "drop-not-null",
    "NOT NULL is dropped",
    "The code that is still running may not expect a NULL there.",
    "Deploy code that can read a NULL before any that writes one.",
    Level.NOTE,
)
DROP_CONSTRAINT = _rule(
    "drop-constraint",
    "a constraint is dropped",
    "What it promised no longer holds, and ON CONFLICT on its columns fails. A foreign key's lock is on both tables.",
    "See that no running code relies on it.",
    Level.NOTE,
)
DROP_GENERATION = _rule(
    "drop-generation",
    "an identity or a generation expression is dropped or changed",
    "The code that is still running leaves the column to the server, which no longer fills it as it did.",
)
RENAME_TABLE = _rule(
    "rename-table",
    "a table is renamed",
    "From the commit on, every query of the running code under the old name fails.",
    "Leave the name; or rename it together with a view of the old name, in one `-- atomic` block; or "
    "put `-- phase: contract` before it.",
)
RENAME_COLUMN = _rule(
    "rename-column",
    "a column is renamed",
    "From the commit on, every query of the running code under the old name fails.",
    "Leave the name; or add the new column, write both, fill it (`-- backfill`), and drop the old one in the "
    "contract phase.",
)
RENAME_OBJECT = _rule(
    "rename-object",
    "a view, function, type, schema or other object is renamed or moved",
    "The code that is still running uses the old name.",
)
RENAME_ENUM_VALUE = _rule(
    "rename-enum-value",
    "an enum's value is renamed",
    "The code that is still running writes and compares with the old value, and gets an error for it.",
    "Add the new value, let the code read both, rewrite the rows (`-- backfill`); an old value can stay.",
)
RENAME_CONSTRAINT = _rule(
    "rename-constraint",
    "a constraint or index is renamed",
    "Only ON CONFLICT ON CONSTRAINT and code that reads errors know such names.",
    "See that no running code names it.",
    Level.NOTE,
)
RULES = (
    *(DROP_TABLE, DROP_COLUMN, DROP_OBJECT, DROP_DATABASE, DROP_CASCADE, DROP_DEFAULT, DROP_NOT_NULL, DROP_CONSTRAINT),
    *(DROP_GENERATION, RENAME_TABLE, RENAME_COLUMN, RENAME_OBJECT, RENAME_ENUM_VALUE, RENAME_CONSTRAINT),
)

_ELSEWHERE = {"OBJECT_INDEX", "OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE"}  # other modules' business
_TABLES = {"OBJECT_TABLE", "OBJECT_FOREIGN_TABLE"}
_HARMLESS_NAMES = {"OBJECT_TABCONSTRAINT", "OBJECT_INDEX", "OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE"}


def statement_hits(statement: Statement, around: Around) -> Iterator[Hit]:
    """Hits of statements other than ALTER TABLE."""
    node = statement.node
    match statement.tag:
        case "drop_stmt":
            yield from _drops(statement, around)
        case "dropdb_stmt":
            yield Hit(DROP_DATABASE, f"the database {node.dbname} is dropped")
        case "drop_owned_stmt":
            yield Hit(DROP_OBJECT, "everything that a role owns is dropped")
        case "drop_role_stmt":
            yield Hit(DROP_OBJECT, "a role is dropped")
        case "rename_stmt":
            yield from _renames(node, around)
        case "alter_object_schema_stmt":
            if not (node.HasField("relation") and around.is_fresh(node.relation)):
                yield Hit(RENAME_OBJECT, f"{_object(node)} moves to the schema {node.newschema}")
        case "alter_enum_stmt" if node.old_val:
            name = node.type_name[-1].string.sval
            yield Hit(RENAME_ENUM_VALUE, f"{name}'s value '{node.old_val}' becomes '{node.new_val}'")


def alter_hits(relation: Any, command: Any, kind: str, around: Around) -> Iterator[Hit]:
    """Hits of one part of an ALTER TABLE."""
    column, locks = f"{range_name(relation)}.{command.name}", locking(relation)
    match kind:
        case "AT_DropColumn":
            yield Hit(DROP_COLUMN, f"{column} is dropped", locks)
        case "AT_DropNotNull":
            yield Hit(DROP_NOT_NULL, f"{column} may be NULL from now on", locks)
        case "AT_DropConstraint" if (range_name(relation), command.name) not in around.again:
            yield Hit(DROP_CONSTRAINT, f"the constraint {command.name} of {range_name(relation)} is dropped", locks)
        case "AT_ColumnDefault" if not command.HasField("def"):
            yield Hit(DROP_DEFAULT, f"{column} loses its default", locks)
        case "AT_DropExpression" | "AT_SetExpression" | "AT_DropIdentity" | "AT_SetIdentity":
            yield Hit(DROP_GENERATION, f"{column} is no longer filled by the server as it was", locks)
        case "AT_AddIdentity":
            yield Hit(DROP_GENERATION, f"{column} is filled by the server from now on", locks)
    if kind.startswith("AT_Drop") and command.behavior and enum_name(command, "behavior") == "DROP_CASCADE":
        yield Hit(DROP_CASCADE, f"CASCADE behind the drop of {column}", locks)


def _drops(statement: Statement, around: Around) -> Iterator[Hit]:
    node = statement.node
    kind = enum_name(node, "remove_type")
    if enum_name(node, "behavior") == "DROP_CASCADE":
        yield Hit(DROP_CASCADE, "CASCADE behind a drop")
    if kind in _ELSEWHERE:
        return
    for item in node.objects:
        names = [found.sval for found in nodes_of(item.list if item.HasField("list") else item, "String")]
        if item.HasField("object_with_args"):
            names = [part.string.sval for part in item.object_with_args.objname]
        if not names or names[-1] in around.fresh:
            continue
        name = ".".join(names) if kind in _TABLES else names[-1]
        if kind in _TABLES:
            yield Hit(DROP_TABLE, f"{name} is dropped", {name if "." in name else f"public.{name}": "AE"})
        elif _made_again(item, names[-1]) not in around.again:
            yield Hit(DROP_OBJECT, f"the {_kind(kind)} {name} is dropped")


def _made_again(item: Any, name: str) -> tuple[str, str]:
    """What would replace it; a function of that name with other arguments does not."""
    if not item.HasField("object_with_args") or item.object_with_args.args_unspecified:
        return "object", name
    return "function", signature(name, (kind.type_name for kind in item.object_with_args.objargs))


def _renames(node: Any, around: Around) -> Iterator[Hit]:
    kind = enum_name(node, "rename_type")
    if node.HasField("relation") and around.is_fresh(node.relation):
        return
    old = node.subname or (range_name(node.relation) if node.HasField("relation") else _object(node))
    atomic = len(around.step.statements) > 1
    if atomic and not node.subname and ("object", old.rsplit(".", 1)[-1]) in around.again:
        return  # another one takes its name in the same transaction
    said = f"{old} becomes {node.newname}"
    locks = locking(node.relation) if node.HasField("relation") else {}
    if kind == "OBJECT_TABLE":
        yield Hit(RENAME_TABLE, said, locks)
    elif kind in ("OBJECT_COLUMN", "OBJECT_ATTRIBUTE"):
        yield Hit(RENAME_COLUMN, f"{range_name(node.relation)}.{said}", locks)
    elif kind in _HARMLESS_NAMES:
        yield Hit(RENAME_CONSTRAINT, said, locks if kind == "OBJECT_TABCONSTRAINT" else {})
    else:
        yield Hit(RENAME_OBJECT, f"the {_kind(kind)} {said}", locks)


def _object(node: Any) -> str:
    names = [found.sval for found in nodes_of(node, "String")]
    return range_name(node.relation) if node.HasField("relation") else ".".join(names[:2]) or "an object"


def _kind(name: str) -> str:
    word = name.removeprefix("OBJECT_").lower()
    return {"matview": "materialized view"}.get(word, word.replace("_", " "))
