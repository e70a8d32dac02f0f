"""What a later step has made early and what now stands in a step's way: the server would refuse it.

Where nothing is lost by it, such things are set aside while the step runs, in the same transaction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence

from trueup.catalog import enums
from trueup.catalog.keys import TYPES, identity_of, kind_of, mentions, owner_of, parts, table_of, table_touched
from trueup.catalog.references import foreign_key
from trueup.chain.model import Effect, Step
from trueup.decide.anchor import ROWLESS
from trueup.decide.trajectory import Trajectories, Value

_DEFINED_ON_COLUMNS = ("view", "materialized view", "policy", "trigger", "rule")
_ON_COLUMNS = ("index ", "valid ", "constraint ", "validated ", "view ", "policy ", "trigger ", "statistics ")
_VIEWS = ("view", "materialized view")
_DROPPED = ("table", "enum", "type", "domain", "function", "procedure")
_FUNCTIONS = ("function ", "procedure ")
_HELPERS = (*TYPES, "table", "column")
_ASKED_FOR = re.compile(r"\bIF\s+(?:NOT\s+)?EXISTS\b", re.IGNORECASE)


def early_holders(step: Step, effect: Effect, early: Iterable[tuple[str, str]], now: Mapping[str, Value]) -> list[str]:
    """The facts that hang on what the step drops or retypes.

    Args:
        step: A step that is to run as written.
        effect: What it does.
        early: Facts that are there, but only later steps make.
        now: The database just before the step.
    """
    if re.search(r"\bcascade\b", step.sql, re.IGNORECASE):
        return []
    dropped = set(_dropped(step, effect))
    renames = step.tags == ("rename_stmt",)
    touched = set() if renames else {key for key in effect.gone if key.startswith("column ")}
    for part in (*effect.parts, effect):
        touched |= set(_retyped(part, now))
    if not (dropped or touched):
        return []
    values = dict(early)
    found = [key for key, value in values.items() if _hangs(key, value, dropped, touched)]
    views = {key: value for key, value in values.items() if kind_of(key) in _VIEWS and key not in found}
    for holder in found:  # views on views come behind them
        found += [key for key, value in views.items() if key not in found and reads(value, identity_of(holder))]
    return found


def takes(step: Step, effect: Effect, key: str, value: Value) -> bool:
    """True where the step, run as written, takes away or replaces a fact that is as a later step makes it."""
    if value is None:
        return False
    if not key.startswith(_ON_COLUMNS) or mentions(step.sql, identity_of(key)):
        return True
    gone = [identity_of(fact) for fact in effect.gone if fact.startswith(("table ", "column "))]
    return any(table_touched(key, value) == name or mentions(value, name) for name in gone)


def go_along(step: Step, effect: Effect, early: Iterable[str], now: Mapping[str, Value]) -> list[str]:
    """The facts of tables that a statement of the step drops, if only to make them again; `early` are some facts."""
    dropped = tables_taken("drop_stmt", step, effect)
    return [key for key in early if table_touched(key, now.get(key)) in dropped] if dropped else []


def tables_taken(how: str, step: Step, effect: Effect, positions: Collection[int] | None = None) -> set[str]:
    """The tables that statements of one kind take away: all of the step, or those at these positions."""
    parts = enumerate(zip(step.tags, effect.parts or (effect,), strict=False))
    taking = (one for at, (tag, one) in parts if tag == how and (positions is None or at in positions))
    return {table for one in taking for table in tables_gone(one)}


def tables_gone(effect: Effect) -> set[str]:
    """The tables that a step or a statement takes away, or that go by another name behind it."""
    return {identity_of(key) for key in effect.gone if key.startswith("table ")}


def goes_by_itself(key: str, step: Step, effect: Effect) -> bool:
    """True for what goes only along with something that the step drops: that it is gone says nothing of the step."""
    is_plain = not step.opaque and kind_of(key) in ROWLESS
    return is_plain and key in effect.gone and not mentions(step.sql, identity_of(key))


def goes_with_its_owner(key: str, step: Step, effect: Effect) -> bool:
    """True for what goes with the table or column that the step drops, whatever it has become by then."""
    only_drops = all(tag in ("drop_stmt", "alter_table_stmt") for tag in step.tags)
    return only_drops and kind_of(key) in ROWLESS and key in effect.gone and owner_of(key) in effect.gone


def early_helpers(step: Step, index: int, paths: Trajectories, passing: Mapping[str, str]) -> list[str]:
    """What the step makes only on its way, and what is here already as a later step makes it on its own.

    Args:
        step: The step.
        index: Which one it is.
        paths: The chain's effects.
        passing: What is here of all that steps make and take away again.
    """
    parts_of = paths.effects[index].parts if passing else ()
    made = {key for part in parts_of for key in part.set if key in passing and kind_of(key) in _HELPERS}
    if not made or _ASKED_FOR.search(step.sql):
        return []
    later = {(key, value) for e in paths.effects[index + 1 :] for part in e.parts for key, value in part.set.items()}
    return [key for key in sorted(made) if (key, passing[key]) in later]


def is_needed(key: str, now: Mapping[str, Value]) -> bool:
    """True where rows are in it, or something that is there names it."""
    if kind_of(key) not in TYPES:
        return True
    return any(value is not None and mentions(f"{one} {value}", identity_of(key)) for one, value in now.items())


def renames_of(step: Step, effect: Effect) -> Iterator[Effect]:
    """What each statement of a step does that renames."""
    pairs = zip(step.tags, effect.parts or (effect,), strict=False)
    return (part for tag, part in pairs if tag == "rename_stmt")


def is_under_both_names(rename: Effect, before: Callable[[str], Value], now: Mapping[str, Value]) -> bool:
    """True where something is called already as a rename is to call it: nobody knows which of the two is meant.

    Args:
        rename: What the statement does.
        before: A fact's value in the chain just before it. What a rename only changes, as a foreign key, has one.
        now: The database just before it.
    """
    kinds = {kind_of(key) for key in rename.gone}
    made = (key for key in rename.set if kind_of(key) in kinds and before(key) is None)
    return any(now.get(key) is not None for key in made)


def row_bearing(effect: Effect, index: int, paths: Trajectories, now: Mapping[str, Value]) -> tuple[set[str], set[str]]:
    """What a step takes away or retypes of what rows are in, and the tables and columns that it brings beside that.

    So for an enum that is swapped: labels change their order, or go, only with the rows that have them.
    """
    bearing = {key: value for key, value in effect.set.items() if key.startswith(("table ", "column "))}
    removes = {key for key in effect.gone if key.startswith(("table ", "column "))}
    added = {key for key in bearing if paths.value_at(key, index) is None}
    for key in bearing.keys() - added:
        if key.startswith("column ") and now.get(key) not in (None, bearing[key]):
            removes.add(key)
    removes |= {key for key, value in effect.set.items() if _is_swapped(key, value, paths.value_at(key, index), now)}
    return (removes, added) if removes else (set(), set())


def _is_swapped(key: str, value: str, was: Value, now: Mapping[str, Value]) -> bool:
    """True for an enum that is still to become another than labels added to it can make of it."""
    if not key.startswith("enum ") or was is None or now.get(key) in (None, value):
        return False
    return not enums.is_part_of(was, value)


def drops_alone(
    step: Step, effect: Effect, missing: Sequence[str], healed: Mapping[str, Value], paths: Trajectories
) -> str:
    """The statement that takes away columns, where all that is missing of a step is to drop some that this run makes.

    Args:
        step: A step that is partly there.
        effect: What it does.
        missing: Its facts that are not there.
        healed: The database before the first step of the run: what is not there has no rows.
        paths: The chain's facts.
    """
    columns = [key for key in missing if key.startswith("column ")]
    with_them = all(key in effect.gone and (key in columns or owner_of(key) in columns) for key in missing)
    own = all(healed.get(key) is None and key not in paths.renamed_from for key in columns)
    if step.tags != ("alter_table_stmt",) or not (columns and with_them and own):
        return ""
    dropped = (f"DROP COLUMN {parts(identity_of(key))[-1]}" for key in columns)
    return f"ALTER TABLE {table_of(columns[0])} {', '.join(dropped)}"


def views_of(holders: Iterable[str]) -> list[str]:
    """Those of them that have no rows of their own, the last first: as they can be dropped."""
    return [key for key in holders if key.startswith("view ")][::-1]


def gone_for_good(holder: str, effect: Effect, now: Mapping[str, Value]) -> bool:
    """True where what the fact hangs on is not there any more when the step has run: it could not be made again."""
    gone = {key for key in effect.gone if kind_of(key) in _DROPPED}
    columns = {key for key in effect.gone if key.startswith("column ")}
    return _hangs(holder, now.get(holder) or "", gone, columns)


def with_leaves(holders: Iterable[str], now: Mapping[str, Value]) -> dict[str, str]:
    """These facts, and those that go when they go: their values, to make them again from."""
    found: dict[str, str] = {}
    for holder in holders:
        leaves = ((key, value) for key, value in now.items() if value is not None and _is_leaf(key, value, holder))
        found |= {key: value for key, value in ((holder, now.get(holder)), *leaves) if value is not None}
    comments = ((key, now.get(key)) for key in [f"comment on {key}" for key in found if not key.startswith("column ")])
    return found | {key: value for key, value in comments if value is not None}


def _is_leaf(key: str, value: str, holder: str) -> bool:
    identity = identity_of(holder)
    if holder.startswith("column "):  # it stays; only what its type has to do with is taken off
        return key == f"default {identity}"
    if owner_of(key) == holder:
        return True
    if not holder.startswith(_VIEWS):
        return False
    of_column = (f"comment on column {identity}.", f"privileges column {identity}.")
    return key.startswith(of_column) or (key.startswith("index ") and table_touched(key, value) == identity)


def _hangs(key: str, value: str, dropped: set[str], touched: set[str]) -> bool:
    kind = kind_of(key)
    if kind == "constraint":
        reference = foreign_key(value)
        return reference is not None and f"table {reference.parent}" in dropped and table_of(key) != reference.parent
    if kind == "trigger" and any(
        gone.startswith(_FUNCTIONS) and mentions(value, identity_of(gone)) for gone in dropped
    ):
        return True
    if kind == "column":
        return any(is_of_type(value, identity_of(gone)) for gone in dropped if kind_of(gone) in TYPES)
    if kind in _VIEWS and any(reads(value, identity_of(gone)) for gone in dropped if gone.startswith("table ")):
        return True
    return kind in _DEFINED_ON_COLUMNS and any(hangs_on(key, value, column) for column in touched)


def may_name(column: str, text: str, used: Container[str]) -> bool:
    """True where a step of this text, which uses these tables, names the column, or all that its tables have."""
    return table_of(f"column {column}") in used and ("*" in text or mentions(text, column))


def reads(value: str, relation: str) -> bool:
    """True where a definition, such as a view's, names the table, view or type with its schema."""
    return re.search(rf'(?<![\w".]){re.escape(relation)}(?![\w"])', value) is not None


