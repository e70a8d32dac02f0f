"""In which order missing facts can be made: by kind, then as the chain made them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from trueup.catalog.keys import identity_of, kind_of

_ORDER = (
    ("role",),
    ("schema",),
    ("extension",),
    ("enum", "domain", "type"),
    ("domain constraint",),
    ("sequence",),
    ("early function",),
    ("table",),
    ("partition",),
    ("column", "collation"),
    ("function", "procedure", "aggregate", "view", "materialized view"),
    ("sequence owner",),
    ("default", "generated"),
    ("not null",),
    ("identity",),
    ("key",),
    ("check",),
    ("foreign key",),
    ("index",),
    ("valid",),
    ("validated",),
    ("trigger",),
    ("trigger state", "policy", "rule", "statistics"),
    ("row security", "storage", "replica identity", "cluster on"),
    ("comment on",),
)
_VIEWS = ("view ", "materialized view ")
_RANK = {kind: rank for rank, kinds in enumerate(_ORDER) for kind in kinds}


def in_order(
    keys: Mapping[str, str | None],
    made_by: Callable[[str], int],
    *,
    early_functions: frozenset[str] = frozenset(),
) -> list[str]:
    """The keys so that each comes after what it needs; `made_by` is the step that last made the fact."""

    def place(key: str) -> tuple[int, int, str]:
        return _RANK[_order_kind(key, keys[key], early_functions)], made_by(key), key

    return _views_after_what_they_read(sorted(keys, key=place), keys)


def _views_after_what_they_read(ordered: list[str], values: Mapping[str, str | None]) -> list[str]:
    """Among views, the order in which the chain last touched them may not be the one in which they can be made."""
    views = {identity_of(key): key for key in ordered if key.startswith(_VIEWS) and values[key]}
    placed: dict[str, None] = {}

    def put(key: str) -> None:
        if key in placed:
            return
        if key in views.values():
            text = values[key] or ""
            waiting.add(key)
            for identity, other in views.items():
                if other not in waiting and identity in text:
                    put(other)
            waiting.discard(key)
        placed[key] = None

    waiting: set[str] = set()
    for key in ordered:
        put(key)
    return list(placed)


def _order_kind(key: str, value: str | None, early_functions: frozenset[str]) -> str:
    kind = kind_of(key)
    if key in early_functions:
        return "early function"
    if kind != "constraint" or value is None:
        return "check" if kind == "constraint" else kind
    if value.startswith("FOREIGN KEY"):
        return "foreign key"
    return "check" if value.startswith("CHECK") else "key"
