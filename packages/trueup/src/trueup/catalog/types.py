"""Which types hold every value of another, as format_type writes them."""

from __future__ import annotations

import re

_INTEGERS = ("smallint", "integer", "bigint")
_MODIFIED = re.compile(r"(?P<name>[a-z ]+?)\((?P<size>\d+)(?:,(?P<scale>\d+))?\)(?P<rest>.*)")
_WITH_SIZE = {"character varying", "bit varying", "numeric", "time", "timestamp", "interval"}
_TEXTS = ("character varying", "text")


def widens(found: str, wanted: str) -> bool:
    """True where every value of the type found is one of the type wanted."""
    if found == wanted:
        return True
    if found in _INTEGERS and wanted in _INTEGERS:
        return _INTEGERS.index(found) < _INTEGERS.index(wanted)
    (name, size, scale, rest), other = _parsed(found), _parsed(wanted)
    if name not in _WITH_SIZE and name not in _TEXTS:
        return False
    if other[0] == "text" and name in _TEXTS:
        return True
    if (name, rest) != (other[0], other[3]):
        return False
    return other[1] is None or (size is not None and size <= other[1] and scale == other[2])


def widens_in_place(found: str, wanted: str) -> bool:
    """True where, besides, no table is rewritten for it: for texts."""
    return widens(found, wanted) and found.startswith(_TEXTS)


def _parsed(type_: str) -> tuple[str, int | None, int, str]:
    match = _MODIFIED.fullmatch(type_)
    if not match:
        name, _, rest = type_.partition(" with")
        return name, None, 0, " with" + rest if rest else ""
    return match["name"], int(match["size"]), int(match["scale"] or 0), match["rest"]
