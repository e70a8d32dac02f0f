"""What the rows of a partition meet, as the server would write it, before there is one."""

from __future__ import annotations

import re
from typing import Any

from trueup.catalog.keys import unquoted
from trueup.chain.grammar import expression, parse_statements
from trueup.planning.safe.model import Work

_KEY = re.compile(r"^PARTITION BY (?P<how>LIST|RANGE) \((?P<column>[^\s(),]+|\"(?:[^\"]|\"\")+\")\)")
_ENDLESS = ("minvalue", "maxvalue")


def condition_of(work: Work, bound: str) -> str:
    """The condition for rows of a partition of `work.table`; empty where it cannot be told.

    It can for LIST and RANGE by one column. What the server does not recognise in it, it checks itself.
    """
    match = _KEY.match(work.facts.get(f"table {work.table}") or "")
    kind = match and work.facts.get(f"column {work.table}.{match['column']}")
    if not match or not kind or not bound.startswith("FOR VALUES"):
        return ""
    (statement,) = parse_statements(f"CREATE TABLE one PARTITION OF other {bound}")
    spec, column = statement.node.partbound, match["column"]
    if match["how"] == "LIST":
        values = [expression(datum) for datum in spec.listdatums]
        if "NULL" in values:
            return ""
        listed = ", ".join(f"CAST({value} AS {kind})" for value in values)
        return f"{column} IS NOT NULL AND {column} = ANY (ARRAY[{listed}])"
    ends = ((">=", spec.lowerdatums), ("<", spec.upperdatums))
    found = [f"{column} IS NOT NULL"]
    for sign, (datum, *_) in ends:
        if not _is_endless(datum):
            found.append(f"{column} {sign} CAST({expression(datum)} AS {kind})")
    return " AND ".join(found)


def _is_endless(datum: Any) -> bool:
    """MINVALUE or MAXVALUE."""
    fields = datum.column_ref.fields
    return len(fields) == 1 and unquoted(fields[0].string.sval).lower() in _ENDLESS
