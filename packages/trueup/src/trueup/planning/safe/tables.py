"""ALTER TABLE: what reads, builds or writes goes into parts of its own; what takes an instant stays together."""

from __future__ import annotations

from typing import Any

from trueup.catalog.keys import unquoted
from trueup.chain.grammar import deparse, enum_name
from trueup.planning.safe.columns import added_column
from trueup.planning.safe.constraints import constraint
from trueup.planning.safe.model import TIMING, Form, Hazard, Part, Work, same_name, validate
from trueup.planning.safe.not_null import not_null

_SPLIT = {"CONSTR_CHECK", "CONSTR_FOREIGN", "CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_EXCLUSION"}


def alter_table(work: Work) -> Form:
    """The form of an ALTER TABLE, with the constraints that it adds taken from their facts.

    Raises:
        Hazard: something in it has none.
    """
    commands = [item.alter_table_cmd for item in work.statement.node.cmds]
    form = Form()
    for command in commands:
        form += _subcommand(work, command)
    if work.rewrites and not any(part.backfill for part in form.before):
        raise Hazard(work.table, "it writes the whole table anew")
    kept = _kept_names(commands)
    added = {name: value for name, value in work.new("constraint").items() if unquoted(name) not in kept}
    if len(added) != sum(map(_constraints_in, commands)):
        raise Hazard(work.table, "it reads every row, and its constraints cannot be told apart")
    for name, value in added.items():
        form += constraint(work, name, value)
    return form


def _subcommand(work: Work, command: Any) -> Form:
    kind = enum_name(command, "subtype")
    if kind == "AT_AddColumn":
        bare = _without_constraints(command)
        return added_column(work, bare, clause(work, bare))
    if kind == "AT_AddConstraint" and not _is_quick(getattr(command, "def").constraint):
        return Form()  # made from its fact
    if kind == "AT_SetNotNull" and (column := same_name(work.new("not null"), command.name)):
        return not_null(work, column)
    if kind == "AT_ValidateConstraint" and (name := same_name(work.new("validated"), command.name)):
        return Form(after=(validate(work.table, name, {f"validated {work.table}.{name}": ""}),))
    if kind == "AT_AlterColumnType":
        return _retyped(work, command)
    return Form(clauses=(clause(work, command),))


def _retyped(work: Work, command: Any) -> Form:
    why = ""
    if work.rewritten or work.table in work.scanned:
        rebuilt = f"rebuilds {', '.join(work.rewritten)}" if work.rewritten else ""
        checked = "reads every row for CHECKs on the column" if work.table in work.scanned and not rebuilt else ""
        why = f"the table is not written anew, but the server {rebuilt or checked} while nobody can use it"
    name = same_name(work.new("column"), command.name)
    after = (
        Part(
            statements=(f"ANALYZE {work.table} ({name})",),
            why="a column of another type has no statistics until it is analysed",
            locks={work.table: "SUE"},
            unhurried=True,
        ),
    )
    return Form(clauses=(clause(work, command),), after=after, why=why)


def clause(work: Work, command: Any) -> str:
    """A subcommand as SQL, without the ALTER TABLE before it."""
    node = type(work.statement.node)()
    node.CopyFrom(work.statement.node)
    del node.cmds[:]
    node.cmds.add().alter_table_cmd.CopyFrom(command)
    node.relation.schemaname, node.relation.relname = "", "t"
    node.relation.inh = True
    node.missing_ok = False
    return deparse("alter_table_stmt", node).removeprefix("ALTER TABLE t ")


def _without_constraints(command: Any) -> Any:
    """ADD COLUMN with only those of its constraints that belong to the column itself."""
    bare = type(command)()
    bare.CopyFrom(command)
    column = getattr(bare, "def").column_def
    kept = [item for item in column.constraints if enum_name(item.constraint, "contype") not in _SPLIT | TIMING]
    del column.constraints[:]
    column.constraints.extend(kept)
    return bare


def _is_quick(node: Any) -> bool:
    """A constraint that the author has written in a form that takes an instant."""
    return bool(node.skip_validation or node.indexname)


def _kept_names(commands: list[Any]) -> set[str]:
    added = [getattr(c, "def").constraint for c in commands if enum_name(c, "subtype") == "AT_AddConstraint"]
    return {node.conname or node.indexname for node in added if _is_quick(node)}


def _constraints_in(command: Any) -> int:
    """How many constraints a subcommand adds that are made from their facts."""
    kind = enum_name(command, "subtype")
    if kind == "AT_AddConstraint":
        return 0 if _is_quick(getattr(command, "def").constraint) else 1
    if kind == "AT_AddColumn":
        items = getattr(command, "def").column_def.constraints
        return sum(enum_name(item.constraint, "contype") in _SPLIT for item in items)
    return 0
