"""In which order missing facts can be made: by kind, then as the chain made them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from trueup.catalog.keys import identity_of, kind_of, own_name

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
    ("generated column",),
    ("function", "procedure", "aggregate", "view", "materialized view"),
    ("sequence owner",),
    ("default", "generated"),
    ("not null",),
    ("identity", "numbering", "options"),
    ("key",),
    ("check",),
    ("foreign key",),
    ("index",),
    ("valid",),
    ("validated",),
    ("trigger",),
    ("trigger state", "policy", "rule", "statistics"),
    ("row security", "storage", "replica identity", "cluster on"),
    ("comment on", "privileges", "default privileges"),
)
_NAMING = ("view ", "materialized view ", "function ", "procedure ", "aggregate ")
_RANK = {kind: rank for rank, kinds in enumerate(_ORDER) for kind in kinds}


def in_order(
    keys: Mapping[str, str | None],
    made_by: Callable[[str], int],
    *,
    early_functions: frozenset[str] = frozenset(),
    needs: Callable[[str], str] = lambda _: "",
) -> list[str]:
    """The keys so that each comes after what it needs.

    `made_by` is the step that last made a fact; `needs` the text in which a view or a function names what it needs.
    """

    def place(key: str) -> tuple[int, int, str]:
        return _RANK[_order_kind(key, keys, early_functions)], made_by(key), key

    return _after_what_they_name(sorted(keys, key=place), needs)


def _after_what_they_name(ordered: list[str], needs: Callable[[str], str]) -> list[str]:
    """Among views and functions, the order in which the chain last touched them may not be one that works."""
    names = {key: _short_name(key) for key in ordered if key.startswith(_NAMING)}
    placed: dict[str, None] = {}
    waiting: set[str] = set()

    def put(key: str) -> None:
        if key in placed or key in waiting:
            return
        if key in names:
            waiting.add(key)
            text = needs(key)
            for other, name in names.items():
                if other != key and name in text and not (name == names[key] and _is_its_own(key, other, text)):
                    put(other)
        placed[key] = None

    for key in ordered:
        put(key)
    return list(placed)


def _is_its_own(key: str, other: str, text: str) -> bool:
    """True where a name that both have may stand there for the one that is made, and for nothing else.

    An aggregate `max` is made of the function `max`; a function `calls` may return the rows of the view `calls`.
    """
    if key.startswith("aggregate "):
        return False
    of_view = key.startswith("function ") and kind_of(other) in ("view", "materialized view")
    return not of_view or text.count(_short_name(key)) == 1


def _short_name(key: str) -> str:
    return own_name(identity_of(key))


def _order_kind(key: str, keys: Mapping[str, str | None], early_functions: frozenset[str]) -> str:
    kind, value = kind_of(key), keys[key]
    if key in early_functions:
        return "early function"
    if kind == "column" and f"generated {identity_of(key)}" in keys:  # of other columns
        return "generated column"
    if kind == "index" and value and value.startswith("UNIQUE "):  # a foreign key may refer to its columns
        return "key"
    if kind != "constraint" or value is None:
        return "check" if kind == "constraint" else kind
    if value.startswith("FOREIGN KEY"):
        return "foreign key"
    return "check" if value.startswith("CHECK") else "key"
