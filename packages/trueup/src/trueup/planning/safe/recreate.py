"""An object that is dropped and made again: the new one is made beside the old one, and then takes its place."""

from __future__ import annotations

from trueup.catalog.keys import identity_of, index_table, kind_of, parts
from trueup.chain.grammar import Statement, deparse, enum_name, parse_statements
from trueup.planning.safe.indexes import built
from trueup.planning.safe.model import Form, Work

_CONSTRAINTS = ["AT_DropConstraint", "AT_AddConstraint"]  # in this order


def as_one(statements: list[Statement]) -> Statement | None:
    """DROP CONSTRAINT and ADD CONSTRAINT on one table as one ALTER TABLE; None for anything else."""
    if any(one.tag != "alter_table_stmt" for one in statements):
        return None
    kinds = [enum_name(item.alter_table_cmd, "subtype") for one in statements for item in one.node.cmds]
    if not set(kinds) <= set(_CONSTRAINTS) or kinds != sorted(kinds, key=_CONSTRAINTS.index):
        return None
    first = statements[0].node
    node = type(first)()
    node.CopyFrom(first)
    for one in statements[1:]:
        other = one.node
        if (other.relation.schemaname, other.relation.relname) != (first.relation.schemaname, first.relation.relname):
            return None
        node.cmds.extend(other.cmds)
    (found,) = parse_statements(deparse("alter_table_stmt", node))
    return found


def only_indexes(statements: list[Statement]) -> bool:
    """True where nothing but indexes are dropped and made."""
    return all(
        one.tag == "index_stmt" or (one.tag == "drop_stmt" and enum_name(one.node, "remove_type") == "OBJECT_INDEX")
        for one in statements
    ) and not any(one.node.concurrent for one in statements)


def swapped_indexes(work: Work) -> Form | None:
    """Built under a name of our own, then renamed in the place of those that go; None for partitioned tables."""
    made = {identity_of(key): value for key, value in work.set.items() if kind_of(key) == "index"}
    gone = [identity_of(key) for key in work.gone if kind_of(key) == "index"]
    if any(index_table(value) != work.table for value in made.values()) or work.live.is_partitioned(work.table):
        return None
    form = Form(why="the new index takes the place of the old one in an instant")
    why = "the index is built beside the old one, while readers and writers go on"
    for name, value in made.items():
        helper = f"{work.schema}.{work.helper(f'{name} {value}')}"
        part = built(work.table, helper, value, {f"index {name}": value}, again=True, why=why)
        swapped = (f"DROP INDEX IF EXISTS {name}", f"ALTER INDEX {helper} RENAME TO {parts(name)[-1]}")
        form += Form(before=(part,), then=swapped)
    return form + Form(then=tuple(f"DROP INDEX IF EXISTS {name}" for name in gone))
