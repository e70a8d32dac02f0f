"""Steps that change the types of columns: the server writes indexes, checks and defaults on them anew by itself.

What these look like in between hangs on the order of such steps. So the columns alone tell whether a step has run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from trueup.catalog.keys import identity_of
from trueup.chain.grammar import enum_name, parse_each, string_list
from trueup.chain.model import Effect, Step
from trueup.decide.trajectory import Value

_TEXTS = ("text", "character")
_TEXT = re.compile(r"^'(?:[^']|'')*'::(?:text|character varying|bpchar)$")

Sorted = tuple[list[str], list[str], list[str]]


def by_their_columns(step: Step, there: list[str], missing: list[str], strange: list[str]) -> Sorted:
    """The facts of a step that are there, missing and strange; of one that changes types all as its columns are."""
    if not (strange or (there and missing)) or not _changes_types_alone(step):
        return there, missing, strange
    found = [any(key.startswith("column ") for key in keys) for keys in (there, missing, strange)]
    everything = [*there, *missing, *strange]
    if found == [True, False, False]:
        return everything, [], []
    return ([], everything, []) if found == [False, True, False] else (there, missing, strange)


def _changes_types_alone(step: Step) -> bool:
    commands = _commands(step)
    return bool(commands) and all(map(_is_of_type, commands))


def converted(step: Step) -> list[str]:
    """The columns whose values it makes others while it changes their types: it does not only cast them."""
    retypes = (command for command in _commands(step) if _is_of_type(command))
    using = ((command.name, getattr(command, "def").column_def.raw_default) for command in retypes)
    return [name for name, value in using if value.WhichOneof("node") and not _is_cast_of(value, name)]


def sets_text(key: str, effect: Effect, now: Mapping[str, Value]) -> bool:
    """True for a default of a column of texts that is one: run as written, it would get the type of the column."""
    column = now.get(f"column {identity_of(key)}") if key.startswith("default ") else None
    return column is not None and column.startswith(_TEXTS) and _TEXT.search(effect.set.get(key, "")) is not None


def _commands(step: Step) -> list[Any]:
    """The subcommands of an ALTER TABLE; none for other steps."""
    statements = parse_each(step.statements) if step.tags == ("alter_table_stmt",) else ()
    return [command.alter_table_cmd for statement in statements for command in statement.node.cmds]


def _is_of_type(command: Any) -> bool:
    return enum_name(command, "subtype") == "AT_AlterColumnType"


def _is_cast_of(value: Any, column: str) -> bool:
    if value.WhichOneof("node") == "type_cast":
        return _is_cast_of(value.type_cast.arg, column)
    return value.WhichOneof("node") == "column_ref" and string_list(value.column_ref.fields)[-1:] == (column,)
