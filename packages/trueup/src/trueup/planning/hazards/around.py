"""What is known around a statement: which relations are new, which facts hold, what the file makes anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trueup.catalog.keys import quoted
from trueup.chain import statements as ask
from trueup.chain.grammar import Statement, enum_name, range_identity
from trueup.chain.model import Effect, Step
from trueup.planning.hazards.sent import Sent

_SYNONYMS = {
    "character varying": "varchar",
    "character": "bpchar",
    "integer": "int4",
    "bigint": "int8",
    "smallint": "int2",
    "boolean": "bool",
    "real": "float4",
    "double precision": "float8",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "time without time zone": "time",
    "time with time zone": "timetz",
    "bit varying": "varbit",
}


@dataclass(frozen=True, slots=True)
class Type:
    """A type as the grammar names it, such as `varchar` with the modifiers (20,)."""

    name: str
    modifiers: tuple[int, ...] = ()
    array: bool = False


@dataclass(slots=True, kw_only=True)
class Around:
    """The surroundings of one statement of a step."""

    step: Step
    effect: Effect | None
    facts: Mapping[str, str]
    fresh: set[str] = field(default_factory=set)  # relations without rows or users: made by the same file or run
    again: set[tuple[str, str]] = field(default_factory=set)  # objects that the file makes
    sent: Sent | None = None  # what `up` sends; None where nothing was observed of the step

    def is_fresh(self, relation: Any) -> bool:
        """Nobody uses it yet: it was made by the same file, or by the same run."""
        return bool(relation.relname in self.fresh or relation.relpersistence == "t")

    def type_of(self, relation: Any, column: str) -> Type | None:
        """The column's type before the step, where the lock file knows it."""
        value = self.facts.get(f"column {range_identity(relation)}.{quoted(column)}")
        return type_of_fact(value) if value else None

    def rewrites(self, relation: Any) -> bool | None:
        """Whether the step writes the table anew, as the scratch server showed; None where it has not been asked."""
        if self.effect is None:
            return None
        if relation.schemaname:
            return range_identity(relation) in self.effect.rewritten
        return any(name.endswith(f".{quoted(relation.relname)}") for name in self.effect.rewritten)


def locking(*relations: Any, mode: str = "AE") -> dict[str, str]:
    """These relations, each with the mode that a statement takes on it."""
    return {range_identity(relation): mode for relation in relations}


def type_of_fact(value: str) -> Type:
    """`character varying(64)` as the grammar would name it."""
    plain, array = value.removesuffix("[]"), value.endswith("[]")
    head, _, rest = plain.partition("(")
    inside, _, tail = rest.partition(")")  # `timestamp(3) with time zone` has its modifier in the middle
    name = (head + tail).strip()
    modifiers = tuple(int(m) for m in inside.split(",") if m.strip().lstrip("-").isdigit())
    return Type(_SYNONYMS.get(name, name.strip('"')), modifiers, array)


def type_of_node(node: Any) -> Type:
    """The type that a TypeName names."""
    name = node.names[-1].string.sval if node.names else ""
    modifiers = tuple(m.a_const.ival.ival for m in node.typmods if m.WhichOneof("node") == "a_const")
    return Type(_SYNONYMS.get(name, name), modifiers, bool(node.array_bounds))


def made_relations(statement: Statement) -> set[str]:
    """Names of the relations that the statement makes."""
    node = statement.node
    match statement.tag:
        case "create_stmt":
            return {node.relation.relname}
        case "create_table_as_stmt":
            return {node.into.rel.relname}
        case "rename_stmt":
            return {node.newname}
        case "index_stmt":
            return {node.idxname}
        case "select_stmt" if node.HasField("into_clause"):
            return {node.into_clause.rel.relname}
    return set()


def made_objects(statements: Iterable[Statement]) -> set[tuple[str, str]]:
    """What the statements make: a drop of the same name beside them is a replacement."""
    return {made for statement in statements for made in _made(statement)}


def _made(statement: Statement) -> set[tuple[str, str]]:
    if statement.tag != "create_function_stmt":
        return ask.created_objects(statement)
    taken = [p.function_parameter for p in statement.node.parameters]
    types = [p.arg_type for p in taken if enum_name(p, "mode") not in ("FUNC_PARAM_OUT", "FUNC_PARAM_TABLE")]
    name = statement.node.funcname[-1].string.sval
    return {("object", name), ("function", signature(name, types))}


def signature(name: str, types: Iterable[Any]) -> str:
    """A function by its name and the types of its arguments."""
    return f"{name}({', '.join(str(type_of_node(kind)) for kind in types)})"
