"""Indexes and partitions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trueup.catalog.keys import index_table, quoted
from trueup.chain import statements as ask
from trueup.chain.grammar import Statement, nodes_of, range_name
from trueup.planning.hazards.around import Around, locking
from trueup.planning.hazards.model import Family, Hit, Level, Rule, lock_rule

CREATE_INDEX = lock_rule(
    "create-index",
    "an index is built while writers wait",
    "Nobody can write the table for as long as the build takes.",
    "CREATE INDEX CONCURRENTLY, as a statement of its own outside BEGIN … COMMIT.",
    "builds it CONCURRENTLY",
)
DROP_INDEX = lock_rule(
    "drop-index",
    "an index is dropped under the table's lock",
    "It waits for everybody who uses the table, and everybody who comes later waits behind it.",
    "DROP INDEX CONCURRENTLY, as a statement of its own.",
    "drops it CONCURRENTLY",
)
REINDEX = lock_rule(
    "reindex",
    "an index is rebuilt while the table is locked",
    "Writers wait for as long as the build takes, and readers that would use the index as well.",
    "REINDEX … CONCURRENTLY, as a statement of its own.",
    "rebuilds it CONCURRENTLY",
)
DETACH_PARTITION = lock_rule(
    "detach-partition",
    "a partition is detached under the parent's lock",
    "It waits for everybody who uses any partition, and everybody who comes later waits behind it.",
    "ALTER TABLE … DETACH PARTITION … CONCURRENTLY, as a statement of its own (not where a DEFAULT partition exists).",
    "detaches it CONCURRENTLY, where there is no DEFAULT partition",
)
ATTACH_PARTITION = lock_rule(
    "attach-partition",
    "attaching a partition reads its rows",
    "The partition, and a DEFAULT partition beside it, are read while nobody can use them, to see that the rows fit.",
    "Before it, add a CHECK to the partition that says what the bound says, NOT VALID, and validate it; drop it later.",
    level=Level.NOTE,
)
PARTITION_OF = lock_rule(
    "partition-of",
    "a partition is made under the parent's lock",
    "It waits for everybody who uses any partition, and everybody who comes later waits behind it.",
    "CREATE TABLE … (LIKE parent …), then ALTER TABLE … ATTACH PARTITION.",
    "makes the table alone, then attaches it",
)
GUARDED_INDEX = Rule(
    id="guarded-index",
    family=Family.STYLE,
    title="CONCURRENTLY with IF NOT EXISTS",
    why="A build that failed leaves an invalid index of that name, which IF NOT EXISTS then takes for the wanted one.",
    instead="Leave IF NOT EXISTS out: trueup looks whether the index is there, and valid.",
    level=Level.NOTE,
)
RULES = (CREATE_INDEX, DROP_INDEX, REINDEX, DETACH_PARTITION, ATTACH_PARTITION, PARTITION_OF, GUARDED_INDEX)


def statement_hits(statement: Statement, around: Around) -> Iterator[Hit]:
    """Hits of statements other than ALTER TABLE."""
    node = statement.node
    match statement.tag:
        case "index_stmt":
            yield from _created(node, around)
        case "drop_stmt" if not node.concurrent and statement.text.split()[1].lower() == "index":
            for item in node.objects:
                name = [found.sval for found in nodes_of(item, "String")][-1]
                if name not in around.fresh:
                    yield Hit(DROP_INDEX, f"the index {name} is dropped", _table_of(name, around))
        case "reindex_stmt" if not ask.is_concurrent(statement) and not around.is_fresh(node.relation):
            yield Hit(REINDEX, f"{range_name(node.relation) or node.name} is rebuilt", _locked(node, "S"))
        case "create_stmt" if node.HasField("partbound"):
            parent = node.inh_relations[0].range_var
            if not around.is_fresh(parent):
                yield Hit(
                    PARTITION_OF,
                    f"{range_name(node.relation)} is made as a partition of {range_name(parent)}",
                    locking(parent),
                )


def alter_hits(relation: Any, command: Any, kind: str, around: Around) -> Iterator[Hit]:
    """Hits of one part of an ALTER TABLE."""
    if around.is_fresh(relation):
        return
    if kind == "AT_DetachPartition" and not getattr(command, "def").partition_cmd.concurrent:
        part = range_name(getattr(command, "def").partition_cmd.name)
        yield Hit(DETACH_PARTITION, f"{part} is detached from {range_name(relation)}", locking(relation))
    elif kind == "AT_AttachPartition":
        part = getattr(command, "def").partition_cmd.name
        if not around.is_fresh(part):
            locks = {**locking(relation, mode="SUE"), **locking(part)}
            yield Hit(ATTACH_PARTITION, f"{range_name(part)} is attached to {range_name(relation)}", locks)


def _created(node: Any, around: Around) -> Iterator[Hit]:
    if around.is_fresh(node.relation):
        return
    name = node.idxname or "an index"
    if not node.concurrent:
        yield Hit(CREATE_INDEX, f"{name} is built on {range_name(node.relation)}", locking(node.relation, mode="S"))
    elif node.if_not_exists:
        yield Hit(GUARDED_INDEX, f"{name} is built on {range_name(node.relation)} with IF NOT EXISTS")


def _table_of(index: str, around: Around) -> dict[str, str]:
    """The table of an index, where the lock file knows it."""
    value = next((v for k, v in around.facts.items() if k.startswith("index ") and k.endswith(f".{quoted(index)}")), "")
    return {index_table(value): "AE"} if value else {}


def _locked(node: Any, mode: str) -> dict[str, str]:
    return locking(node.relation, mode=mode) if node.relation.relname and "TABLE" in str(node.kind) else {}
