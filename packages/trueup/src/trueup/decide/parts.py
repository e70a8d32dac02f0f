"""A step of several statements that is partly there: which of its statements still have to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import or_
from typing import NamedTuple

from trueup.catalog import enums
from trueup.catalog.keys import identity_of, kind_of, mentions, own_name, table_touched, unquoted
from trueup.catalog.keys import parts as name_parts
from trueup.chain.grammar import parse_each, parse_statements
from trueup.chain.model import Effect, Step, writes_rows
from trueup.chain.statements import columns_written, is_guarded, relations_named
from trueup.chain.updates import ends_the_same, may_make
from trueup.decide.held import is_under_both_names, tables_gone
from trueup.decide.rows import Rows
from trueup.decide.traceless import found_it_so
from trueup.decide.trajectory import Value, fold

_AS_OFTEN = ("default", "not null")
"""What a statement sets, or takes away, whether or not it is so already."""


class Partly(NamedTuple):
    """A step of several statements of which something is there.

    Args:
        step: The step; its effect has one part for each statement.
        effect: What it does.
        now: The database just before the step.
        rows: Which tables have rows.
        before: A fact's value in the chain just before the step.
        beyond: Whether a fact is further along than this step.
        begun: How many of the statements have run, where the database as a whole says so.
    """

    step: Step
    effect: Effect
    now: Mapping[str, Value]
    rows: Rows
    before: Callable[[str], Value]
    beyond: Callable[[str], bool]
    begun: int = 0

    def statements_to_run(self) -> list[int] | None:
        """The statements whose effect is not there, by index; None where saying so could lose or repeat work."""
        chosen = self._missing()
        if chosen is None:
            return None
        step, rows, parts = self.step, self.rows, self.effect.parts
        silent = [position for position, part in enumerate(parts) if not part.keys]
        silent = [position for position in silent if not found_it_so(_alone(step, position))]
        run = frozenset(chosen)
        ran = [position for position, part in enumerate(parts) if part.keys and position not in chosen]
        in_order = _before_the_last(silent, chosen, ran)
        have_run = {position for position in in_order if not rows.selects_only_new(_alone(step, position))}
        to_come = _behind_a_gap(silent, chosen, ran)
        for position in silent:
            if position not in have_run | to_come and not self._has_not_run(position, run):
                behind = [text for i, text in enumerate(step.statements) if i > position and i not in to_come]
                one, is_first = _alone(step, position), not chosen or position < chosen[0]
                has_run = _rows_say_whether(one, rows, behind, first=is_first)
                if has_run is None:
                    return None
                have_run |= {position} if has_run else set()
        silent = [position for position in silent if position not in have_run]
        late = {position for position in silent if self._reads_what_is_gone(position, run)}
        if not all(rows.none_in(_tables_named(step.statements[position], self.now)) for position in late):
            return None
        return sorted({*chosen, *silent} - late)

    def _missing(self) -> list[int] | None:
        """Of the statements with facts those whose facts are not there; None as above."""
        step, parts, state = self.step, self.effect.parts, dict(self.now)
        chosen: list[int] = []
        ends, left = (fold(parts, range(count), {}) for count in (len(parts), self.begun))
        for position, part in enumerate(parts):
            if not part.keys:
                continue
            if position < self.begun and all(state.get(key) == left[key] for key in part.keys):
                continue
            there = [_is_there(key, part.set.get(key), state, self.effect, self.beyond) for key in part.keys]
            passed = [state.get(key) is None and ends[key] is None for key in part.keys]  # taken away again behind it
            if any(there) and all(map(or_, there, passed)):
                continue
            if (tables := tables_gone(part)) and any(map(self.beyond, part.gone)) and not self.rows.none_in(tables):
                return None
            if any(there) and not _still_before(part, step.statements[position], state):
                return None
            before_it = _within(self.effect, position, self.before)
            is_rename = step.tags[position] == "rename_stmt"
            if (is_rename and is_under_both_names(part, before_it, state)) or _has_new_label(part, before_it, self.now):
                return None
            chosen.append(position)
            state.update(part.set)
            state.update(dict.fromkeys(part.gone))
        return chosen

    def _has_not_run(self, position: int, run: frozenset[int]) -> bool:
        """True for a statement without facts that can run now, whether or not it has run.

        So can one whose neighbours on the same tables have not run, or whose tables are empty. `run` are the statements
        of the step that have facts and are still to come.
        """
        text, parts = self.step.statements[position], self.effect.parts
        if not writes_rows(self.step.tags[position], text) or all(is_guarded(s) for s in parse_statements(text)):
            return True
        if _fills_what_passes(position, self.step, self.effect):
            return True
        before, behind = range(position - 1, -1, -1), range(position + 1, len(parts))
        named = relations_named(text)
        beside = _nearest(before, parts, named) | _nearest(behind, parts, named)
        if not beside:  # then those around it, whatever they are on
            beside = {next((p for p in some if parts[p].keys), -1) for some in (before, behind)} - {-1}
        if beside and beside <= run:
            return True
        return self.rows.none_in(_tables_named(text, self.now))

    def _reads_what_is_gone(self, position: int, run: frozenset[int]) -> bool:
        """True for a statement that names a column which the step takes away behind it, and which is gone already."""
        text, parts = self.step.statements[position], self.effect.parts
        if not writes_rows(self.step.tags[position], text):
            return False
        made = {key for one in run if one < position for key in parts[one].set}
        behind = {key for part in parts[position + 1 :] for key in part.gone if key.startswith("column ")}
        gone = (key for key in behind - made if self.now.get(key) is None and mentions(text, identity_of(key)))
        was_there = _within(self.effect, position, self.before)
        return any(was_there(key) is not None for key in gone)


def _within(effect: Effect, position: int, before: Callable[[str], Value]) -> Callable[[str], Value]:
    """A fact's value in the chain just before one of the statements."""
    changed = fold(effect.parts, range(position), {})
    return lambda key: changed[key] if key in changed else before(key)


