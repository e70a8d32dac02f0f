"""Renames of later steps that are done here already, while steps before them still need the old names.

The steps are decided on as if those renames were still to come. A constraint or an index is given its old name back,
and so is an enum that a step of several statements renames away on its way. A table, a column or a label of an enum is
only lent it: each step that needs the old name has it for its own transaction, so that nobody else ever sees it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from trueup.catalog import enums
from trueup.catalog.keys import identity_of, mentions, parts, table_of, table_touched
from trueup.chain.model import Effect, Facts, Step, writes_rows
from trueup.decide.trajectory import Trajectories, Value, fold

_RENAMES = {("rename_stmt",), ("alter_object_schema_stmt",), ("alter_enum_stmt",)}
_SEEN = ("table ", "column ")
_FUNCTIONS = ("function ", "procedure ")
_VIEWS = ("view ", "materialized view ")


class Lent(NamedTuple):
    """One such rename: the step's index, and the object's key before and after it; of a label the quoted `enum`'s.

    Where the step does more than that, the rename is `within` it, and the step is still to be run as a whole.
    """

    index: int  # type: ignore[assignment]  # instead of the method of tuples
    old: str
    new: str
    enum: str = ""
    within: bool = False

    @property
    def is_column(self) -> bool:
        """A column, or else a table, a constraint, an index or an enum."""
        return self.old.startswith("column ")

    @property
    def is_seen(self) -> bool:
        """True where applications use the name: of a table, a column or a label."""
        return bool(self.enum) or self.old.startswith(_SEEN)

    def statement(self, *, back: bool) -> str:
        """The rename as the step does it, or back to the old name."""
        before, after = (self.new, self.old) if back else (self.old, self.new)
        if self.enum:
            return f"ALTER TYPE {identity_of(self.enum)} RENAME VALUE {before} TO {after}"
        was, now = parts(identity_of(before)), parts(identity_of(after))
        if was[0] != now[0]:
            return f"ALTER TABLE {table_of(before)} SET SCHEMA {now[0]}"
        what = f"RENAME COLUMN {was[-1]} TO" if self.is_column else "RENAME TO"
        return f"ALTER TABLE {table_of(before)} {what} {now[-1]}"


def renamed_early(
    steps: Sequence[Step], paths: Trajectories, live: Mapping[str, str], done: Iterable[int]
) -> list[Lent]:
    """The renames that are done here although their steps are not taken as done, in the chain's order."""
    settled, there = frozenset(done), set(live)
    if not any("rename_stmt" in step.tags or step.tags in _RENAMES for i, step in enumerate(steps) if i not in settled):
        return []
    wanted = fold(paths.effects, sorted(settled), paths.base)
    labels = {key: set(enums.labels(live[key])) for key in live if key.startswith("enum ")}
    found = []
    for index in range(len(steps) - 1, -1, -1):  # backwards: what was renamed twice goes by its last name
        if index in settled:
            continue
        for one in _renames(index, steps[index], paths, live, wanted):
            if one.new in there and one.old not in there:
                found.append(one)
                there = _with_old_name(one, there)
        label = _renamed_label(index, paths) if steps[index].tags in _RENAMES else None
        if label and _is_wanted(label, live, paths, (steps[one] for one in range(index) if one not in settled)):
            there_now = labels.get(label.enum, set())
            if label.new in there_now and label.old not in there_now:
                found.append(label)
                labels[label.enum] = there_now - {label.new} | {label.old}
    return found[::-1]


def _with_old_name(lent: Lent, there: set[str]) -> set[str]:
    """The facts that are there, by their keys before the rename: the object's, and those of a table's columns."""
    if not lent.old.startswith("table "):
        return there - {lent.new} | {lent.old}
    old, new = identity_of(lent.old), identity_of(lent.new)
    own = {key for key in there if table_of(key) == new}
    return there - own | {key.replace(new, old, 1) for key in own}


def _renames(
    index: int, step: Step, paths: Trajectories, live: Mapping[str, str], wanted: Mapping[str, Value]
) -> Iterator[Lent]:
    """The objects that a step renames, from its last statement on, and that are not wanted by their new names yet."""
    if away := _renamed_away(index, step, paths, live):
        yield away
    renamed = _renamed_within(index, step, paths)
    if step.tags in _RENAMES and (names := _renamed(paths.effects[index])) != ("", ""):
        renamed = iter([Lent(index, *names)])
    renamed = (one for one in renamed if not one.old.startswith("enum ") or wanted.get(one.old) is not None)
    yield from (one for one in renamed if wanted.get(one.new) is None)


def _renamed_within(index: int, step: Step, paths: Trajectories) -> Iterator[Lent]:
    """The renames of a step of several statements, from the last on, that it does not undo itself.

    And those of a table or a column that it takes away behind that, where it has written no row before.
    """
    effect = paths.effects[index]
    for position in range(len(effect.parts) - 1, -1, -1):
        old, new = _renamed(effect.parts[position]) if step.tags[position] == "rename_stmt" else ("", "")
        is_kept = new in effect.set and (old in effect.gone or _is_of_its_table(old, step, effect.parts[:position]))
        goes = old.startswith(_SEEN) and _goes(new, effect.parts[position + 1 :])
        if is_kept or (goes and not any(map(writes_rows, step.tags[:position], step.statements[:position]))):
            yield Lent(index, old, new, within=True)


def _goes(key: str, behind: Sequence[Effect]) -> bool:
    return any(key in part.gone for part in behind)


