"""Steps that change the types of columns: the server writes indexes, checks and defaults on them anew by itself.

What these look like in between hangs on the order of such steps. So the columns alone tell whether a step has run.
"""

from __future__ import annotations

from trueup.chain.grammar import enum_name, parse_each
from trueup.chain.model import Step

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
    if step.tags != ("alter_table_stmt",):
        return False
    (statement,) = parse_each(step.statements)
    return all(enum_name(cmd.alter_table_cmd, "subtype") == "AT_AlterColumnType" for cmd in statement.node.cmds)
