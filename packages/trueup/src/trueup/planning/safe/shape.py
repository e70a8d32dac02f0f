"""Small questions about parse trees."""

from __future__ import annotations

from typing import Any


def name_of_enum(node: Any, field: str) -> str:
    """The grammar's name of an enumerated field's value."""
    return str(node.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number[getattr(node, field)].name)


def constraint_kind(node: Any) -> str:
    """What a Constraint node is, such as `CONSTR_CHECK`."""
    return name_of_enum(node, "contype")
