"""One look at a scratch database: what a statement has locked, and the facts of what it has changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from trueup.catalog.keys import identity_of
from trueup.catalog.snapshot import SETTINGS, as_facts, sections
from trueup.chain.model import Facts
from trueup.scratch.observed import HELD, Held, as_held

LOOKED = "what"
"""The first column of a look: no other result has it."""

UNCOUNTED = "SET trueup.counted = '{}'"
"""Stands at the head of a message in which there are looks."""

_PLANNER = (
    "enable_hashjoin",
    "enable_mergejoin",
    "enable_seqscan",
    "enable_bitmapscan",
    "enable_material",
    "enable_memoize",
)
"""Off: nested loops over indexes. A look is for a handful of objects, and the catalogs grow after it was planned."""

_UNLOCKED = {
    "pg_class": "SELECT x.oid FROM pg_class x WHERE x.oid >= 16384 AND x.relkind NOT IN ('i', 'I', 't')",
    "pg_attribute": "SELECT x.attrelid FROM pg_attribute x WHERE x.attrelid >= 16384",
    "pg_constraint": "SELECT x.contypid FROM pg_constraint x WHERE x.contypid <> 0",
}
"""What is changed without a lock on it: the privileges of relations, the constraints of domains."""

_FRESH_TYPES = {
    "pg_type": "SELECT x.oid FROM pg_type x WHERE x.oid >= 16384 AND (renames OR x.typtype IN ('e', 'd', 'r'))",
}
_FRESH = {
    "pg_proc": "SELECT x.oid FROM pg_proc x WHERE x.oid >= 16384",
    "pg_namespace": "SELECT x.oid FROM pg_namespace x WHERE true",
    "pg_extension": "SELECT x.oid FROM pg_extension x WHERE true",
    "pg_default_acl": "SELECT x.oid FROM pg_default_acl x WHERE true",
    "pg_enum": "SELECT x.enumtypid FROM pg_enum x WHERE true",
    "pg_statistic_ext": "SELECT x.stxrelid FROM pg_statistic_ext x WHERE true",
    "pg_description": "SELECT unnest(pg_temp.trueup_owners(ARRAY[x.objoid])) FROM pg_description x"
    " WHERE (x.objoid >= 16384 OR x.objoid = 2200)",
}
"""The objects that a catalog's new rows are about. Objects below 16384 are the server's own, but for schema public."""

_EXISTING = {
    "functions": ("pg_proc", "SELECT x.oid FROM pg_proc x WHERE x.oid >= 16384"),
    "types": ("pg_type", "SELECT x.oid FROM pg_type x WHERE x.oid >= 16384 AND x.typtype IN ('c', 'e', 'd', 'r')"),
    "schemas": ("pg_namespace", "SELECT x.oid FROM pg_namespace x"),
    "extensions": ("pg_extension", "SELECT x.oid FROM pg_extension x"),
    "default_privileges": ("pg_default_acl", "SELECT x.oid FROM pg_default_acl x"),
}
"""Where something was dropped that nobody locks: what is still there."""


_KINDS = {
    **dict.fromkeys(("schemas", "extensions", "functions", "default_privileges", "domain_constraints"), "-"),
    **dict.fromkeys(("tables", "partitions", "columns", "constraints", "indexes", "policies", "statistics"), "rp"),
    "view_indexes": "m",
    "sequences": "S",
    "types": "-c",
    "views": "vm",
    "triggers": "rpvf",
    "rules": "rpv",
}
"""The kinds of relations that a section is about; - stands for other objects."""
_ANY = "-rpvmScf"

_NARROW = """WITH ns AS NOT MATERIALIZED (
    SELECT n.oid, n.nspname, quote_ident(n.nspname) AS name FROM pg_namespace n WHERE n.oid <> pg_my_temp_schema()
), rel AS NOT MATERIALIZED (
    SELECT c.*, ns.name || '.' || quote_ident(c.relname) AS name
      FROM pg_class c JOIN ns ON ns.oid = c.relnamespace WHERE c.oid = ANY (present)
), """
"""In place of the snapshot's own beginning, which looks at every schema."""

_ADD = "changed := changed || ARRAY({} AND age(x.xmin) <= 0)"
_LEFT = """RETURN QUERY SELECT 'exists', NULL::bigint, '{0}', NULL
    UNION ALL SELECT 'exists', e.oid::bigint, '{0}', NULL FROM ({1}) AS e (oid)"""


class Look(NamedTuple):
    """What a look says.

    `facts` are those read anew, by section of the snapshot and owning object's oid; `changed` the objects that they
    were read of, None for all; `existing` what is left, in sections where something was dropped.
    """

    held: list[Held]
    facts: dict[str, dict[int, Facts]]
    changed: set[int] | None
    existing: dict[str, set[int]]


