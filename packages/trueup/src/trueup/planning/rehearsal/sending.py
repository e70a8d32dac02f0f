"""What statements ask of a catalog: is what they name there, and what they make not?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from trueup.catalog.keys import TYPES
from trueup.chain.grammar import nodes_of, string_list
from trueup.planning.rehearsal.catalog import RELATIONS, Catalog, Name, Relation

TEMPORARY = "t"


class Refused(Exception):  # it is what the server would say, no fault of ours
    """Why the server would refuse a statement."""


class Sending:
    """One transaction's statements, sent to a catalog. `path` are the schemas in which names are looked for."""

    def __init__(self, catalog: Catalog, path: Sequence[str] = ()) -> None:
        self.catalog = catalog
        self.path = path

    def name(self, relation: Any) -> Name:
        """What a RangeVar is the name of."""
        return self.catalog.known(relation.schemaname, relation.relname, self.path)

    def name_of(self, items: Any) -> Name:
        """The name that a list of its parts is."""
        *schema, name = string_list(items)
        return self.catalog.known(schema[-1] if schema else "", name, self.path)

    def relation(self, relation: Any, *, missing_ok: bool = False) -> Relation | None:
        """The relation that is named; None where nothing is known of it."""
        if is_temporary(relation, self.catalog):
            return None
        name = self.name(relation)
        if self.catalog.lacks(RELATIONS, name) and not missing_ok:
            raise Refused(f"there is no {said(name)} by then")
        return self.catalog.relations.get(name)

    def is_free(self, name: Name, *, or_not: bool) -> bool:
        """True where nothing is called so yet."""
        if name not in self.catalog.relations and name not in self.catalog.types:
            return True
        if not or_not:
            raise Refused(f"there is a {said(name)} already by then")
        return False

    def part(self, kind: str, table: Relation | None, name: str, *, missing_ok: bool = False) -> bool:
        """True where the table has it, or may have."""
        if table is None or not self.catalog.lacks_part(kind, table, name):
            return True
        if not missing_ok:
            raise Refused(f"{said(table.name)} has no {kind} {name} by then")
        return False

    def columns(self, table: Relation | None, names: Iterable[str]) -> None:
        """The table has to have these columns, if it is known."""
        for name in names:
            self.part("column", table, name)

    def reads(self, node: Any, but_not: str = "") -> None:
        """All that a query names has to be there."""
        named = {but_not, *(cte.ctename for cte in nodes_of(node, "CommonTableExpr"))}
        for one in nodes_of(node, "RangeVar"):
            if one.schemaname or one.relname not in named:
                self.relation(one)

    def type(self, items: Any) -> Name:
        """The type that a list of its parts names, which has to be there."""
        name = self.name_of(items)
        if self.catalog.lacks(TYPES, name):
            raise Refused(f"there is no type {said(name)} by then")
        return name

    def has_type(self, type_name: Any) -> None:
        """The type of a column has to be there; it may be that of a table's rows."""
        if not self.catalog.lacks(("table",), self.name_of(type_name.names)):
            self.type(type_name.names)


def is_temporary(relation: Any, catalog: Catalog) -> bool:
    """True for a table of the session's."""
    return not relation.schemaname and relation.relname in catalog.temporary


def said(name: Name) -> str:
    """A name as people read it."""
    return ".".join(name)
