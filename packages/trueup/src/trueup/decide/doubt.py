"""Data steps of which no fact tells for sure whether they have run: those at the end of what is there.

Behind the last fact nothing does; and what is there of the last few steps may have been run early. So the rows are
asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from trueup.catalog.keys import identity_of, kind_of, own_name, table_of, table_touched
from trueup.chain.grammar import Statement, parse_each
from trueup.chain.model import Step, writes_rows
from trueup.chain.statements import columns_written
from trueup.chain.updates import ends_the_same, may_make, step_ends_the_same, step_takes_all, takes_all
from trueup.decide.anchor import MOST_EARLY
from trueup.decide.given import Given
from trueup.decide.model import NOTHING_SHOWS, StepVerdict, assume, conflict, run
from trueup.decide.rows import Rows
from trueup.decide.surroundings import Surroundings
from trueup.decide.tail import Tail

MADE_BEHIND = "rows that it would change are there, but a later step, which may have run, makes such"
_FINDING = ("update_stmt", "delete_stmt")
_MOST_UPDATES = 8  # before a step in doubt: to compare each with it
_MOST_UNTOLD = 64  # steps that leave facts, and together none


class InDoubt:
    """Answers for these steps."""

    def __init__(self, given: Given, around: Surroundings, rows: Rows) -> None:
        self.locked, self.live, self.marks, self.done = given.locked, given.live, given.marks, given.done
        self.paths, self.around, self.rows = given.paths, around, rows

    @cached_property
    def last_fact(self) -> int:
        """The last step that has left a fact: what is as it was before the steps behind it tells nothing of them."""
        touched = [i for i in sorted(self.done) if self.locked.effects[i].keys]
        end, changed, first = max(touched, default=-1) + 1, set[str](), len(touched)
        for place in range(len(touched) - 1, max(-1, len(touched) - _MOST_UNTOLD), -1):
            for key in self.locked.effects[touched[place]].keys:
                is_as_before = self.paths.value_at(key, touched[place]) == self.paths.value_at(key, end)
                (changed.discard if is_as_before else changed.add)(key)
            first = first if changed else place
        return touched[first - 1] if first else -1

    @cached_property
    def sure_to(self) -> int:
        """The last step that the facts show to have run for sure: what is there of the few behind it may be early."""
        doubtful = len(self.shown) if self.marks.own else len(self.shown) // 3
        return [max(self.marks.own, default=-1), *self.shown][-1 - min(MOST_EARLY, doubtful)]

    def is_long_past(self, index: int) -> bool:
        """True where there is more behind it than anybody runs early by hand, or a mark of trueup's own."""
        behind = sum(i > index for i in self.shown)
        return behind > MOST_EARLY or index < max(self.marks.own, default=-1)

    @cached_property
    def shown(self) -> list[int]:
        """The steps without a mark of which something is there."""
        return [i for i in sorted(self.done) if i not in self.marks.done and self._shows(i)]

    def _shows(self, index: int) -> bool:
        """True where something is there as this step left it."""
        made = self.locked.effects[index].set.items()
        return any(self.live.get(k) == v and self.paths.last_setter(k, self.last_fact + 1) == index for k, v in made)

    @cached_property
    def _tail(self) -> Tail:
        """The data steps that count as done behind the last fact that is sure."""
        behind = (i for i in sorted(self.done) if i > self.sure_to and i not in self.marks.done)
        steps = self.locked.steps
        return Tail(steps, {i: self.around.written(i) for i in behind if steps[i].has_data}, self.rows, self.last_fact)

    def verdict(self, index: int, step: Step) -> StepVerdict:
        """No fact is sure to tell the state just before it from the state just behind it: the rows are asked."""
        tail = self._tail
        if index >= tail.cut:
            if not self.around.still_fits(index):
                return conflict(index, "it seems not to have run, and its tables have changed since")
            if index == tail.first_not_run:
                return run(index, "none of the rows that it writes is there")
            return run(index, f"it goes with {self.locked.steps[tail.first_not_run].id}, which has not run")
        fits = self.around.still_fits(index)
        if fits and (why := self._why_not_run(index, step)):
            return self._run_unless_gone(index, why)
        is_behind = fits and index > max(tail.last_run, self.last_fact)
        if why := self._why_asked(index, step) if is_behind else self._why_lost(index, step):
            return conflict(index, why)
        return assume(
            index, NOTHING_SHOWS if self._is_told_by_nothing(index, step) else "everything around it is there"
        )

    def _run_unless_gone(self, index: int, why: str) -> StepVerdict:
        """The verdict for one that has not run, as the rows show; some of what it reads may be gone since."""
        gone = self.around.gone_here(index)
        if gone and self.around.dropped_behind(index) >= 0:
            return conflict(index, f"{why}, but {gone} is gone since, and more of what it reads is to go")
        return assume(index, f"it could not run any more: {gone} is gone since") if gone else run(index, why)

    def lacks(self, index: int) -> str:
        """Why one whose facts are there may not have run: the rows that it was to write with them are not."""
        step, effect = self.locked.steps[index], self.locked.effects[index]
        if index not in self.done and any(map(self.rows.selects_only_new, self._inserts_of(index))):
            return "what it makes is there, but none of the rows that it selects"
        if "create_table_as_stmt" not in step.tags:
            return ""
        made = [identity_of(key) for key in effect.set if key.startswith("table ")]
        if not made or self.around.dropped_behind(index) < 0:
            return ""
        has_lost = self.rows.none_in(made) and not self.rows.none_in(effect.locks.keys() - set(made))
        return f"{made[0]} is there without rows, and what it makes it of is to go" if has_lost else ""

    def _inserts_of(self, index: int) -> Iterator[Step]:
        """The INSERTs of a step that does more than that, each as a step of its own."""
        step = self.locked.steps[index]
        for tag, text in zip(step.tags, step.statements, strict=True) if len(step.tags) > 1 else ():
            if tag == "insert_stmt":
                yield step._replace(statements=(text,), tags=(tag,))

    def why_left_out(self, index: int, step: Step) -> str:
        """Why one of the last file may not have run, though facts of it are behind it; empty where nothing says so."""
        if self.is_unfilled(index, step) and self.around.still_fits(index):
            return "what it fills has no more than defaults: its file may have been made without it"
        return self._why_lost(index, step)

    def _why_lost(self, index: int, step: Step) -> str:
        """The same of an INSERT with facts behind it: what it was to keep would be gone."""
        return self._taken_behind(index) if step.inserts and self._loses_what_it_reads(index, step) else ""

    def _taken_behind(self, index: int) -> str:
        taker = self.locked.steps[self.around.dropped_behind(index)].id
        return f"{taker}, still to run, takes away what it reads, and nothing shows that all of its work is there"

    def _why_asked(self, index: int, step: Step) -> str:
        """Why to take it as done could lose rows, or leave other values than the chain's; empty where it could not."""
        if self._empties_what_is_filled(index, step):
            return "its file has not run to its end, and there are rows, which it would take away"
        if self._why_not_run_behind(index, step):  # and yet it is not run
            return MADE_BEHIND
        if self._loses_what_it_reads(index, step):
            return self._taken_behind(index)
        if self._is_missed_in_part(index, step):
            return "some of the rows that it writes are there and some are not, and steps to come use them"
        if self._is_left_at(index, step):
            return "the database stands right before it or right behind it, and done twice it would be wrong"
        return ""

    def _why_not_run(self, index: int, step: Step) -> str:
        """What in the rows shows that a step in doubt has not run; empty where nothing does."""
        tail = self._tail
        filled = self.rows.filled(step) or (self.around.written(index) if step.inserts else set())
        if filled and index > tail.last_run:
            if any(self.rows.none_in([table]) for table in filled):
                return "a table that it fills has no rows"
            is_due = index > self.last_fact or tail.is_of_the_file_that_ran_last(index)
            if is_due and self.rows.selects_only_new(step):
                return "none of the rows that it writes is there"
        if index > tail.last_run and self.is_unfilled(index, step):
            return "the columns that it fills have no values"
        why = self._why_not_run_behind(index, step) if index > max(tail.last_run, self.last_fact) else ""
        return "" if why and self.finds_what_others_make(index, step) else why

    def _why_not_run_behind(self, index: int, step: Step) -> str:
        """The same of one behind all that facts or rows tell of."""
        if self._rows_stand(index, step):
            return "rows that it would have changed are there"
        if self._is_last_chance(index, step):
            return "a step of its file that is to run takes away what it reads"
        if self._is_in_the_middle(index, step):
            return "the database stands right at it, and it would change rows"
        if self._tail.is_of_a_file_not_run(index):
            return "another step of its file has not run, and nothing shows that this one has"
        return ""

    def shows_not_run(self, index: int, step: Step) -> bool:
        """True where rows that it would have changed are there, and no later step can have made them so."""
        return self._rows_stand(index, step) and not self._may_be_made_behind(index, step)

    def _rows_stand(self, index: int, step: Step) -> bool:
        return self.rows.are_to_change(step) or self.stands_as_before(index, step)

    def finds_what_others_make(self, index: int, step: Step) -> bool:
        """True where it would change rows, and a later step that may have run makes such: done again it is wrong."""
        return self._may_be_made_behind(index, step) and not self.rows.would_not_change(step)

    def _may_be_made_behind(self, index: int, step: Step) -> bool:
        """True where a later step may have made the rows that it is for: one that is done, or that leaves no trace."""
        changes = [s for s in parse_each(step.statements) if s.tag in _FINDING]
        end = self._next_fact(index) if changes and index not in self.done else index
        behind = (i for i in self._with_data if i > index and (i in self.done or i < end)) if changes else ()
        written = self.around.written(index)
        return any(self._may_have_made(i, changes) for i in behind if not written.isdisjoint(self.around.written(i)))

    def _next_fact(self, index: int) -> int:
        """The first step behind it that has facts, or is of another file."""
        steps, effects = self.locked.steps, self.locked.effects
        behind = range(index + 1, len(steps))
        return next((i for i in behind if effects[i].keys or steps[i].path != steps[index].path), len(steps))

    def _may_have_made(self, index: int, changes: Sequence[Statement]) -> bool:
        step = self.locked.steps[index]
        makes = (may_make(later, change) for later in parse_each(step.statements) for change in changes)
        if not any(makes):
            return False
        return not (self.rows.are_missing(step) or self.rows.selects_only_new(step) or self.shows_not_run(index, step))

    def is_of_the_last_file(self, step: Step) -> bool:
        """True where no fact of a later file is there: its own may have been made by hand."""
        return self.last_fact >= 0 and self.locked.steps[self.last_fact].path == step.path

    def is_unfilled(self, index: int, step: Step) -> bool:
        """True for UPDATEs of columns that its file has made, where these have no more than their defaults."""
        if set(step.tags) != {"update_stmt"} or not step_ends_the_same(step):
            return False
        written = self.around.written(index)
        beside = (self.locked.effects[i].set for i in range(index) if self.locked.steps[i].path == step.path)
        facts = {key: value for made in beside for key, value in made.items() if table_of(key) in written}
        columns = {own_name(identity_of(key)) for key in facts if key.startswith("column ")}
        defaults = {own_name(identity_of(k)): v for k, v in facts.items() if k.startswith("default ") and "(" not in v}
        return columns_written(step.statements) <= columns and self.rows.has_unfilled(step, defaults)

    def stands_as_before(self, index: int, step: Step) -> bool:
        """True where a row that it would have changed is as a step before it has written it."""
        written, steps = self.around.written(index), self.locked.steps
        if step.tags != ("update_stmt",):
            return False
        before = [i for i in self._with_data if i < index and written & self.around.written(i)]
        inserts, updates = (
            [steps[i] for i in before if tag in steps[i].tags] for tag in ("insert_stmt", "update_stmt")
        )
        if any(self.rows.stands_as_inserted(one, step) for one in inserts):
            return True
        return any(self.rows.stands_as_updated(one, step) for one in updates[-_MOST_UPDATES:])

    @cached_property
    def _with_data(self) -> list[int]:
        """The chain's data steps."""
        return [index for index, step in enumerate(self.locked.steps) if step.has_data]

    def _is_last_chance(self, index: int, step: Step) -> bool:
        """True where rows would change that a pending step of its file leaves nothing to change by."""
        later = self.around.dropped_behind(index)
        return later >= 0 and self.locked.steps[later].path == step.path and self._would_change(step)

    def _loses_what_it_reads(self, index: int, step: Step) -> bool:
        """True where a pending step leaves nothing to read, while some of its work may not be there."""
        if self.around.dropped_behind(index) < 0 or self.rows.would_not_change(step):
            return False
        return not (self.rows.are_there(step) or self.rows.selects_nothing_new(step))

    def _is_missed_in_part(self, index: int, step: Step) -> bool:
        """True where some of its rows are there and others are not, and data steps are to come that use them."""
        written, effects = self.around.written(index), self.locked.effects
        pending = (i for i in self._with_data if i > index and i not in self.done)
        if not step.inserts or all(written.isdisjoint(effects[i].locks) for i in pending):
            return False
        rows = self.rows.of(step)
        return not self.rows.all_of(rows) and self.rows.one_of(rows)

    def _is_in_the_middle(self, index: int, step: Step) -> bool:
        """True where the database may stand right before it, and it would change rows; not for what takes away all.

        Nor, at the end of a file, for a DELETE: it may have run, and rows have come since.
        """
        takes_none = "delete_stmt" not in step.tags
        is_next = self._is_left_within(step) or (takes_none and self._is_before_a_rule(index))
        return not step_takes_all(step) and is_next and self._would_change(step)

    def _is_left_at(self, index: int, step: Step) -> bool:
        """True where the database may stand before it, or behind it, and it would be wrong to do it twice.

        So it is with an UPDATE that makes values of what it sets, and with a DELETE where rows may have come since.
        """
        if not _is_other_twice(step) and set(step.tags) != {"delete_stmt"}:
            return False
        is_next = self._is_left_within(step) or self._is_before_a_rule(index)
        return is_next and not self.rows.would_not_change(step) and not self.rows.none_in(self.around.written(index))

    def _is_told_by_nothing(self, index: int, step: Step) -> bool:
        """True where facts are the same before it and behind it, and it would change rows, or may have to add some."""
        if index <= max(self._tail.last_run, self.last_fact) or step.guarded:
            return False
        return not (self.rows.none_in(self.around.written(index)) or self.rows.would_not_change(step))

    def _is_left_within(self, step: Step) -> bool:
        """True where the last fact that is there and the first that is not are of its file."""
        begun = self.last_fact >= 0 and self.locked.steps[self.last_fact].path == step.path
        return begun and self._is_half_run(step.path)

    def _is_before_a_rule(self, index: int) -> bool:
        """True where the next step on its tables, which is to run, makes a rule for their rows."""
        written = self.around.written(index)
        later = self.around.next_on(written, index)
        if later < self.around.position:
            return False
        made = self.locked.effects[later].set.items()
        return any(table_touched(key, value) in written and self._is_rule(key, value, later) for key, value in made)

    def _is_rule(self, key: str, value: str, index: int) -> bool:
        """True for NOT NULL, a constraint, a unique index, and another type of a column that was there before."""
        if kind_of(key) == "index":
            return value.startswith("UNIQUE")
        column = f"column {identity_of(key)}"
        was_there = self.paths.value_at(column, index) is not None
        return kind_of(key) == "constraint" or (kind_of(key) in ("column", "not null") and was_there)

    def _empties_what_is_filled(self, index: int, step: Step) -> bool:
        """True where it takes away all rows of tables that have some, in the file that is half run."""
        takes = all(map(takes_all, parse_each(step.statements)))
        return takes and self._is_half_run(step.path) and not self.rows.none_in(self.around.written(index))

    def _is_half_run(self, path: str) -> bool:
        """True for the file of the first step that is not done."""
        return any(step.path == path for step in self.locked.steps[self.around.position :][:1])

    def _would_change(self, step: Step) -> bool:
        """True where it may change rows, and ends the same when repeated."""
        return step_ends_the_same(step) and not self.rows.would_not_change(step)


def _is_other_twice(step: Step) -> bool:
    """True for UPDATEs, be it beside DDL, that make values of those that they set."""
    writing = {tag for tag, text in zip(step.tags, step.statements, strict=True) if writes_rows(tag, text)}
    updates = (one for one in parse_each(step.statements) if one.tag == "update_stmt")
    return writing == {"update_stmt"} and not all(map(ends_the_same, updates))
