"""The catalog as the statements of a plan leave it, one after the other: what there is, and what hangs on what."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from trueup.catalog.keys import TYPES, identity_of, index_table, kind_of, parts, unquoted
from trueup.catalog.references import foreign_key
from trueup.chain.model import Effect
from trueup.decide.trajectory import Trajectories

RELATIONS = ("table", "view", "materialized view", "sequence", "index")
"""Kinds that share their names in a schema."""
_ON_TABLES = ("trigger", "policy", "rule")
_ORDER = (*TYPES, *RELATIONS[:-1], "partition", "column", "sequence owner", "index", "constraint", *_ON_TABLES)
_PARENT = re.compile(r"^(?:PARTITION OF|INHERITS) ")

Name = tuple[str, ...]
"""Schema and name, of a part of a table also that; without quotes."""


@dataclass(slots=True, eq=False)
class Constraint:
    """A constraint, with the columns that it is on, and of a foreign key the table and columns that it refers to."""

    columns: set[str]
    parent: Relation | None = None
    referred: set[str] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Relation:
    """A table, view, sequence or index. An index and an owned sequence have columns, and a table they are `on`."""

    kind: str
    name: Name
    columns: set[str] = field(default_factory=set)
    constraints: dict[str, Constraint] = field(default_factory=dict)
    others: set[tuple[str, str]] = field(default_factory=set)  # triggers and the like: kind and name
    on: Relation | None = None
    parent: Relation | None = None  # that it is a partition of, or inherits from


class Catalog:
    """What is there. Of what the chain never has nothing is known: an extension's, another schema's."""

    def __init__(self, facts: Mapping[str, str], paths: Trajectories) -> None:
        self.relations: dict[Name, Relation] = {}
        self.types: set[Name] = set()
        self.temporary: set[str] = set()
        self.put_all(facts)
        self._managed = {(kind_of(key), _names(identity_of(key))) for key in (*paths.of, *paths.passing)}
        self._called: dict[str, set[Name]] = {}
        for kind, name in self._managed:
            if kind in RELATIONS or kind in TYPES:
                self._called.setdefault(name[-1], set()).add(name)

    def known(self, schema: str, name: str, path: Iterable[str]) -> Name:
        """What a name as it is written stands for; without a schema what the chain has of that name."""
        if schema:
            return schema, name
        if len(meant := self._called.get(name, set())) == 1:
            return next(iter(meant))
        *others, last = (*path, "public")
        return next(((one, name) for one in others if (one, name) in self._called.get(name, ())), (last, name))

    def lacks(self, kinds: Iterable[str], name: Name) -> bool:
        """True for what the chain has at some time, and that is not there."""
        is_there = name in self.relations or name in self.types
        return not is_there and any((kind, name) in self._managed for kind in kinds)

    def lacks_part(self, kind: str, table: Relation, name: str) -> bool:
        """The same for a column, a constraint, a trigger and the like of a table."""
        if table.parent if kind != "column" else not table.columns:  # from there; a view, or made of a query
            return False
        found = table.columns if kind == "column" else table.constraints if kind == "constraint" else ()
        is_there = name in found or (kind, name) in table.others
        return not is_there and (kind, (*table.name, name)) in self._managed

    def has(self, key: str) -> bool | None:
        """True where the fact is there, False where it is not; None for kinds of which nothing is known."""
        kind, name = kind_of(key), _names(identity_of(key))
        table = self.relations.get(name[:2])
        if kind != "column" and table and (table.on or table).parent:  # it may have come from there, or gone with that
            return None
        if kind in TYPES:
            return name in self.types
        if kind in RELATIONS:
            return table is not None and table.kind == kind
        if kind == "column":
            return table is not None and name[-1] in table.columns
        if kind == "constraint":
            return table is not None and name[-1] in table.constraints
        return table is not None and (kind, name[-1]) in table.others if kind in _ON_TABLES else None

    def put_all(self, facts: Mapping[str, str]) -> None:
        """Facts are there, if they were not: tables first, then what is on them."""
        for key in sorted((key for key in facts if kind_of(key) in _ORDER), key=lambda key: _ORDER.index(kind_of(key))):
            self.put(key, facts[key])

    def put(self, key: str, value: str) -> None:
        """A fact is there, if it was not."""
        kind, name = kind_of(key), _names(identity_of(key))
        table = self.relations.get(name[:2])
        if kind in TYPES:
            self.types.add(name)
        elif kind == "index" and name not in self.relations:
            on = self.relations.get(_names(index_table(value)))
            self.relations[name] = Relation(kind, name, _named(value, on), on=on)
        elif kind == "sequence owner" and table:
            owner = _names(value)
            table.on, table.columns = self.relations.get(owner[:2]), {owner[-1]}
        elif kind in RELATIONS:
            self.relations.setdefault(name, Relation(kind, name))
        elif table and kind == "partition":
            table.parent = self.relations.get(_names(index_table(_PARENT.sub("ON ", value))))
            table.columns |= table.parent.columns if table.parent else set()
        elif table and kind == "column":
            self.add_column(table, name[-1])
        elif table and kind == "constraint":
            table.constraints[name[-1]] = self._constraint(value, table)
        elif table and kind in _ON_TABLES:
            table.others.add((kind, name[-1]))

    def follow(self, effect: Effect) -> None:
        """What a statement does, as the chain's replay has seen it."""
        for key in effect.gone:
            self.take(key)
        self.put_all(effect.set)

    def take(self, key: str) -> None:
        """A fact is gone, and what hangs on it."""
        kind, name = kind_of(key), _names(identity_of(key))
        table = self.relations.get(name[:2])
        if kind in TYPES:
            self.types.discard(name)
        elif kind in RELATIONS and table and table.kind == kind:
            self.drop(table)
        elif table and kind == "partition":
            table.parent = None
        elif table and kind == "column":
            self.drop_column(table, name[-1])
        elif table and kind == "constraint":
            table.constraints.pop(name[-1], None)
        elif table and kind in _ON_TABLES:
            table.others.discard((kind, name[-1]))

    def drop(self, relation: Relation) -> None:
        """A relation goes, with its partitions and indexes, and the foreign keys to it."""
        for child in self._children(relation):
            self.drop(child)
        self._drop_relations(lambda one: one is relation or one.on is relation)
        for table, name, _ in list(self.references_to(relation)):
            table.constraints.pop(name, None)

    def drop_schemas(self, schemas: Collection[str]) -> None:
        """Schemas go, with all that is in them."""
        for relation in [one for one in self.relations.values() if one.name[0] in schemas and one.on is None]:
            self.drop(relation)
        self.types = {name for name in self.types if name[0] not in schemas}

    def is_used(self, name: str, schema: str) -> bool:
        """True where something is called so in the schema, or a constraint of a table of it."""
        if (schema, name) in self.relations:
            return True
        return any(name in one.constraints for one in self.relations.values() if one.name[0] == schema)

    def _children(self, table: Relation) -> list[Relation]:
        return [one for one in self.relations.values() if one.parent is table]

    def add_column(self, table: Relation, column: str) -> None:
        """A column comes; in the partitions, too."""
        table.columns.add(column)
        for child in self._children(table):
            self.add_column(child, column)

    def drop_column(self, table: Relation, column: str) -> None:
        """A column goes, with what is made of it."""
        for child in self._children(table):
            self.drop_column(child, column)
        if column not in table.columns:
            return
        table.columns.remove(column)
        self._drop_relations(lambda one: one.on is table and column in one.columns)
        table.constraints = {name: one for name, one in table.constraints.items() if column not in one.columns}
        for child, name, constraint in list(self.references_to(table)):
            if column in constraint.referred:
                del child.constraints[name]

    def _drop_relations(self, goes: Callable[[Relation], bool]) -> None:
        self.relations = {name: one for name, one in self.relations.items() if not goes(one)}

    def references_to(self, relation: Relation) -> Iterator[tuple[Relation, str, Constraint]]:
        """The foreign keys to a table: whose they are, and what they are called."""
        for table in self.relations.values():
            for name, constraint in table.constraints.items():
                if constraint.parent is relation:
                    yield table, name, constraint

    def rename(self, relation: Relation, name: Name) -> None:
        """A relation is called otherwise; what refers to it does so still."""
        self.relations.pop(relation.name, None)
        relation.name = name
        self.relations[name] = relation

    def rename_column(self, table: Relation, old: str, new: str) -> None:
        """A column is called otherwise, in all that is made of it, too."""
        for child in self._children(table):
            self.rename_column(child, old, new)
        table.columns = _renamed(table.columns, old, new)
        for one in self.relations.values():
            if one.on is table:
                one.columns = _renamed(one.columns, old, new)
        for constraint in table.constraints.values():
            constraint.columns = _renamed(constraint.columns, old, new)
        for _, _, constraint in self.references_to(table):
            constraint.referred = _renamed(constraint.referred, old, new)

    def _constraint(self, value: str, table: Relation) -> Constraint:
        reference = foreign_key(value)
        if reference is None:
            return Constraint(_named(value, table))
        return Constraint(
            set(map(unquoted, reference.columns)),
            self.relations.get(_names(reference.parent)),
            set(map(unquoted, reference.referred)),
        )


def _names(identity: str) -> Name:
    return tuple(map(unquoted, parts(identity))) if identity else ()


def _named(value: str, table: Relation | None) -> set[str]:
    """The table's columns that a definition names."""
    words = set(re.findall(r"\w+", value)) if table else set()
    return {column for column in (table.columns if table else ()) if words.issuperset(re.findall(r"\w+", column))}


def _renamed(columns: set[str], old: str, new: str) -> set[str]:
    return {new if one == old else one for one in columns}
