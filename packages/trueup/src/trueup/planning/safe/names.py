"""Names as the server makes them up."""

from __future__ import annotations

from trueup.catalog.keys import own_name, quoted, unquoted

_LONGEST = 63


def made_up(table: str, columns: str, label: str) -> str:
    """`table_columns_label`; the longer of the first two is cut until all fits, as the server does it."""
    one, two = own_name(table).encode(), unquoted(columns).encode()
    room = _LONGEST - len(label) - (2 if two else 1)
    while len(one) + len(two) > room:
        one, two = (one[:-1], two) if len(one) > len(two) else (one, two[:-1])
    names = [text.decode(errors="ignore") for text in (one, two) if text]
    return quoted("_".join([*names, label]))
