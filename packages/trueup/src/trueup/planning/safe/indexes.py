"""Indexes: built, rebuilt and dropped CONCURRENTLY."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trueup.catalog.keys import identity_of, index_table, kind_of, parts, split_unique
from trueup.chain.grammar import parse_statements, range_sql, string_list
from trueup.planning.safe.model import Form, Hazard, Part, Work
from trueup.planning.safe.names import made_up

_LABEL = "idx{}"
_BUILT = "the index is built while readers and writers go on"


def create_index(work: Work) -> Form:
    """CREATE INDEX, from the index's fact.

    Raises:
        Hazard: nothing tells which index it makes.
    """
    made = [(key, value) for key, value in work.set.items() if kind_of(key) == "index"]
    if len(made) != 1 or work.statement.node.table_space:
        raise Hazard(work.table, "it builds an index while nobody can write")
    key, value = made[0]
    if work.live.is_partitioned(work.table):
        return Form(before=_on_partitions(work, key, value), why=_BUILT)
    return Form(before=(built(work.table, identity_of(key), value, {key: value, f"valid {identity_of(key)}": ""}),))


def built(
    table: str, identity: str, value: str, makes: Mapping[str, str | None], *, again: bool = False, why: str = _BUILT
) -> Part:
    """CREATE INDEX CONCURRENTLY; with `again`, one that is there already will do."""
    unique, tail = split_unique(value)
    there = "IF NOT EXISTS " if again else ""
    return Part(
        statements=(f"CREATE {unique}INDEX CONCURRENTLY {there}{parts(identity)[-1]} {tail}",),
        why=why,
        locks={table: "SUE"},
        makes=makes,
        transaction=False,
        helpers=(f"index {identity}",),
    )


def _on_partitions(work: Work, key: str, value: str) -> tuple[Part, ...]:
    """The index of a partitioned table: on it alone, then on each partition, each attached when it is built."""
    unique, tail = split_unique(value)
    definition = tail.partition(" USING ")[2]
    identity = identity_of(key)
    makes: dict[str, str | None] = {f"valid {identity}": ""}
    found = [
        Part(
            statements=(_on_itself(unique, identity, work.table, definition),),
            why="on the partitioned table alone it takes an instant",
            locks={work.table: "S"},
            makes=makes,
        )
    ]

    def below(table: str, index: str) -> None:
        for partition in work.live.relations[table].partitions:
            is_there, name = _there(work, partition, f"{unique}{definition}", index)
            name = name or _free(work, partition, definition)
            work.taken.add(name)
            if is_there:
                pass
            elif work.live.is_partitioned(partition):
                found.append(
                    Part(
                        statements=(_on_itself(unique, name, partition, definition),),
                        why="on the partitioned table alone it takes an instant",
                        locks={partition: "S"},
                        makes=makes,
                    )
                )
                below(partition, name)
            else:
                found.append(built(partition, name, f"{unique}ON {partition} USING {definition}", makes, again=True))
            found.append(
                Part(
                    statements=(f"ALTER INDEX {index} ATTACH PARTITION {name}",),
                    why="an index that is there is taken over in an instant",
                    locks={partition: "AS"},
                    makes=makes,
                )
            )

    below(work.table, identity)
    return tuple(found)


def _on_itself(unique: str, index: str, table: str, definition: str) -> str:
    return f"CREATE {unique}INDEX IF NOT EXISTS {parts(index)[-1]} ON ONLY {table} USING {definition}"


def _there(work: Work, table: str, definition: str, parent: str) -> tuple[bool, str]:
    """The index of a partition that can be attached, or is: whether it is whole, and its name; as the server chooses.

    One that is not whole is what an interrupted build has left, and is built again under its name.
    """
    for key, value in work.facts.items():  # made here, or by a step before this one
        if kind_of(key) == "index" and value and index_table(value) == table and _kind(value) == definition:
            name = identity_of(key)
            return work.facts.get(f"valid {name}") is not None, name
    indexes = work.live.relations[table].indexes
    found = (one.name for one in indexes if one.definition == definition and one.parent == parent)
    name = next(found, "")
    return bool(name), name


def _kind(value: str) -> str:
    """What an index is, without its table."""
    return split_unique(value)[0] + value.partition(" USING ")[2]


def _free(work: Work, table: str, definition: str) -> str:
    """The name that the server would make up for an index."""
    schema = parts(table)[0]
    taken = {one.name for one in work.live.relations[table].indexes} | work.taken
    names = (
        f"{schema}.{made_up(table, _columns(definition), _LABEL.format(number or ''))}"
        for number in range(len(taken) + 1)
    )
    return next(name for name in names if name not in taken and work.facts.get(f"index {name}") is None)


def _columns(definition: str) -> str:
    """The columns of an index as the server puts them into a name that it makes up."""
    (statement,) = parse_statements(f"CREATE INDEX ON t USING {definition}")
    node = statement.node
    found: list[str] = []
    for item in (*node.index_params, *node.index_including_params):
        element = item.index_elem
        name = element.name or _called(element.expr) or "expr"
        numbers = ("", *map(str, range(1, 100)))
        found.append(next(each for each in (f"{name}{number}" for number in numbers) if each not in found))
    return "_".join(found)


def _called(expression: Any) -> str:
    """What the server calls an expression's column; empty where it has no name for it."""
    name = ""
    match expression.WhichOneof("node"):
        case "func_call":
            name = string_list(expression.func_call.funcname)[-1]
        case "type_cast":
            name = _called(expression.type_cast.arg) or string_list(expression.type_cast.type_name.names)[-1]
        case "collate_clause":
            name = _called(expression.collate_clause.arg)
        case "column_ref":
            name = string_list(expression.column_ref.fields)[-1]
        case "coalesce_expr":
            name = "coalesce"
        case "case_expr":
            name = _called(expression.case_expr.defresult) or "case"
    return name


def drop_index(work: Work) -> Form | None:
    """DROP INDEX, one after the other; None where it takes more along than the indexes."""
    gone = [identity_of(key) for key in work.gone if kind_of(key) == "index"]
    if len(gone) != len(work.statement.node.objects) or work.live.is_partitioned(work.table):
        return None
    return Form(
        before=tuple(
            Part(
                statements=(f"DROP INDEX CONCURRENTLY IF EXISTS {name}",),
                why="queries that use the index end first, and nobody waits for them",
                locks={work.table: "SUE"},
                makes={f"index {name}": None},
                transaction=False,
            )
            for name in gone
        )
    )


def reindex(work: Work) -> Form | None:
    """REINDEX of a table or an index; None for what CONCURRENTLY is not there for."""
    node = work.statement.node
    kind = work.statement.text.split()[1].upper()
    if kind not in ("TABLE", "INDEX") or work.live.is_partitioned(work.table):
        return None
    name = work.table if kind == "TABLE" else range_sql(node.relation)
    if kind == "INDEX" and not node.relation.schemaname:
        name = f"{work.schema}.{name}"  # an index lives in its table's schema
    return Form(
        before=(
            Part(
                statements=(f"REINDEX {kind} CONCURRENTLY {name}",),
                why="a second index is built beside it, and takes its place",
                locks={work.table: "SUE"},
                makes={key: value for key, value in work.set.items() if kind_of(key) == "valid"},
                transaction=False,
            ),
        )
    )