def prepare_sql() -> str:
    """Makes the session ready for `look_sql`."""
    head, whole = sections()
    _, narrow = sections(objects="{}.oid = ANY (present)")
    narrow_head = _NARROW + head[head.index("tab AS MATERIALIZED") :].replace("tab AS MAT", "tab AS NOT MAT")
    bits = {1 << number: section for number, section in enumerate(narrow)}
    everything = " UNION ALL ".join(f"SELECT '{section.name}', s.* FROM ({section.sql}) AS s" for section in whole)
    written = {catalog for section in narrow for catalog in section.catalogs} | {"pg_authid", "pg_depend"}
    text = (Path(__file__).parent / "look.sql").read_text()
    for word, replacement in {
        "{pinned}": " ".join(f"SET {setting}" for setting in SETTINGS),
        "{planner}": " ".join(f"SET {setting} = off" for setting in _PLANNER),
        "{usual}": " ".join(f"SET {setting} = on" for setting in _PLANNER),
        "{catalogs}": ", ".join(f"({n}, '{name}', '{name}'::regclass)" for n, name in enumerate(sorted(written), 1)),
        "{number}": str(len(written)),
        "{fresh}": "\n    ".join(
            _if(f"{condition} AND '{name}' = ANY (wrote)", _ADD.format(query))
            for condition, queries in (("unlocked", _UNLOCKED), ("types", _FRESH_TYPES), ("has_fresh", _FRESH))
            for name, query in queries.items()
        ),
        "{others}": _array(_FRESH),
        "{existing}": "\n    ".join(
            _if(f"'{catalog}' = ANY (removed)", _LEFT.format(name, query))
            for name, (catalog, query) in _EXISTING.items()
        ),
        "{sections}": ", ".join(
            f"('{section.name}', {bit}, {_array(section.catalogs)}, {_array(_KINDS.get(section.name, _ANY))})"
            for bit, section in bits.items()
        ),
        "{read}": "\n    ".join(
            _if(
                f"reading & {bit} > 0" + (" AND privileged" if section.name == "privileges" else ""),
                f"RETURN QUERY SELECT '{section.name}', s.* FROM ({narrow_head}{section.sql}) AS s",
            )
            for bit, section in bits.items()
        ),
        "{everything}": f"{head}{everything}",
        "{held}": HELD,
        "{removable}": _array(catalog for catalog, _ in _EXISTING.values()),
    }.items():
        text = text.replace(word, replacement)
    return text


def look_sql(*, renames: bool = False, unlocked: bool = False, types: bool = True, everything: bool = False) -> str:
    """Asked in the transaction of the statement.

    Args:
        renames: The statement may have given something another name, by which others mention it.
        unlocked: It may have changed something that it does not lock.
        types: It may have made or changed a type; else the types are not searched for those of this transaction.
        everything: Read all facts, whatever was changed.
    """
    return f"SELECT * FROM pg_temp.trueup_look({renames}, {unlocked}, {types}, {everything})"


def as_look(rows: Iterable[Any], *, major: int) -> Look:
    """The rows of `look_sql`."""
    changed: set[int] = set()
    look = Look([], {}, changed, {})
    for what, oid, key, value in rows:
        if what == "lock":
            look.held.append(as_held(oid, key))
        elif what == "changed":
            changed.add(oid)
        elif what == "exists":
            look.existing.setdefault(key, set()).update([oid] if oid else ())
        elif what == "everything":
            look = look._replace(changed=None, facts={section.name: {} for section in sections()[1]})
        elif oid is None:
            look.facts[what] = {}
        else:
            look.facts[what].setdefault(oid, {}).update(as_facts([(key, value)], major=major))
    return look


class Picture:
    """All facts of a scratch database, by section of the snapshot and owning object's oid."""

    def __init__(self) -> None:
        self.held: dict[str, dict[int, Facts]] = {section.name: {} for section in sections()[1]}

    def flat(self) -> Facts:
        """All facts, by key."""
        return {k: v for objects in self.held.values() for facts in objects.values() for k, v in facts.items()}

    def take_over(self, look: Look) -> tuple[Facts, Facts]:
        """The facts that the look has read anew, before and after."""
        old: Facts = {}
        new: Facts = {}
        gone = {oid for section, existing in look.existing.items() for oid in self.held[section].keys() - existing}
        for section, held in self.held.items():
            fresh = look.facts.get(section, {})
            touched = (
                gone if section not in look.facts else held.keys() if look.changed is None else look.changed | gone
            )
            for oid in held.keys() & touched:
                old.update(held.pop(oid))
            for oid, facts in fresh.items():
                new.update(facts)
                held[oid] = facts
        return old, new

    def relation(self, oid: int) -> str:
        """The table's or view's name; empty for other objects."""
        facts = self.held["tables"].get(oid) or self.held["views"].get(oid)
        return identity_of(next(iter(facts))) if facts else ""


def _if(condition: str, statement: str) -> str:
    return f"IF {condition} THEN {statement}; END IF;"


def _array(names: Iterable[str]) -> str:
    return "'{" + ",".join(names) + "}'::text[]"