def _has_new_label(part: Effect, before: Callable[[str], Value], now: Mapping[str, Value]) -> bool:
    """True where a label that the statement adds to an enum is there already: the server refuses a second one."""
    for key, value in part.set.items():
        if key.startswith("enum ") and (was := before(key)) is not None:
            added = set(enums.labels(value)) - set(enums.labels(was))
            if not added.isdisjoint(enums.labels(now.get(key) or "")):
                return True
    return False


def _before_the_last(silent: Sequence[int], chosen: Sequence[int], there: Sequence[int]) -> set[int]:
    """The statements without facts that have run: where the others were run in order, those before the last of them."""
    last = max(there, default=-1)
    return {position for position in silent if position < last} if chosen and last < min(chosen) else set()


def _behind_a_gap(silent: Sequence[int], chosen: Sequence[int], there: Sequence[int]) -> set[int]:
    """The statements without facts that have not run: what is there behind a missing part was made beside the step."""
    if not chosen or max(there, default=-1) < min(chosen):
        return set()
    return {position for position in silent if position > min(chosen)}


def _alone(step: Step, position: int) -> Step:
    """The step with one of its statements only."""
    return step._replace(statements=(step.statements[position],), tags=(step.tags[position],))


def _rows_say_whether(one: Step, rows: Rows, behind: Sequence[str], *, first: bool) -> bool | None:
    """Whether a statement has run, as far as the rows tell; `first` where no other has to run before it.

    They do not where statements `behind` it, which may have run, make rows as it finds them.
    """
    if not writes_rows(one.tags[0], one.statements[0]):
        return None
    if any(may_make(later, change) for change in parse_each(one.statements) for later in parse_each(behind)):
        return None
    if rows.are_to_change(one) or rows.are_missing(one) or rows.selects_only_new(one):
        return False
    return True if first and (rows.would_not_change(one) or rows.are_there(one)) else None


def _tables_named(text: str, now: Mapping[str, Value]) -> set[str]:
    named = relations_named(text)
    tables = (
        key.removeprefix("table ") for key, value in now.items() if key.startswith("table ") and value is not None
    )
    return {table for table in tables if _bare(table) in named}


def _fills_what_passes(position: int, step: Step, effect: Effect) -> bool:
    """True for UPDATEs that end the same when repeated and set only columns that the step adds and takes away again."""
    statements = parse_statements(step.statements[position])
    if not all(statement.tag == "update_stmt" and ends_the_same(statement) for statement in statements):
        return False
    added = {key for part in effect.parts[:position] for key in part.set if kind_of(key) == "column"}
    passing = {own_name(identity_of(key)) for key in added if key not in effect.set}
    return columns_written([step.statements[position]]) <= passing


def _nearest(positions: range, parts: Sequence[Effect], named: set[str]) -> set[int]:
    """The first of these statements that makes or changes something on a table of this name, if there is one."""
    for position in positions:
        if any(_bare(table_touched(key, value)) in named for key, value in parts[position].changes):
            return {position}
    return set()


def _bare(table: str) -> str:
    """The name alone, unquoted."""
    return unquoted(name_parts(table)[-1]) if table else ""


def _is_there(
    key: str,
    value: Value,
    state: Mapping[str, Value],
    effect: Effect,
    beyond: Callable[[str], bool],
) -> bool:
    """True where the fact is as this statement leaves it, as the whole step does, or further along."""
    found = state.get(key)
    return found == value or beyond(key) or (found is not None and found == effect.set.get(key))


def _still_before(part: Effect, text: str, state: Mapping[str, Value]) -> bool:
    """True where nothing that the statement makes is there, and what it takes away is: it has not run.

    Defaults and NOT NULL tell nothing: they are set, and taken away, as often as one likes. Nor does what only goes
    along with something else that the statement names.
    """
    if any(kind_of(key) not in _AS_OFTEN and state.get(key) == value for key, value in part.set.items()):
        return False
    named = [key for key in part.gone if mentions(text, identity_of(key))] or part.gone
    return all(state.get(key) is not None for key in named if kind_of(key) not in _AS_OFTEN)
