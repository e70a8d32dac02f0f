"""Columns added to tables in use, and types changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trueup.chain.grammar import enum_name, nodes_of, range_name
from trueup.planning.hazards.around import Around, Type, locking, type_of_node
from trueup.planning.hazards.constraints import constraint_hits
from trueup.planning.hazards.model import Family, Hit, Rule, lock_rule

_LATER = (
    "Put `-- phase: contract` before it, and run it with `trueup up --phase contract` once no running code needs it."
)
_NEW_COLUMN = "Add a new column, write both, fill it (`-- backfill`), let the code read it, drop the old one later."

VOLATILE_DEFAULT = lock_rule(
    "volatile-default",
    "a column's default differs from row to row",
    "The whole table is rewritten while nobody can read or write it.",
    "Add the column without the default, SET DEFAULT, then fill the old rows in batches (`-- backfill`).",
    "adds the column without it, sets the default, and fills the old rows in batches",
)
AUTO_INCREMENT = lock_rule(
    "auto-increment",
    "a serial or identity column is added",
    "The whole table is rewritten while nobody can read or write it.",
    "Add a bigint column with a sequence's default, fill the old rows in batches, NOT NULL, then ADD GENERATED.",
    "adds the column empty, numbers new rows from a sequence, fills the old ones in batches, and makes the column then "
    "what it is to be",
)
STORED_GENERATED = lock_rule(
    "stored-generated",
    "a stored generated column is added",
    "The whole table is rewritten while nobody can read or write it.",
    "Add a plain column with a trigger that fills it, fill the old rows in batches; or compute it in a view.",
)
REQUIRED_COLUMN = Rule(
    id="required-column",
    family=Family.CONTRACT,
    title="a column is added NOT NULL without a default",
    why="It fails where the table has a row, and the code that is still running does not know to fill it.",
    instead="Give it a default, or add it nullable, fill it, and SET NOT NULL once all running code writes it.",
)
COLUMN_TYPE = lock_rule(
    "column-type",
    "a type change rewrites the table",
    "The table and all its indexes are rewritten while nobody can read or write it.",
    _NEW_COLUMN,
)
FREE_TYPE_CHANGE = lock_rule(
    "free-type-change",
    "a type change that keeps the rows as they are",
    "No row is rewritten; but expression and partial indexes are built anew and CHECKs read again under the lock, "
    "statistics may be lost, and prepared statements of the running code fail once.",
    "Run ANALYZE on the column afterwards.",
    "changes it in an instant, and has the column analysed",
)
NARROW_TYPE = Rule(
    id="narrow-type",
    family=Family.CONTRACT,
    title="a type becomes narrower",
    why="Values that the code that is still running writes no longer fit, and rows that do not fit stop the migration.",
    instead=_LATER,
)
JSON_COLUMN = Rule(
    id="json-column",
    family=Family.BEHAVIOUR,
    title="a json column is added",
    why="json has no equality: SELECT DISTINCT, UNION and GROUP BY over the whole row fail from then on.",
    instead="Use jsonb.",
)
RULES = (
    *(VOLATILE_DEFAULT, AUTO_INCREMENT, STORED_GENERATED, REQUIRED_COLUMN, COLUMN_TYPE, FREE_TYPE_CHANGE),
    *(NARROW_TYPE, JSON_COLUMN),
)

SERIALS = frozenset({"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"})
_STEADY = """
    now transaction_timestamp statement_timestamp timezone date_trunc date age to_timestamp to_date to_char
    make_interval make_date make_timestamptz current_setting current_schema current_database version pg_backend_pid
    lower upper concat length substring substr trim btrim replace md5 coalesce nullif greatest least abs floor ceil
    round json_build_object jsonb_build_object json_build_array jsonb_build_array to_json to_jsonb array_fill
    string_to_array
