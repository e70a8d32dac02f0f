"""Which facts can be replaced by others without a row losing a value."""

from __future__ import annotations

from trueup.catalog import enums
from trueup.catalog.types import widens_in_place

_LOSSLESS = {
    *("default", "constraint", "function", "procedure", "view", "trigger", "index", "policy", "rule", "trigger state"),
    *("storage", "row security", "replica identity", "statistics", "comment on", "not null", "enum", "sequence owner"),
    *("options", "numbering", "privileges", "default privileges"),
}


def lacks_some(key: str, found: str, wanted: str) -> bool:
    """A foreign key without its actions, what is not enforced, an index not unique, some options or labels."""
    if key.startswith("options "):
        return set(found.split("; ")) < set(wanted.split("; "))
    if key.startswith("enum "):
        return enums.is_part_of(found, wanted)
    if key.startswith("index "):
        return wanted == f"UNIQUE {found}"
    if found == f"{wanted} NOT ENFORCED":
        return True
    return found.startswith("FOREIGN KEY") and wanted.startswith(f"{found} ON ")


def is_lossless(kind: str, found: str, wanted: str) -> bool:
    """True where a fact of this kind can get another value without a row losing one."""
    if kind == "enum" and (not enums.has_all(wanted, found) or enums.has_all(found, wanted)):
        return False  # labels can only be added
    return kind in _LOSSLESS or (kind == "column" and widens_in_place(found, wanted))
