"""Constraints on tables in use: what is checked or built while everybody waits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trueup.chain.grammar import Statement, enum_name, nodes_of, range_identity, range_name
from trueup.planning.hazards.around import Around, locking
from trueup.planning.hazards.model import Hit, Level, lock_rule

CHECK = lock_rule(
    "check-constraint",
    "a CHECK is added and validated at once",
    "Every row is read while nobody can read or write the table.",
    "ADD CONSTRAINT … NOT VALID, then VALIDATE CONSTRAINT in a transaction of its own.",
    "adds it NOT VALID, then validates it in a transaction of its own, beside readers and writers",
)
FOREIGN_KEY = lock_rule(
    "foreign-key",
    "a foreign key is added and validated at once",
    "Every row is looked up while nobody can write either table.",
    "ADD CONSTRAINT … NOT VALID, then VALIDATE CONSTRAINT in a transaction of its own.",
    "adds it NOT VALID, then validates it in a transaction of its own, beside readers and writers",
)
UNIQUE = lock_rule(
    "unique-constraint",
    "a UNIQUE constraint builds its index while the table is locked",
    "Nobody can read or write the table for as long as the build takes.",
    "CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … UNIQUE USING INDEX.",
    "builds a unique index CONCURRENTLY, then adds the constraint USING INDEX",
)
PRIMARY_KEY = lock_rule(
    "primary-key",
    "a primary key builds its index while the table is locked",
    "Nobody can read or write the table for as long as the build takes, and a nullable column is scanned as well.",
    "Columns NOT NULL first, CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … PRIMARY KEY USING INDEX.",
    "makes the columns NOT NULL without a scan under the lock, builds a unique index CONCURRENTLY, then adds the key "
    "USING INDEX",
)
EXCLUDE = lock_rule(
    "exclude-constraint",
    "an EXCLUDE constraint builds its index while the table is locked",
    "Nobody can read or write the table for as long as the build takes; there is no form that builds it beside them.",
    "Add it while the table is small, or in a window: `-- as written` says that you know.",
)
SET_NOT_NULL = lock_rule(
    "set-not-null",
    "SET NOT NULL reads the whole table under its lock",
    "Every row is read while nobody can read or write the table.",
    "ADD CHECK (… IS NOT NULL) NOT VALID, VALIDATE it, SET NOT NULL (which then reads nothing), drop the CHECK.",
    "has it validated beside readers and writers first, so that nothing is read under the lock",
)
DOMAIN_CONSTRAINT = lock_rule(
    "domain-constraint",
    "a domain gets a constraint",
    "Every column of the domain, in every table, is read while their writers wait.",
    "ADD CONSTRAINT … NOT VALID, then ALTER DOMAIN … VALIDATE CONSTRAINT in a transaction of its own.",
)
NEW_REFERENCE = lock_rule(
    "new-reference",
    "a new table refers to one that is in use",
    "Writers of the table that is referred to wait for a moment, until the statement has come to its end.",
    "Nothing: `up` waits for such a lock for a fraction of a second only, and tries again.",
    level=Level.INFO,
)
RULES = (CHECK, FOREIGN_KEY, NEW_REFERENCE, UNIQUE, PRIMARY_KEY, EXCLUDE, SET_NOT_NULL, DOMAIN_CONSTRAINT)


def constraint_hits(relation: Any, constraint: Any, what: str = "") -> Iterator[Hit]:
    """Hits of a constraint that is added to a table in use, alone or with its column."""
    table, at = range_identity(relation), constraint.location
    said = what or f"{range_name(relation)} gets {constraint.conname or 'a constraint'}"
    match enum_name(constraint, "contype"):
        case "CONSTR_CHECK" if not constraint.skip_validation:
            yield Hit(CHECK, f"{said}: CHECK", {table: "AE"}, at)
        case "CONSTR_FOREIGN" if not constraint.skip_validation:
            locks = {table: "AE" if what else "SRE", range_identity(constraint.pktable): "SRE"}
            yield Hit(FOREIGN_KEY, f"{said}: a foreign key to {range_name(constraint.pktable)}", locks, at)
        case "CONSTR_UNIQUE" if not constraint.indexname:
            yield Hit(UNIQUE, f"{said}: UNIQUE", {table: "AE"}, at)
        case "CONSTR_PRIMARY" if not constraint.indexname:
            yield Hit(PRIMARY_KEY, f"{said}: PRIMARY KEY", {table: "AE"}, at)
        case "CONSTR_EXCLUSION":
            yield Hit(EXCLUDE, f"{said}: EXCLUDE", {table: "AE"}, at)


def alter_hits(relation: Any, command: Any, kind: str, around: Around) -> Iterator[Hit]:
    """Hits of one part of an ALTER TABLE."""
    if around.is_fresh(relation):
        yield from references(relation, command, around)
    elif kind == "AT_AddConstraint":
        yield from constraint_hits(relation, getattr(command, "def").constraint)
    elif kind == "AT_SetNotNull":
        yield Hit(SET_NOT_NULL, f"{range_name(relation)}.{command.name} becomes NOT NULL", locking(relation))


def statement_hits(statement: Statement, around: Around) -> Iterator[Hit]:
    """Hits of statements other than ALTER TABLE."""
    if statement.tag == "alter_domain_stmt":
        yield from _domain_hits(statement.node)
    elif statement.tag == "create_stmt":
        yield from references(statement.node.relation, statement.node, around)


def references(relation: Any, node: Any, around: Around) -> Iterator[Hit]:
    """Tables in use that a new table refers to."""
    for constraint in nodes_of(node, "Constraint"):
        parent = constraint.pktable
        own = enum_name(constraint, "contype") != "CONSTR_FOREIGN" or parent.relname == relation.relname
        if not own and not around.is_fresh(parent):
            said = f"{range_name(relation)} is new and refers to {range_name(parent)}"
            yield Hit(NEW_REFERENCE, said, locking(parent, mode="SRE"), constraint.location)


def _domain_hits(node: Any) -> Iterator[Hit]:
    """Hits of ALTER DOMAIN."""
    name = node.type_name[-1].string.sval
    if node.subtype == "C" and not getattr(node, "def").constraint.skip_validation:
        yield Hit(DOMAIN_CONSTRAINT, f"the domain {name} gets a constraint")
    elif node.subtype == "O":
        yield Hit(DOMAIN_CONSTRAINT, f"the domain {name} becomes NOT NULL")