"""  # functions that answer the same for every row of a statement
_ROWS_OF_ONE_SIZE = (("int2", "int4", "int8"), ("float4", "float8"))  # narrower first
_ANY_LENGTH = -1


def alter_hits(relation: Any, command: Any, kind: str, around: Around) -> Iterator[Hit]:
    """Hits of one part of an ALTER TABLE."""
    if around.is_fresh(relation):
        return
    if kind == "AT_AddColumn":
        yield from _added(relation, getattr(command, "def").column_def, around)
    elif kind == "AT_AlterColumnType":
        yield from _retyped(relation, command.name, getattr(command, "def").column_def, around)


def _added(relation: Any, column: Any, around: Around) -> Iterator[Hit]:
    name = f"{range_name(relation)}.{column.colname}"
    locks = locking(relation)
    kinds = {enum_name(item.constraint, "contype"): item.constraint for item in column.constraints}
    kind = type_of_node(column.type_name)
    given = kinds.keys() & {"CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"}
    if kind.name in SERIALS or "CONSTR_IDENTITY" in kinds:
        what = "serial" if kind.name in SERIALS else "an identity"
        yield Hit(AUTO_INCREMENT, f"{name} is added as {what}", locks, column.location)
    elif "CONSTR_GENERATED" in kinds:
        if kinds["CONSTR_GENERATED"].generated_kind != "v":
            yield Hit(STORED_GENERATED, f"{name} is added as a stored expression", locks, column.location)
    elif "CONSTR_DEFAULT" in kinds and (why := _volatile(relation, kinds["CONSTR_DEFAULT"].raw_expr, around)):
        yield Hit(VOLATILE_DEFAULT, f"{name} is added with a default that {why}", locks, column.location)
    if "CONSTR_NOTNULL" in kinds and not given and kind.name not in SERIALS:
        yield Hit(REQUIRED_COLUMN, f"{name} is added NOT NULL without a default", locks, column.location)
    if kind.name == "json":
        yield Hit(JSON_COLUMN, f"{name} is added as json", locks, column.location)
    for item in column.constraints:
        yield from constraint_hits(relation, item.constraint, what=f"{name} is added with a constraint")


def _volatile(relation: Any, expression: Any, around: Around) -> str:
    """Why the expression's value may differ from row to row; empty where it cannot, or is seen not to."""
    if around.rewrites(relation) is False:
        return ""
    names = [call.funcname[-1].string.sval for call in nodes_of(expression, "FuncCall")]
    moving = [name for name in names if name not in _STEADY.split()]
    return f"calls {moving[0]}()" if moving else ""


def _retyped(relation: Any, name: str, column: Any, around: Around) -> Iterator[Hit]:
    new, old = type_of_node(column.type_name), around.type_of(relation, name)
    what = f"{range_name(relation)}.{name}"
    locks, at = locking(relation), column.location
    if old is not None and is_narrower(old, new):
        yield Hit(NARROW_TYPE, f"{what} becomes narrower: {_text(old)} → {_text(new)}", locks, at)
    keeps = not rewrites if (rewrites := around.rewrites(relation)) is not None else None
    if keeps is None and old is not None:
        keeps = not column.HasField("raw_default") and keeps_rows(old, new)
    if keeps is None:
        yield Hit(COLUMN_TYPE, f"{what} becomes {_text(new)}, from what is not known without a lock file", locks, at)
    elif keeps:
        yield Hit(FREE_TYPE_CHANGE, f"{what} becomes {_text(new)}", locks, at)
    else:
        yield Hit(COLUMN_TYPE, f"{what} becomes {_text(new)}, and the table is rewritten", locks, at)


def keeps_rows(old: Type, new: Type) -> bool:
    """The server changes the type without rewriting a row (timestamp → timestamptz: with the session in UTC)."""
    if old.array != new.array:
        return False
    if old == new or (old.name, new.name) in (("varchar", "text"), ("text", "varchar"), ("cidr", "inet")):
        return old == new or not new.modifiers
    if old.name == new.name and old.name in ("varchar", "varbit"):
        return not new.modifiers or (bool(old.modifiers) and new.modifiers >= old.modifiers)
    if old.name == new.name == "numeric":
        if not new.modifiers:
            return True
        return bool(old.modifiers) and _scale(new) == _scale(old) and new.modifiers[0] >= old.modifiers[0]
    return {old.name, new.name} == {"timestamp", "timestamptz"} and old.modifiers == new.modifiers


def is_narrower(old: Type, new: Type) -> bool:
    """Values of the old type may not fit the new one, though both hold the same kind of thing."""
    for sizes in _ROWS_OF_ONE_SIZE:
        if old.name in sizes and new.name in sizes:
            return sizes.index(new.name) < sizes.index(old.name)
    if old.name in ("text", "varchar") and new.name in ("varchar", "bpchar"):
        return bool(new.modifiers) and (not old.modifiers or new.modifiers < old.modifiers)
    if old.name == new.name == "numeric":
        whole = (m[0] - _scale(t) if (m := t.modifiers) else None for t in (old, new))
        before, after = whole
        return after is not None and (before is None or after < before or _scale(new) < _scale(old))
    return (old.name, new.name) in (("timestamptz", "timestamp"), ("timestamp", "date"), ("timestamptz", "date"))


def _scale(kind: Type) -> int:
    return kind.modifiers[1] if len(kind.modifiers) > 1 else 0


def _text(kind: Type) -> str:
    modifiers = f"({','.join(map(str, kind.modifiers))})" if kind.modifiers else ""
    return f"{kind.name}{modifiers}{'[]' if kind.array else ''}"
