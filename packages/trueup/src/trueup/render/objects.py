"""DDL for everything but tables and columns: constraints, indexes, types, views, triggers and the rest."""

from __future__ import annotations

from trueup.catalog.canonical import writable_list
from trueup.catalog.enums import labels
from trueup.catalog.keys import parts, split_key, split_unique

VALIDATED_LATER = ("CHECK", "FOREIGN KEY")
"""Constraints that can be added NOT VALID at once and validated without a strong lock."""


def create(key: str, value: str, found: str | None, *, name: str = "") -> list[str]:
    """The statements that give an object its wanted value; `found` is the value to replace, None where it is absent.

    `name` is what the object is called here, where that is not the chain's name.
    """
    kind, identity = split_key(key)
    value = writable_list(value)
    match kind:
        case "schema":
            return [f"CREATE SCHEMA {identity}"]
        case "extension":
            return [f"CREATE EXTENSION {identity}"]
        case "constraint":
            return constraint(identity, value, found)
        case "validated":
            table, own = _on_table(name or identity)
            return [f"ALTER TABLE {table} VALIDATE CONSTRAINT {own}"]
        case "index":
            return _index(identity, value, found)
        case "valid":
            return [f"REINDEX INDEX {name or identity}"]
        case "sequence":
            return [f"{'ALTER' if found else 'CREATE'} SEQUENCE {identity} {value}"]
        case "sequence owner":
            return [f"ALTER SEQUENCE {identity} OWNED BY {value}"]
        case "enum":
            return (
                [f"CREATE TYPE {identity} AS ENUM ({value})"] if found is None else _add_labels(identity, value, found)
            )
        case "domain":
            return [f"CREATE DOMAIN {identity} AS {value}"]
        case "domain constraint":
            domain, own = _on_table(identity)
            return [f"ALTER DOMAIN {domain} ADD CONSTRAINT {own} {value}"]
        case "type":
            return [f"CREATE TYPE {identity} AS {value}"]
        case "view":
            return [f"CREATE {'OR REPLACE ' if found else ''}VIEW {identity} {value.rstrip(';')}"]
        case "materialized view":
            gone = [f"DROP MATERIALIZED VIEW {identity}"] if found else []
            return [*gone, f"CREATE MATERIALIZED VIEW {identity} {value.rstrip(';')}"]
        case _:
            return _on_relation(kind, identity, value, found)


def _on_relation(kind: str, identity: str, value: str, found: str | None) -> list[str]:
    match kind:
        case "trigger":
            table, own = _on_table(identity)
            gone = [f"DROP TRIGGER {own} ON {table}"] if found else []
            return [*gone, value]
        case "trigger state":
            table, own = _on_table(identity)
            return [f"ALTER TABLE {table} {value} TRIGGER {own}"]
        case "policy":
            table, own = _on_table(identity)
            gone = [f"DROP POLICY {own} ON {table}"] if found else []
            return [*gone, f"CREATE POLICY {own} ON {table} {value}"]
        case "rule":
            return [value.rstrip(";").replace("CREATE RULE", "CREATE OR REPLACE RULE", 1)]
        case "statistics":
            gone = [f"DROP STATISTICS {identity}"] if found else []
            return [*gone, value]
        case "row security":
            forced = "FORCE" if "FORCE" in value else "NO FORCE"
            return [f"ALTER TABLE {identity} ENABLE ROW LEVEL SECURITY, {forced} ROW LEVEL SECURITY"]
        case "storage":
            return [f"ALTER TABLE {identity} SET ({value})"]
        case "replica identity":
            return [f"ALTER TABLE {identity} REPLICA IDENTITY {value}"]
        case "cluster on":
            return [f"ALTER TABLE {identity} CLUSTER ON {value}"]
        case "partition" if value.startswith("INHERITS "):
            return [f"ALTER TABLE {identity} INHERIT {value.removeprefix('INHERITS ')}"]
        case "partition":
            parent, _, bound = value.removeprefix("PARTITION OF ").partition(" ")
            return [f"ALTER TABLE {parent} ATTACH PARTITION {identity} {bound}"]
        case "comment on":
            return [f"COMMENT ON {_commented(identity)} IS {value}"]
    raise ValueError(kind)


def drop(key: str) -> list[str]:
    """The statement that removes an object that a step removes; nothing for what goes with its owner."""
    kind, identity = split_key(key)
    match kind:
        case "constraint":
            table, own = _on_table(identity)
            return [f"ALTER TABLE {table} DROP CONSTRAINT {own}"]
        case "trigger" | "policy" | "rule":
            table, own = _on_table(identity)
            return [f"DROP {kind.upper()} {own} ON {table}"]
        case "index" | "view" | "materialized view" | "sequence" | "function" | "procedure" | "statistics":
            return [f"DROP {kind.upper()} {identity}"]
        case "enum" | "type" | "domain":
            return [f"DROP TYPE {identity}"]
        case "row security":
            return [f"ALTER TABLE {identity} DISABLE ROW LEVEL SECURITY"]
        case "trigger state":
            table, own = _on_table(identity)
            return [f"ALTER TABLE {table} ENABLE TRIGGER {own}"]
        case "comment on":
            return [f"COMMENT ON {_commented(identity)} IS NULL"]
        case _:
            return []


def constraint(identity: str, value: str, found: str | None) -> list[str]:
    """The statement that makes a constraint as its definition says; `found` is that of the one to replace."""
    table, own = _on_table(identity)
    gone = f"DROP CONSTRAINT {own}, " if found is not None else ""
    later = " NOT VALID" if value.startswith(VALIDATED_LATER) else ""
    return [f"ALTER TABLE {table} {gone}ADD CONSTRAINT {own} {value}{later}"]


def _index(identity: str, value: str, found: str | None) -> list[str]:
    unique, tail = split_unique(value)
    tail = tail.replace("ON ONLY ", "ON ", 1)  # a partitioned table's: made on each partition, or found there
    gone = [f"DROP INDEX {identity}"] if found else []
    return [*gone, f"CREATE {unique}INDEX {parts(identity)[-1]} {tail}"]


def _add_labels(identity: str, value: str, found: str) -> list[str]:
    """ALTER TYPE … ADD VALUE for each label that is missing, in its place. Labels are never taken away."""
    wanted, there = labels(value), labels(found)
    statements, previous = [], ""
    for label in wanted:
        if label not in there:
            place = f" AFTER {previous}" if previous else (f" BEFORE {there[0]}" if there else "")
            statements.append(f"ALTER TYPE {identity} ADD VALUE {label}{place}")
        previous = label
    return statements


def _on_table(identity: str) -> tuple[str, str]:
    names = parts(identity)
    return ".".join(names[:2]), names[2]


def _commented(identity: str) -> str:
    kind, _, name = identity.partition(" ")
    if kind in ("constraint", "trigger"):
        table, own = _on_table(name)
        return f"{kind.upper()} {own} ON {table}"
    if identity.startswith("materialized view "):
        return "MATERIALIZED VIEW " + identity.removeprefix("materialized view ")
    return f"{kind.upper()} {name}"