def is_of_type(value: str, name: str) -> bool:
    """True for a column of the type, or of a list of it; a type in `public` may be told without its schema."""
    return value.removesuffix("[]") in (name, name.removeprefix("public."))


def _dropped(step: Step, effect: Effect) -> Iterator[str]:
    """Tables, types and functions that the step really drops, by the names that they have before it.

    To make a new one, move everything over, rename the old one away and drop it looks like no drop from outside.
    """
    parts_of = effect.parts or (effect,)
    tags = step.tags if effect.parts else step.tags[-1:]
    before: dict[str, str] = {}
    for part, tag in zip(parts_of, tags, strict=False):
        gone = [key for key in part.gone if kind_of(key) in _DROPPED]
        if tag == "rename_stmt":
            made = [key for key in part.set if kind_of(key) in _DROPPED]
            if len(gone) == len(made) == 1:
                before[made[0]] = before.pop(gone[0], gone[0])
        elif tag == "drop_stmt" or not effect.parts:
            yield from (before.get(key, key) for key in gone)


def _retyped(effect: Effect, now: Mapping[str, Value]) -> Iterator[str]:
    for key, value in effect.set.items():
        if key.startswith("column ") and now.get(key) not in (None, value):
            yield key


def hangs_on(key: str, value: str, column: str) -> bool:
    """True where a fact is on the column's table, or names it, and names the column."""
    table = table_of(column)
    on_it = table_of(key) == table or mentions(value, table)
    return on_it and mentions(value, identity_of(column))
