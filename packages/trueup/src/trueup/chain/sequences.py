"""Statements that set a sequence to a number: has it come that far already?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from trueup.catalog.keys import literal, parts, unquoted
from trueup.chain.grammar import Statement, expression, range_sql, string_list

_SETVAL, _OF_COLUMN = "setval", "pg_get_serial_sequence"
_IN_CODE = re.compile(
    r"\bsetval\s*\(\s*(?:'(?P<name>[^']+)'"
    r"|(?:pg_catalog\.)?pg_get_serial_sequence\s*\(\s*'(?P<table>[^']+)'\s*,\s*'(?P<column>[^']+)')",
    re.IGNORECASE,
)
_NAME_AND_NUMBER = 2  # what `setval` has at least


class SetTo(NamedTuple):
    """An expression for the sequence, its name or those of a table and the column that has it, and the number.

    `is_next`: the number is given out next, and not the one behind it.
    """

    sequence: str
    name: tuple[str, ...]
    number: str
    is_next: bool

    def is_past(self) -> str:
        """The condition that it has given out the number, or one behind that."""
        last = "pg_catalog.pg_sequence_last_value(seqrelid)"
        reached = f"CASE WHEN seqincrement > 0 THEN {last} >= {self.number} ELSE {last} <= {self.number} END"
        its_own = f"seqrelid = CAST({self.sequence} AS regclass)"
        return f"EXISTS (SELECT FROM pg_catalog.pg_sequence WHERE {its_own} AND {reached})"

    def is_past_in(self, table: str, column: str) -> str:
        """The condition that a row has a number which it would give out."""
        return f"EXISTS (SELECT FROM {table} WHERE {column} {'>=' if self.is_next else '>'} {self.number})"


class Named(NamedTuple):
    """A sequence that a text sets: an expression for it, its name or those of a table and the column that has it."""

    sequence: str
    name: tuple[str, ...]

    def is_behind(self, table: str, column: str) -> str:
        """The condition that it would next give out a number that a row of its column has, or one before that."""
        following = "coalesce(pg_catalog.pg_sequence_last_value(q.seqrelid) + q.seqincrement, q.seqstart)"
        has = f"(SELECT max(t.{column}) FROM {table} AS t) >= {following}"  # noqa: S608 - quoted
        its_own = f"q.seqrelid = CAST({self.sequence} AS regclass)"
        return f"EXISTS (SELECT FROM pg_catalog.pg_sequence AS q WHERE {its_own} AND q.seqincrement > 0 AND {has})"


def named_in(text: str) -> Iterator[Named]:
    """The sequences that the code in a text sets, as far as it says their names."""
    for match in _IN_CODE.finditer(text):
        if match["column"]:
            of = f"{_OF_COLUMN}({literal(match['table'])}, {literal(match['column'])})"
            yield Named(of, (unquoted(parts(match["table"])[-1]), match["column"]))
        else:
            yield Named(literal(match["name"]), (unquoted(parts(match["name"])[-1]),))


def sequences_set(statement: Statement) -> list[SetTo]:
    """What a statement sets that does nothing else; none where it sets something to what the rows say."""
    match statement.tag:
        case "select_stmt" if _SETVAL in statement.text.lower():
            found = [_by_call(target.res_target.val.func_call) for target in statement.node.target_list]
        case "alter_seq_stmt":
            name = (statement.node.sequence.relname,)
            numbers = list(_restarts(statement.node.options))
            sequence = literal(range_sql(statement.node.sequence))
            found = [SetTo(sequence, name, number, is_next=True) for number in numbers]
        case "alter_table_stmt" if "restart" in statement.text.lower():
            found = [_of_column(statement.node.relation, one.alter_table_cmd) for one in statement.node.cmds]
        case _:
            found = []
    return [one for one in found if one] if all(found) else []


def _by_call(call: Any) -> SetTo | None:
    """`setval(…, 7)`."""
    if not call.funcname or string_list(call.funcname)[-1] != _SETVAL or not _is_number(call.args[1]):
        return None
    named, number = call.args[0], expression(call.args[1])
    is_next = len(call.args) > _NAME_AND_NUMBER and not call.args[_NAME_AND_NUMBER].a_const.boolval.boolval
    text = (named.type_cast.arg if named.HasField("type_cast") else named).a_const.sval.sval
    if text:
        return SetTo(expression(named), (unquoted(parts(text)[-1]),), number, is_next)
    if not named.func_call.funcname or string_list(named.func_call.funcname)[-1] != _OF_COLUMN:
        return None
    table, column = (one.a_const.sval.sval for one in named.func_call.args)
    if not (table and column):
        return None
    return SetTo(expression(named), (unquoted(parts(table)[-1]), column), number, is_next)


def _of_column(table: Any, command: Any) -> SetTo | None:
    """`ALTER COLUMN id RESTART WITH 7`."""
    options = getattr(command, "def").list.items
    for number in _restarts(options) if len(options) == 1 else ():
        sequence = f"{_OF_COLUMN}({literal(range_sql(table))}, {literal(command.name)})"
        return SetTo(sequence, (table.relname, command.name), number, is_next=True)
    return None


def _restarts(options: Iterable[Any]) -> Iterator[str]:
    """The number of `RESTART WITH`."""
    for option in options:
        given = option.def_elem.arg
        if option.def_elem.defname == "restart" and given.WhichOneof("node"):
            yield given.float.fval if given.HasField("float") else str(given.integer.ival)


def _is_number(value: Any) -> bool:
    return bool(value.a_const.HasField("ival") or value.a_const.HasField("fval"))
