"""Where every fact stands on its own trajectory: at the anchor, further along, missing, or like nothing known."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from trueup.catalog.keys import (
    COLUMN_FACETS,
    TYPES,
    identity_of,
    kind_of,
    mentions,
    own_name,
    owner_of,
    parts,
    table_of,
    table_touched,
)
from trueup.catalog.references import foreign_key, on_delete, unique_columns
from trueup.chain.model import Effect
from trueup.chain.statements import filled_whole
from trueup.decide.given import Given
from trueup.decide.held import may_name
from trueup.decide.lossless import is_lossless, lacks_some
from trueup.decide.model import Difference
from trueup.decide.remade import of_other_columns
from trueup.decide.trajectory import Value, fold

_DISPENSABLE = {"not null", "default", "constraint", "validated", "index", "valid", "comment on", "storage", "options"}
_DELETES = re.compile(r"\b(?:DELETE|MERGE)\b", re.IGNORECASE)
_RENAMED = {"table", "column"}
"""Kinds whose value can be replaced without a row being lost."""

_Names = dict[str, list[tuple[str, str]]]
"""By table, columns that go by another name: that which they have now, and the one before."""


class Cursors:
    """The cursors of one decision.

    `wanted` is the state at the anchor, which may be in the middle of a step; `place` the later place of facts that are
    further along; `heal` the facts to make, with the step that gave them; `now` the database as it is when healed;
    `lost` what a person must look at; `passed` steps that have not changed a column's type, and the name that it has
    now.
    """

    def __init__(self, given: Given) -> None:
        self.locked, self.paths, self.live = given.locked, given.paths, given.live
        self.own, self.done = given.marks.own, given.done
        self.wanted = fold(self.locked.effects, given.anchor.done, self.locked.base)
        self.wanted |= fold(given.begun, range(len(given.begun)), {})
        self._made_within = given.made_within
        self._position = given.anchor.position
        self._ends: dict[str, int] = {}
        self.now: dict[str, Value] = dict(self.live)
        self.place: dict[str, int] = {}
        self.heal: dict[str, int] = {}
        self.lost: list[Difference] = []
        self.passed: dict[int, str] = {}
        for key in self.paths.of:
            self._put(key, self.wanted.get(key), self.live.get(key))

    def _put(self, key: str, wanted: Value, found: Value) -> None:
        if wanted == found:
            place = self._gone_ahead(key) if found is None else self._made_again_early(key, found)
        elif found is None:
            missing = self._missing_with(key)
            place = self._dropped_early(missing) or self._renamed_early(missing) or self._dropped_unused(missing)
        else:
            place = self._place_of(key, wanted, found)
            if not self._is_ahead(place):
                if wanted is not None and (place >= 0 or lacks_some(key, found, wanted) or self._is_older(key, found)):
                    self._hole(key, wanted, found)
                elif wanted is not None and (step := self.paths.step_not_run(key, found)) in self.done:
                    self.passed[step] = key
                elif wanted is not None and self._as_before_renames(key, found) == wanted:
                    self.now[key] = wanted
                return
        if place:
            self.place[key] = place
        elif found is None and wanted is not None and key not in self._made_within:  # the step makes it itself
            self._hole(key, wanted, found)

    def _place_of(self, key: str, wanted: Value, found: str) -> int:
        """Of the places of steps that make the value, one to come: the last, but for some the first.

        For what is on a table it is none behind a step that takes away its table of now; that a constraint or an index
        is valid goes with it.
        """
        place = self.paths.last_place(key, found)
        made = [(at, value) for at, value in self.paths.of[key] if self._is_ahead(at)]
        ahead = [at for at, value in made if value == found]
        if place < 0 and wanted is None:
            return of_other_columns(key, found, made, self.locked.steps) or place
        if not self._is_ahead(place):
            return place
        if key.startswith("extension ") or (wanted is not None and key.startswith("column ")):
            return ahead[0]
        if kind_of(key) in ("valid", "validated") and (there := self.live.get(owner := owner_of(key))) is not None:
            first = self._place_of(owner, self.wanted.get(owner), there)
            changed = min((at for at, _ in self.paths.of[owner] if at > first), default=place + 1)
            return max((at for at in ahead if first <= at < changed), default=place)
        if not owner_of(key).startswith(("table ", "column ")):
            return place
        gone = self.paths.taken_away(f"table {table_of(key)}", self._position, place)
        return max((at for at in ahead if at < gone), default=place)

    @cached_property
    def _renamed_ahead(self) -> _Names:
        """The columns that a later step has renamed here already."""
        pairs = ((new, old) for new, (old, step) in self.paths.renamed_from.items() if step not in self.done)
        return _by_table((new, old) for new, old in pairs if new in self.live and old not in self.live)

    @cached_property
    def _renamed_before(self) -> _Names:
        """The columns that a step of the prefix has renamed."""
        return _by_table((new, old) for new, (old, step) in self.paths.renamed_from.items() if step in self.done)

    def _as_before_renames(self, key: str, value: str) -> str:
        """A definition of a constraint or an index as it was before its columns got the names of a later step."""
        return _with_former(key, value, self._renamed_ahead)

    def _is_older(self, key: str, value: str) -> bool:
        """True for such a definition as it was before some step, but for the names that its columns got since."""
        is_one = kind_of(key) in ("constraint", "index")
        return is_one and self.paths.last_place(key, _with_former(key, value, self._renamed_before)) >= 0

    def _is_ahead(self, place: int) -> bool:
        """True for the places of steps that are not taken as done."""
        return place > 0 and place - 1 not in self.done

    def _gone_ahead(self, key: str) -> int:
        """The place of a step that takes away again what the making of its table, which is there early, brings."""
        if not self.live:
            return 0
        if place := self._became_constraint(key):
            return place
        owner = owner_of(key)
        while owner and owner_of(owner) and (owner not in self.live or not owner.startswith(("table ", "column "))):
            owner = owner_of(owner)
        early = self.live.get(owner) is not None and self.wanted.get(owner) is None
        if not early or self._first_made(key) != self._first_made(owner):
            return 0
        return self._dropped_early(key) or self._renamed_early(key) or self._dropped_unused(key)

    def _became_constraint(self, key: str) -> int:
        """The place of a later step that makes a constraint of an index, where that is there already."""
        index = owner_of(key) if key.startswith("valid ") else key
        for place, value in self.paths.of[key] if index.startswith("index ") else ():
            if value is None and self._is_ahead(place) and self._is_used_up(index, place):
                made = [(k, v) for k, v in self.locked.effects[place - 1].set.items() if k.startswith("constraint ")]
                there = [k for k, v in made if self.live.get(k) == v and self.wanted.get(k) != v]
                return place if there else 0
        return 0

    def _first_made(self, key: str) -> int:
        """The place of the first step to come that makes the fact."""
        return next((place for place, value in self.paths.of[key] if value is not None and self._is_ahead(place)), 0)

    def _dropped_early(self, key: str) -> int:
        """The place of the later step that takes away a fact which nothing needs until then; zero for all others.

        To make a constraint anew only for a later step to drop it could fail on rows, and gains nothing.
        """
        if kind_of(key) not in _DISPENSABLE or self._went_along(key):
            return 0
        after = [(place, value) for place, value in self.paths.of[key] if self._is_ahead(place)]
        after = [(place, value) for place, value in after if value is not None or not self._is_used_up(key, place)]
        if self.wanted.get(key) is None:  # made by a step that is still to come, then taken away
            made = next((place for place, value in after if value is not None), 0)
            after = [(place, value) for place, value in after if made and place > made]
        place = next((place for place, value in after if value is None), 0)
        made_anew = any(self._is_ahead(within) and within < place for within in self.paths.remade.get(key, ()))
        return 0 if made_anew or self._is_referred_to(key, place) or self._takes_rows_along(key, place) else place

    def _missing_with(self, key: str) -> str:
        """The index of which it says that it is valid, or the constraint, where that is missing too; else the fact."""
        owner = owner_of(key) if kind_of(key) in ("valid", "validated") else ""
        return owner if owner and self.wanted.get(owner) is not None and owner not in self.live else key

    def _is_referred_to(self, key: str, end: int) -> bool:
        """True for a key that a foreign key may need which is healed, or made by a step to come before that place."""
        value = self.wanted.get(key) or ""
        if not value.startswith(("UNIQUE", "PRIMARY KEY")):
            return False
        table, columns = table_touched(key, value), set(unique_columns(value))
        pending = (self.locked.effects[index] for index in range(end - 1) if index not in self.done)
        made = [one for e in pending for one in e.set.values()]
        lost = ((k, v) for k, v in self.wanted.items() if v and k not in self.live and v.startswith("FOREIGN KEY"))
        made += [one for key, one in lost if not self._dropped_early(key)]  # they are healed
        references = (reference for one in made if (reference := foreign_key(one)))
        return any(one.parent == table and columns in (set(), set(one.referred)) for one in references)

    def _takes_rows_along(self, key: str, end: int) -> bool:
        """True for a foreign key by which rows go, or change, with those that a step before that place deletes."""
        value = self.wanted.get(key) or ""
        reference = foreign_key(value) if on_delete(value) else None
        if reference is None:
            return False
        pending = (index for index in range(end - 1) if index not in self.done)
        of_parent = (index for index in pending if reference.parent in self.locked.effects[index].locks)
        return any(_DELETES.search(self.locked.steps[index].sql) for index in of_parent)

    def _is_used_up(self, key: str, place: int) -> bool:
        """True where the step renames it or what it is of, or makes a constraint of it: it has to be there for that."""
        step, effect = self.locked.steps[place - 1], self.locked.effects[place - 1]
        if key.startswith("index ") and "using index" in step.sql.lower() and mentions(step.sql, identity_of(key)):
            return True
        return any(
            tag == "rename_stmt" and key in part.gone
            for tag, part in zip(step.tags, effect.parts or (effect,), strict=False)
        )

    def _went_along(self, key: str) -> bool:
        """True where the table or a column that it is of is lost: nobody dropped just this. It comes again with it."""
        owner = owner_of(key)
        if owner.startswith(("column ", "table ")) and self._is_lost(owner):
            return True
        value = self.wanted.get(key) or ""
        named = ", ".join(reference.columns) if (reference := foreign_key(value)) else value
        return any(mentions(named, identity_of(column)) for column in self._lost.get(table_touched(key, value), ()))

    @cached_property
    def _lost(self) -> dict[str, list[str]]:
        """The columns, by table, that are wanted and not here."""
        found: dict[str, list[str]] = {}
        for key in self.paths.of:
            if key.startswith("column ") and self._is_lost(key):
                found.setdefault(table_of(key), []).append(key)
        return found

    def _is_lost(self, key: str) -> bool:
        there = self.wanted.get(key) is not None and self.live.get(key) is None
        return there and not self._renamed_early(key) and not self._dropped_unused(key)

    def _dropped_unused(self, key: str) -> int:
        """The place of the later step that takes a missing column away, where no step before that names it.

        What its rows had was not meant to stay: the step was run early. So for what is part of the column.
        """
        column = self._column_of(key)
        if not column or column in self.live or f"table {table_of(column)}" not in self.live:
            return self._numbered_anew(key, column)
        if column not in self._ends:
            self._ends[column] = 0  # as long as it is being asked
            self._ends[column] = self._end_of(column)
        return self._ends[column]

    def _numbered_anew(self, key: str, column: str) -> int:
        """The place of the later step that takes a serial's sequence away, where its column has an identity already."""
        identity = f"identity {identity_of(column)}" if column and key.startswith("sequence ") else ""
        if identity not in self.live or not self._is_ahead(self.paths.last_place(identity, self.live[identity])):
            return 0
        return next((at for at, value in self.paths.of[key] if value is None and self._is_ahead(at)), 0)

    def _column_of(self, key: str) -> str:
        """The column that it is, or is part of: a sequence goes when the column goes that owns it."""
        if kind_of(key) in ("column", *COLUMN_FACETS):
            return f"column {identity_of(key)}"
        is_sequence = kind_of(key) in ("sequence", "sequence owner")
        owner = self.wanted.get(f"sequence owner {identity_of(key)}") if is_sequence else None
        return f"column {owner}" if owner else ""

    def _end_of(self, column: str) -> int:
        place = next((at for at, value in self.paths.of.get(column, ()) if value is None and self._is_ahead(at)), 0)
        if not place or self.locked.steps[place - 1].has_data:
            return 0
        effect = self.locked.effects[place - 1]
        swaps = any(key.startswith(("table ", "column ")) for key in effect.set)
        with_it = [column] if effect.parts else [key for key in effect.gone if key.startswith("column ")]
        pending = [index for index in range(place - 1) if index not in self.done]
        is_kept = any(key in self.live or any(self._may_use(index, key) for index in pending) for key in with_it)
        return 0 if swaps or is_kept or self._is_to_compute(column, place) else place

    def _is_to_compute(self, column: str, end: int) -> bool:
        """True where another column that is to be made is computed from it."""
        for key in (key for key in self.paths.of if key.startswith("generated ") and table_of(key) == table_of(column)):
            made = (value for place, value in self.paths.of[key] if place < end and self._is_ahead(place))
            reads = any(value and mentions(value, identity_of(column)) for value in (self.wanted.get(key), *made))
            if reads and owner_of(key) not in self.live and not self._dropped_unused(owner_of(key)):
                return True
        return False

    def _may_use(self, index: int, column: str) -> bool:
        """True where a step names the column, or uses all that its table has."""
        step, table = self.locked.steps[index], table_of(column)
        if table not in self.locked.effects[index].locks:
            return False
        named = may_name(identity_of(column), step.sql, self.locked.effects[index].locks)
        return named or own_name(table) in filled_whole(step.statements)

    def _renamed_early(self, key: str) -> int:
        """The place of a later step that takes the fact away and whose table, column or type in its stead is there.

        Zero where there is none: then the fact is missing, even if the chain drops it later.
        """
        for place, value in self.paths.of[key]:
            if value is not None or not self._is_ahead(place):
                continue
            effect = self.locked.effects[place - 1]
            takers = [part for part in effect.parts if key in part.gone]
            if any(self._has_brought(taker, key, place) for taker in (effect, *takers)):
                return place
        return 0

    def _has_brought(self, effect: Effect, key: str, place: int) -> bool:
        """True where what a step, or one of its statements, makes in the stead of the fact is there."""
        kinds = _RENAMED | {kind_of(key)}.intersection(TYPES)
        brought = [k for k in effect.set if kind_of(k) in kinds and self.wanted.get(k) is None]
        there = any(k in self.live for k in brought)
        return there and all(self.paths.last_place(k, self.live.get(k)) >= place for k in brought)

    def _made_again_early(self, key: str, found: str) -> int:
        """The place of a later step that makes the fact again after a rename, where both are there already.

        Renamed away and added anew, a column looks as it did before: what the two steps bring besides tells them apart.
        """
        place = self.paths.last_place(key, found)
        if self._is_ahead(place) and self._owner_is_ahead(key):
            return place
        if not self._is_ahead(place) or not self._renamed_early(key):
            return 0
        others = [k for k in self.locked.effects[place - 1].set if k != key]
        return place if all(self.paths.last_place(k, self.live.get(k)) >= place for k in others) else 0

    def _owner_is_ahead(self, key: str) -> bool:
        """True for what says of a constraint or an index that it is valid, where that is the one of a later step."""
        owner = owner_of(key) if kind_of(key) in ("valid", "validated") else ""
        found = self.live.get(owner)
        return (
            found is not None
            and found != self.wanted.get(owner)
            and self._is_ahead(self.paths.last_place(owner, found))
        )

    def _hole(self, key: str, wanted: str, found: str | None) -> None:
        kind = kind_of(key)
        setter = next((place - 1 for place, _ in reversed(self.paths.of[key]) if place - 1 in self.done), -1)
        if kind == "table" and found is None and setter in self.own and not self._dropped_unread(key):
            step = self.locked.steps[setter].id
            self.lost.append(Difference(fact=key, wanted=wanted, found=found, origin=step))
            return
        if found is not None and not is_lossless(kind, found, wanted):
            return  # told as drift, or as a conflict where a step needs it
        self.heal[key] = setter
        self.now[key] = wanted

    def _dropped_unread(self, table: str) -> bool:
        """True where a step to come drops the table and none before that asks for its rows: they are not missed."""
        end = next((place - 1 for place, value in self.paths.of[table] if value is None and self._is_ahead(place)), -1)
        if end < 0 or any(key.startswith("table ") for key in self.locked.effects[end].set):
            return False
        return not any(self._may_read(index, identity_of(table)) for index in range(end) if index not in self.done)

    def _may_read(self, index: int, table: str) -> bool:
        """True where a step may ask for rows of the table; what only drops a key that refers to it locks it as well."""
        step, mode = self.locked.steps[index], self.locked.effects[index].locks.get(table)
        return step.has_data and mode is not None and (mode != "AE" or mentions(step.sql, table))


def _by_table(pairs: Iterable[tuple[str, str]]) -> _Names:
    found: _Names = {}
    for new, old in pairs:
        if table_of(new) == table_of(old):
            found.setdefault(table_of(new), []).append((parts(identity_of(new))[-1], parts(identity_of(old))[-1]))
    return found


def _with_former(key: str, value: str, names: _Names) -> str:
    """A definition with the former names of its table's columns."""
    for new, old in names.get(table_touched(key, value), ()):
        value = re.sub(rf"(?<![\w\"]){re.escape(new)}(?![\w\"])", old.replace("\\", r"\\"), value)
    return value
