"""A constraint or an index with the wanted definition under a name that the chain never uses satisfies the fact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from trueup.catalog.keys import identity_of, index_table, kind_of, own_name, parts, table_of, table_touched, unquoted
from trueup.chain.model import Facts
from trueup.decide.trajectory import Trajectories, Value

_LEAVES = {"constraint": "validated", "index": "valid"}


def with_aliases(live: Mapping[str, str], paths: Trajectories) -> tuple[Facts, dict[str, str]]:
    """The live facts under the chain's names, and a map from the chain's key to the key here.

    One object satisfies one fact, and exact names come first.
    """
    live = _under_later_names(_with_owners(live, paths), paths)
    unclaimed: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for key, value in live.items():
        if key.startswith(("constraint ", "index ")) and key not in paths.of:
            unclaimed[_place(key, value)].append(key)
    if not unclaimed:
        return dict(live), {}
    named = dict(live)
    renamed: dict[str, str] = {}
    for key, trajectory in sorted(paths.of.items(), key=_final_first):
        if key in live or not key.startswith(("constraint ", "index ")):
            continue
        for _, wanted in reversed(trajectory):
            candidates = unclaimed.get(_place(key, wanted)) if wanted is not None else None
            if candidates:
                _claim(key, candidates.pop(0), named, renamed)
                break
    _name_clusters(named, renamed)
    return named, renamed


def _under_later_names(live: Mapping[str, str], paths: Trajectories) -> Mapping[str, str]:
    """What is early on a table that a later step renames or moves, as steps behind that one make it."""
    renamed = {(table_of(old), table_of(new)) for new, (old, _) in paths.renamed_from.items()}
    later = {old: new for old, new in renamed if old != new and _is_to_come(old, new, live, paths)}
    if not later:
        return live
    named = {}
    for key, value in live.items():
        table = later.get(table_touched(key, value), "") if paths.last_place(key, value) < 0 else ""
        called = key.replace(table_touched(key, value), table, 1) if table and table_of(key) else key
        said = value.replace(table_touched(key, value), table, 1) if table and kind_of(key) == "index" else value
        is_known = paths.last_place(called, said) >= 0
        named[called if is_known else key] = said if is_known else value
    return named


def _is_to_come(old: str, new: str, live: Mapping[str, str], paths: Trajectories) -> bool:
    """True where a table still has the name from before a rename; not where the chain drops what it renames."""
    is_before = f"table {old}" in live and f"table {new}" not in live
    return is_before and paths.value_at(f"table {new}", len(paths.effects)) is not None


def _name_clusters(named: Facts, renamed: Mapping[str, str]) -> None:
    """A table is clustered on an index, whatever that is called here."""
    here = {own_name(found): parts(identity_of(key))[-1] for key, found in renamed.items()}
    for key, value in named.items() if here else ():
        if key.startswith("cluster on ") and unquoted(value) in here:
            named[key] = here[unquoted(value)]


def _with_owners(live: Mapping[str, str], paths: Trajectories) -> Mapping[str, str]:
    """An owner may do everything, so it has whatever the chain last grants it."""
    owned = [key for key, value in live.items() if value == "*" and key.startswith("privileges ")]
    if not owned:
        return live
    named = dict(live)
    for key in owned:
        granted = [value for _, value in paths.of.get(key, ()) if value is not None]
        del named[key]
        if granted:
            named[key] = granted[-1]
    return named


def _final_first(item: tuple[str, list[tuple[int, Value]]]) -> tuple[bool, int]:
    """Names that the chain ends with come before those it gave up on the way, and late ones before early ones."""
    place, value = item[1][-1]
    return value is None, -place


def _place(key: str, value: str) -> tuple[str, str, str]:
    kind = kind_of(key)
    return kind, index_table(value) if kind == "index" else table_of(key), value


def _claim(key: str, found: str, named: Facts, renamed: dict[str, str]) -> None:
    renamed[key] = found
    named[key] = named.pop(found)
    for prefix, name, here in (
        (_LEAVES[kind_of(key)], identity_of(key), identity_of(found)),
        ("comment on", key, found),
    ):
        if f"{prefix} {here}" in named:
            named[f"{prefix} {name}"] = named.pop(f"{prefix} {here}")