def _is_of_its_table(column: str, step: Step, before: Sequence[Effect]) -> bool:
    """True for a column that one of the statements before has brought with its table, under another name for that."""
    return any(column in part.set and tag == "rename_stmt" for tag, part in zip(step.tags, before, strict=False))


def _renamed_away(index: int, step: Step, paths: Trajectories, live: Mapping[str, str]) -> Lent | None:
    """The enum that a step of several statements renames on its way, where only this of the step is done here."""
    if step.has_data:
        return None
    parts_of = paths.effects[index].parts
    for position, part in enumerate(parts_of):
        gone, made = (next((k for k in keys if k.startswith("enum ")), "") for keys in (part.gone, part.set))
        if step.tags[position] != "rename_stmt" or not gone or not _goes(made, parts_of[position + 1 :]):
            continue
        before = (key for one in parts_of[:position] for key in one.set if _goes(key, parts_of[position:]))
        if made in live and paths.last_place(gone, live[made]) >= 0 and not any(key in live for key in before):
            return Lent(index, gone, made)
    return None


def _renamed_label(index: int, paths: Trajectories) -> Lent | None:
    """The label of an enum that a step renames."""
    for key, value in paths.effects[index].set.items():
        was = (key.startswith("enum ") and paths.value_at(key, index)) or ""
        before, after = enums.labels(was), enums.labels(value)
        changed = [pair for pair in zip(before, after, strict=False) if pair[0] != pair[1]]
        if len(before) == len(after) and len(changed) == 1:
            return Lent(index, *changed[0], enum=key)
    return None


def _is_wanted(label: Lent, live: Mapping[str, str], paths: Trajectories, before: Iterable[Step]) -> bool:
    """True where the enum is not as the chain ever has it, or a step that is to come before names the label."""
    return paths.last_place(label.enum, live.get(label.enum)) < 0 or any(label.old in step.sql for step in before)


def _renamed(effect: Effect) -> tuple[str, str]:
    """The keys of the one object that a step renames, before and after it."""
    for kind in ("enum ", *_SEEN, "constraint ", "index "):
        gone = [key for key in effect.gone if key.startswith(kind)]
        made = [key for key in effect.set if key.startswith(kind)]
        if len(gone) == len(made) == 1:
            return gone[0], made[0]
        if gone or made:
            break
    return "", ""


def as_before(lent: Sequence[Lent], live: Mapping[str, str], paths: Trajectories) -> Facts:
    """The facts as they were before these renames."""
    facts = dict(live)
    for one in reversed(lent):
        facts = _with_old_label(one, facts, paths) if one.enum else _before(one, facts, paths)
    return facts


def _with_old_label(lent: Lent, live: Mapping[str, str], paths: Trajectories) -> Facts:
    """The facts before a label was renamed: the enum, and what the rename changed, such as defaults."""
    effect = paths.effects[lent.index]
    facts = dict(live)
    for key, value in effect.set.items():
        if key == lent.enum:
            facts[key] = ", ".join(lent.old if one == lent.new else one for one in enums.labels(live[key]))
        elif live.get(key) == value and (was := paths.value_at(key, lent.index)) is not None:
            facts[key] = was
    return facts


def _before(lent: Lent, live: Mapping[str, str], paths: Trajectories) -> Facts:
    """The facts before one rename; what later steps have made early, under the new name, stays as it is."""
    effect = paths.effects[lent.index]
    table, name, new = table_of(lent.new), identity_of(lent.old), identity_of(lent.new)
    whole = re.compile(rf'(?<![\w".]){re.escape(new)}(?![\w"])')
    own, former = parts(new)[-1], parts(name)[-1]
    word = re.compile(rf'(?<![\w"]){re.escape(own)}(?: AS {re.escape(former)})?(?![\w"])')
    facts = {}
    for key, value in live.items():
        if paths.last_place(key, value) > lent.index + 1 and paths.value_at(key, lent.index + 1) != value:
            facts[key] = value
            continue
        if effect.set.get(key) == value and (was := paths.value_at(key, lent.index)) is not None:
            facts[key] = was
            continue
        said = whole.sub(name.replace("\\", "\\\\"), value)
        if lent.is_column and (table_touched(key, value) == table or _reads(key, value, table)):
            said = word.sub(former.replace("\\", "\\\\"), said)
        called = whole.sub(name.replace("\\", "\\\\"), key)
        if called != key and key.startswith(_FUNCTIONS):  # the text, of which the value is a hash, names it as well
            said = _last_made(called, lent.index, paths) or said
        facts[called] = said
    return facts


def _last_made(key: str, position: int, paths: Trajectories) -> str:
    """The last value that the fact was given up to this position; empty where there is none."""
    places = reversed(paths.of.get(key, ()))
    return next((value for place, value in places if value is not None and place <= position), "")


def _reads(key: str, value: str, table: str) -> bool:
    """A view, or a foreign key of another table, that names the table."""
    return (key.startswith(_VIEWS) or "REFERENCES" in value) and table in value


def needed_by(lent: Sequence[Lent], index: int, statements: Sequence[str]) -> list[Lent]:
    """Those of the renames that come after a step, or within it, and that its statements must not see yet."""
    text = "\n".join(statements)
    named: set[str] = set()
    found = []
    for one in lent:
        if one.index < index or (one.index == index and not one.within):
            continue
        if one.enum:
            if one.old in text or (one.enum + one.old) in named:
                found.append(one)
                named.add(one.enum + one.new)
            continue
        table = table_of(one.old)
        if table in named or mentions(text, table):
            found.append(one)
            named.add(table_of(one.new))
    return found
