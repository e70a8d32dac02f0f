"""What single statements need to be there, and what they leave: as the server does it, as far as names go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from trueup.catalog.keys import TYPES
from trueup.chain.grammar import Statement, enum_name, string_list
from trueup.planning.rehearsal.catalog import Catalog, Relation
from trueup.planning.rehearsal.sending import TEMPORARY, Refused, Sending, said
from trueup.planning.rehearsal.tables import alter_table, create_table

_KINDS = {
    "OBJECT_TABLE": ("table",),
    "OBJECT_VIEW": ("view",),
    "OBJECT_MATVIEW": ("materialized view",),
    "OBJECT_SEQUENCE": ("sequence",),
    "OBJECT_INDEX": ("index",),
    "OBJECT_TYPE": TYPES,
    "OBJECT_DOMAIN": TYPES,
}
_PARTS = {"OBJECT_TRIGGER": "trigger", "OBJECT_POLICY": "policy", "OBJECT_RULE": "rule"}


def send(sending: Sending, statement: Statement) -> bool:
    """Send a statement; False where it has nothing to do, because of its IF EXISTS or IF NOT EXISTS.

    Raises:
        Refused: the server would not have it.
    """
    does = _DOES.get(statement.tag)
    return does is None or does(sending, statement.node)


def _rename(sending: Sending, node: Any) -> bool:
    catalog = sending.catalog
    what = enum_name(node, "rename_type")
    if what in ("OBJECT_TYPE", "OBJECT_DOMAIN"):
        return _rename_type(sending, node)
    if what not in ("OBJECT_COLUMN", "OBJECT_TABCONSTRAINT", *_KINDS):
        return True
    relation = sending.relation(node.relation, missing_ok=node.missing_ok)
    if relation is None:
        return not node.missing_ok
    if what == "OBJECT_COLUMN":
        sending.columns(relation, [node.subname])
        if node.newname in relation.columns:
            raise Refused(f"{said(relation.name)} has a column {node.newname} already by then")
        catalog.rename_column(relation, node.subname, node.newname)
    elif what == "OBJECT_TABCONSTRAINT":
        sending.part("constraint", relation, node.subname)
        if node.newname in relation.constraints:
            raise Refused(f"{said(relation.name)} has a constraint {node.newname} already by then")
        if node.subname in relation.constraints:
            relation.constraints[node.newname] = relation.constraints.pop(node.subname)
    else:
        name = (relation.name[0], node.newname)
        sending.is_free(name, or_not=False)
        catalog.rename(relation, name)
    return True


def _rename_type(sending: Sending, node: Any) -> bool:
    name = sending.type(node.object.list.items)
    new = (name[0], node.newname)
    sending.is_free(new, or_not=False)
    if name in sending.catalog.types:
        sending.catalog.types.remove(name)
        sending.catalog.types.add(new)
    return True


def _set_schema(sending: Sending, node: Any) -> bool:
    relation = sending.relation(node.relation, missing_ok=node.missing_ok) if node.HasField("relation") else None
    if relation:
        name = (node.newschema, relation.name[-1])
        sending.is_free(name, or_not=False)
        sending.catalog.rename(relation, name)
    return True


def _drop(sending: Sending, node: Any) -> bool:
    catalog = sending.catalog
    what = enum_name(node, "remove_type")
    if what in _PARTS:
        return _drop_part(sending, node, _PARTS[what])
    if what == "OBJECT_SCHEMA":
        catalog.drop_schemas(string_list(node.objects))
    if what not in _KINDS:
        return True
    is_type = _KINDS[what] is TYPES
    names = [sending.name_of(o.type_name.names if is_type else o.list.items) for o in node.objects]
    names = [name for name in names if not (name[0] == "public" and name[-1] in catalog.temporary)]
    missing = next((name for name in names if catalog.lacks(_KINDS[what], name)), None)
    if missing and not node.missing_ok:
        raise Refused(f"there is no {said(missing)} by then")
    if is_type:
        catalog.types.difference_update(names)
        return True
    found = [relation for name in names if (relation := catalog.relations.get(name))]
    if enum_name(node, "behavior") != "DROP_CASCADE":
        for relation in found:
            _refuse_if_needed(catalog, relation, found)
    for relation in found:
        catalog.drop(relation)
    return bool(found) or not node.missing_ok


def _refuse_if_needed(catalog: Catalog, relation: Relation, going: Sequence[Relation]) -> None:
    for table, name, _ in catalog.references_to(relation):
        if table not in going:
            raise Refused(f"{said(relation.name)} cannot be dropped: {name} of {said(table.name)} refers to it by then")


def _drop_part(sending: Sending, node: Any, kind: str) -> bool:
    for one in node.objects:
        *table, name = one.list.items
        relation = sending.catalog.relations.get(sending.name_of(table))
        if not sending.part(kind, relation, name.string.sval, missing_ok=node.missing_ok):
            return False
        if relation:
            relation.others.discard((kind, name.string.sval))
    return True


def _create_index(sending: Sending, node: Any) -> bool:
    table = sending.relation(node.relation)
    if table is None:
        return True
    name = (table.name[0], node.idxname)
    if node.idxname and not sending.is_free(name, or_not=node.if_not_exists):
        return False
    elements = (one.index_elem.name for one in (*node.index_params, *node.index_including_params))
    columns = set(filter(None, elements))
    sending.columns(table, sorted(columns))
    if node.idxname:
        sending.catalog.relations[name] = Relation("index", name, columns, on=table)
    return True


def _create_view(sending: Sending, node: Any) -> bool:
    name = sending.name(node.view)
    sending.is_free(name, or_not=node.replace)
    sending.reads(node.query)
    sending.catalog.relations.setdefault(name, Relation("view", name))
    return True


def _create_as(sending: Sending, node: Any) -> bool:
    if node.into.rel.relpersistence == TEMPORARY:
        sending.reads(node.query)
        sending.catalog.temporary.add(node.into.rel.relname)
        return True
    name = sending.name(node.into.rel)
    if not sending.is_free(name, or_not=node.if_not_exists):
        return False
    sending.reads(node.query)
    kind = "materialized view" if enum_name(node, "objtype") == "OBJECT_MATVIEW" else "table"
    sending.catalog.relations[name] = Relation(kind, name)
    return True


def _create_on_table(kind: str, name: str, field: str) -> Callable[[Sending, Any], bool]:
    def does(sending: Sending, node: Any) -> bool:
        table = sending.relation(getattr(node, field))
        called = getattr(node, name)
        if table and (kind, called) in table.others and not getattr(node, "replace", False):
            raise Refused(f"{said(table.name)} has a {kind} {called} already by then")
        if table:
            table.others.add((kind, called))
        return True

    return does


def _create_type(field: str) -> Callable[[Sending, Any], bool]:
    def does(sending: Sending, node: Any) -> bool:
        name = sending.name_of(getattr(node, field))
        sending.is_free(name, or_not=False)
        sending.catalog.types.add(name)
        return True

    return does


def _create_sequence(sending: Sending, node: Any) -> bool:
    name = sending.name(node.sequence)
    if node.sequence.relpersistence == TEMPORARY or not sending.is_free(name, or_not=node.if_not_exists):
        return False
    sending.catalog.relations[name] = Relation("sequence", name)
    return True


def _alter_enum(sending: Sending, node: Any) -> bool:
    sending.type(node.type_name)
    return True


def _insert(sending: Sending, node: Any) -> bool:
    sending.reads(node)
    sending.columns(sending.relation(node.relation), (one.res_target.name for one in node.cols))
    return True


def _update(sending: Sending, node: Any) -> bool:
    sending.reads(node)
    sending.columns(sending.relation(node.relation), (one.res_target.name for one in node.target_list))
    return True


def _query(sending: Sending, node: Any) -> bool:
    sending.reads(node)
    return True


def _select(sending: Sending, node: Any) -> bool:
    if not node.HasField("into_clause"):
        return _query(sending, node)
    made = node.into_clause.rel
    sending.reads(node, but_not=made.relname)
    if made.relpersistence == TEMPORARY:
        sending.catalog.temporary.add(made.relname)
        return True
    name = sending.name(made)
    sending.is_free(name, or_not=False)
    sending.catalog.relations[name] = Relation("table", name)
    return True


_DOES: dict[str, Callable[[Sending, Any], bool]] = {
    "create_stmt": create_table,
    "create_table_as_stmt": _create_as,
    "create_seq_stmt": _create_sequence,
    "create_enum_stmt": _create_type("type_name"),
    "create_domain_stmt": _create_type("domainname"),
    "create_trig_stmt": _create_on_table("trigger", "trigname", "relation"),
    "create_policy_stmt": _create_on_table("policy", "policy_name", "table"),
    "rule_stmt": _create_on_table("rule", "rulename", "relation"),
    "alter_table_stmt": alter_table,
    "alter_object_schema_stmt": _set_schema,
    "alter_enum_stmt": _alter_enum,
    "rename_stmt": _rename,
    "drop_stmt": _drop,
    "index_stmt": _create_index,
    "view_stmt": _create_view,
    "insert_stmt": _insert,
    "update_stmt": _update,
    "delete_stmt": _query,
    "select_stmt": _select,
}
