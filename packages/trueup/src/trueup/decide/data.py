"""Steps that leave no trace in the catalog: rows written, calls, DDL without effect.

In order of trust: the ledger; the author's `done when` (both are settled before this is asked); a statement that
repeats harmlessly; then, without a ledger of trueup's own, its place in the chain, but only where the steps on the same
relations agree with it. Where they do not, the rows may: a table without any was not filled, and loses none.
"""

from __future__ import annotations

from functools import cached_property

from trueup.catalog.keys import own_name
from trueup.chain.model import Step
from trueup.chain.statements import only_checks, relations_named
from trueup.chain.updates import step_ends_the_same
from trueup.decide.cursors import Cursors
from trueup.decide.doubt import MADE_BEHIND, InDoubt
from trueup.decide.emptied import Emptied
from trueup.decide.given import Given
from trueup.decide.marked import BesideMarks
from trueup.decide.model import StepVerdict, assume, conflict, run
from trueup.decide.numbers import goes_behind_rows, is_behind
from trueup.decide.pending import Pending
from trueup.decide.rows import Rows
from trueup.decide.shown import ShownByRows
from trueup.decide.surroundings import Surroundings
from trueup.decide.traceless import as_it_is_here, can_be_repeated, changes_nothing, in_empty, sets_sequences
from trueup.decide.whole import WholeFiles

_CHANGES_ROWS = frozenset({"update_stmt", "delete_stmt", "truncate_stmt", "merge_stmt"})


class DataRules:
    """Answers for the steps of one decision, asked in their order."""

    def __init__(self, given: Given, cursors: Cursors, rows: Rows) -> None:
        self.locked, self.live, self.marks, self.done = given.locked, given.live, given.marks, given.done
        self.rows = rows
        self.around = Surroundings(given, cursors)
        self.heal, self.early = cursors.heal, cursors.place
        self.pending = Pending(given, self.around, rows)
        self.doubt = InDoubt(given, self.around, rows)
        self.emptied = Emptied(given, cursors, self.around, self.pending, self.doubt, rows)
        self.shown = ShownByRows(given, self.around, self.pending, self.doubt, rows)
        self.whole = WholeFiles(given, cursors, self.doubt, rows)
        self.last_to_run = -1
        self.empty_database = given.anchor.position == 0 and not any(key in self.live for key in given.paths.of)
        self.marked = BesideMarks(given, cursors, self.around, self.doubt)

    def verdict(self, index: int) -> StepVerdict:
        """Run it, assume that it was done, or leave the decision to a person."""
        verdict, step = self._verdict(index), self.locked.steps[index]
        if verdict.verdict == "assume" and index in self.done and is_behind(step, self.rows):
            why = "a sequence that it sets would give out numbers that rows have"
            verdict = run(index, why) if goes_behind_rows(step) else conflict(index, why)
        if verdict.verdict == "run" and self._would_be_refused(index, step):
            why = "the server would refuse rows that it reads or has to write"
            is_past = index in self.done and index < self.doubt.last_fact
            return assume(index, f"its place says so, and {why}") if is_past else conflict(index, why)
        if verdict.verdict != "run" or self.empty_database:
            return verdict
        repeats = self.rows.repeats(step)
        if not repeats and (column := self.emptied.reads(index)):
            return conflict(index, f"it reads {column}, whose values were lost")
        if not step.inserts or (repeats and self.rows.would_be_refused(step, self.around.written(index))):
            return verdict
        parents = self.pending.assumed(self.around.parents(index))
        is_lacking = parents and self.rows.lacks_parent(step, parents, self.pending.to_come)
        lacking = " or ".join(sorted(parents)) if is_lacking else ""
        if lacking := lacking or self.pending.lacks_selected(index):
            why = f"a row that it refers to is not there, in {lacking}"
            return assume(index, f"its place says so, and {why}") if index in self.done else conflict(index, why)
        if not repeats and self._is_refused(index):
            if self.rows.would_be_refused(step, self.around.written(index)):
                return assume(index, "rows with the keys that it writes are there")
            return conflict(index, "a row is there with the key of one that it writes")
        return verdict

    def _would_be_refused(self, index: int, step: Step) -> bool:
        """True for an `INSERT … SELECT` that has rows to write which do not fit, where its tables stay as they are.

        A step to come that stands in a clean database may just be tried: what is before it has to run anyway.
        """
        is_due = index in self.done or self.heal or self.early
        return bool(is_due) and step.inserts and not self.pending.changes(index) and self.rows.would_write_refused(step)

    def _is_refused(self, index: int) -> bool:
        """True where the server would refuse its rows, for one with the same key is there."""
        written = self.around.written(index)
        if not all(f"table {table}" in self.live for table in written) or self.shown.may_take_keys_before(
            index, written
        ):
            return False
        return self.rows.one_would_be_refused(self.locked.steps[index], self.rows.keys_of(written))

    def _verdict(self, index: int) -> StepVerdict:
        step = self.locked.steps[index]
        before = self.marked.is_passed(index) or (index in self.done and not self._follows_one_to_run(index))
        if told := self._leaves_rows(index, step, before=before):
            return told
        if before and self.emptied.fills_later(index, step):
            return assume(index, "it is run again where its column is healed")
        if not before and (stopped := self._is_stopped(index, step)):
            return stopped
        if not (before or self.rows.repeats(step)) and (told := self.whole.verdict(index, step)):
            return told
        if self.marks.own and not self.marked.was_lost(index, self.last_to_run, before=before):
            return self._not_in_the_ledger(index, step, before=before)
        if self.empty_database:
            return in_empty(index, step)
        may_repeat = not before or (self.around.still_fits(index) and not self._is_changed_after(index))
        if may_repeat and self.rows.repeats(step):
            return self._guarded(index, step, before=before)
        return self._before(index, step) if before else self._behind(index, step)

    def _leaves_rows(self, index: int, step: Step, *, before: bool) -> StepVerdict | None:
        """The verdict for a step that writes no rows; None for all others."""
        if told := as_it_is_here(index, step, self.rows, before=before):
            return told
        if before and index > self.doubt.last_fact and not self.marks.own and sets_sequences(step):
            return run(index, "the sequence has not come to that")
        if step.has_data:
            return None
        if before:
            return changes_nothing(index)
        if self.marks.own and not can_be_repeated(step) and self.marked.follows_unmarked(index, self.last_to_run):
            return conflict(index, "the step before it is there without a mark, so this one may be, too")
        return in_empty(index, step)

    def _is_stopped(self, index: int, step: Step) -> StepVerdict | None:
        """Where a step that is still to come cannot run, or finds nothing, for what was lost or came early."""
        if not self.rows.repeats(step) and (column := self.emptied.reads(index)):
            return conflict(index, f"it reads {column}, whose values were lost")
        if self.around.fills_another(index):
            return assume(index, "what it fills is dropped later on, and what is here is another")
        if self.around.seeks_lost_labels(index):
            return assume(index, "no row can be as it wants it: a later step has taken the label away here")
        if fact := self.around.in_its_way(index, self.around.relations(index)):
            return conflict(index, f"it cannot run any more: a later step has changed {fact} here")
        return None

    def _guarded(self, index: int, step: Step, *, before: bool) -> StepVerdict:
        if before and step.opaque:  # what it makes a later step may have taken away again
            return assume(index, "everything around it is there")
        if before and step.inserts and self._needs_only_assumed(index):
            return assume(index, "it repeats harmlessly, but rows that it refers to are only taken as there")
        if before and (column := self.emptied.has_read(index)):
            return assume(index, f"its place says so, and done again it would read {column}, whose values were lost")
        if before and self._is_long_done(index, step):
            return assume(index, "everything around it is there, and rows have come since")
        return run(index, "it repeats harmlessly")

    def _needs_only_assumed(self, index: int) -> bool:
        """True where rows that its own refer to are only taken as there; what it selects of a table is there."""
        selected = self.around.parents_selected(index)
        return any(own_name(parent) not in selected for parent in self.pending.only_assumed(self.around.parents(index)))

    def _is_long_done(self, index: int, step: Step) -> bool:
        """True where it has surely run, and changed rows or copied those of other tables: they may be others now."""
        written = self.around.written(index)
        adds = step.inserts and len(relations_named(step.sql)) <= len(written)
        shows = index <= self.doubt.sure_to or self._was_passed_in_order(index, step)
        if adds or not (shows or (index < self.doubt.last_fact and self._has_left_rows(step, written))):
            return False
        if written & self.around.healed_tables or self.emptied.fills_again(index, step):
            return False
        return not self._why_not_done(index, step, self.around.relations(index)) and not self.rows.none_in(written)

    def _has_left_rows(self, step: Step, written: set[str]) -> bool:
        """True where one of the rows that it selects is there: it wrote all that there were."""
        return step.inserts and self.rows.one_selected_is_there(step, written)

    def _was_passed_in_order(self, index: int, step: Step) -> bool:
        """True for UPDATEs that have filled rows and have facts of their file behind them, where all is in order."""
        if self.heal or self.early or step.inserts:
            return False
        behind = (i for i in self.done if i > index and self.locked.effects[i].keys)
        return any(self.locked.steps[i].path == step.path for i in behind) and self.rows.all_are_filled(step)

    def has_left_no_row(self, index: int) -> bool:
        """True for one of the last steps, of which something is missing, where no row that it writes is there."""
        step = self.locked.steps[index]
        if index in self.marks.done or index <= self.doubt.sure_to or step.guarded or not step.inserts:
            return False
        filled = self.rows.filled(step)
        changed = any(i > index and not filled.isdisjoint(tables) for i, tables in self._changed_by.items())
        return not changed and self.rows.none_inserted(step)

    def is_where_it_ended(self, index: int) -> bool:
        """True for a step that has filled no row, behind the last fact: nor have those behind it run."""
        step, is_doubtful = self.locked.steps[index], index in self.done and index not in self.marks.done
        return is_doubtful and index > self.doubt.last_fact and self.doubt.is_unfilled(index, step)

    def noted(self, verdict: StepVerdict) -> StepVerdict:
        """The same; what the step will do to rows is kept in mind."""
        if verdict.verdict == "run":
            self.last_to_run = verdict.index
        self.pending.note(verdict)
        return verdict

    def _not_in_the_ledger(self, index: int, step: Step, *, before: bool) -> StepVerdict:
        if before and not self.around.still_fits(index, by_name=True):
            return self.shown.settled(index, step, "it is not in the ledger, and its tables have changed since")
        there = "" if self.rows.repeats(step) else self.shown.confirm(index, step)
        return assume(index, there) if there else run(index, "not in the ledger")

    def _follows_one_to_run(self, index: int) -> bool:
        """True where the last step to run is of its file and leaves facts: a file is run in its order."""
        last, steps = self.last_to_run, self.locked.steps
        return last >= 0 and bool(self.locked.effects[last].keys) and steps[last].path == steps[index].path

    def _before(self, index: int, step: Step) -> StepVerdict:
        """Its place says that it was done; so it was, unless something that it uses is missing."""
        relations, written = self.around.relations(index), self.around.written(index)
        if written and written <= self.around.healed_tables:
            return self._refills(index, step)
        if columns := self.emptied.fills_again(index, step):
            if all(f"not null {column}" in self.heal for column in columns):
                return assume(index, "it is run again where its column is healed")
            return run(index, "it fills a column that was missing")
        if any(trigger in self.heal for trigger in self.rows.fires_only(step)) and self.around.still_fits(index):
            return run(index, "what its UPDATE is to fire was missing")
        if why := self._why_not_done(index, step, relations):
            if column := self.emptied.has_read(index):
                return assume(index, f"its place says so, and done now it would read {column}, whose values were lost")
            return self._doubtful(index, step, relations, why)
        if (
            not step.inserts
            and self.pending.fills(index)
            and self.rows.none_in(written)
            and self.around.still_fits(index)
        ):
            return run(index, "rows that it is for are written only now")
        return self._in_doubt(index, step)

    def _in_doubt(self, index: int, step: Step) -> StepVerdict:
        """Nothing but its place tells of it: then the rows do, where what is behind it may have been made by hand."""
        leaves_nothing = all(map(only_checks, step.statements))
        if index > self.doubt.sure_to and not leaves_nothing:
            return self._reads_what_comes(index, step) or self.doubt.verdict(index, step)
        is_left = self.doubt.is_of_the_last_file(step) and not leaves_nothing
        if is_left and (why := self.doubt.why_left_out(index, step)):
            return conflict(index, why)
        return assume(index, "everything around it is there")

    def _reads_what_comes(self, index: int, step: Step) -> StepVerdict | None:
        """The verdict for an UPDATE of what a step of its file writes only now: it has not run either."""
        reads = set(step.tags) == {"update_stmt"} and self.pending.fills_what_it_reads(index)
        if not reads or not self.around.still_fits(index):
            return None
        verdict = run if step_ends_the_same(step) else conflict
        return verdict(index, "rows that it reads are written only now")

    def _why_not_done(self, index: int, step: Step, relations: set[str]) -> str:
        if self.around.names_healed(step, relations):
            return "it uses what was missing, so it may not have run"
        if self.around.stood_on_missing(relations, index):
            return "some of what stood before it is missing here"
        if self.around.was_left_out(index):
            return "the steps beside it are missing here, so it may not have run"
        return ""

    def _doubtful(self, index: int, step: Step, relations: set[str], why: str) -> StepVerdict:
        """Its place says that it was done, and something else that it may not have been."""
        if gone := self.around.gone_since(index, relations):
            return assume(index, f"it could not run any more: {gone} is gone since")
        if self.rows.none_in(self.around.written(index)):
            if not step.inserts:
                return assume(index, "the tables that it changes have no rows")
            if self.around.still_fits(index):
                return run(index, "the tables that it fills have no rows")
        settled = self.shown.settled(index, step, why)
        if settled.verdict == "conflict" and index > self.doubt.sure_to:
            shown = self.shown.deny(index, step, self.around.written(index))
            return run(index, shown) if shown else settled
        return settled

    def _refills(self, index: int, step: Step) -> StepVerdict:
        """Nothing of its work can be left; but the table is made as it is by now, and it may not fit any more."""
        if self.around.still_fits(index):
            return run(index, "the table it fills was missing")
        if gone := self.around.gone_since(index, self.around.relations(index)):
            return assume(index, f"it could not run any more: {gone} is gone since")
        if step.inserts:
            return conflict(index, "the table that it fills was missing, and has changed since")
        return assume(index, "the table that it changes was missing, so it is empty")

    def _behind(self, index: int, step: Step) -> StepVerdict:
        """Its place says that it has not run; nor has it, unless the steps beside it on the same tables have."""
        relations, written = self.around.relations(index), self.around.written(index)
        later = {step for table, step in self.around.ahead if table in relations and step > index}
        if made := self.around.still_to_make(index):
            return run(index, f"{made}, which it uses, is not there yet")
        made_early = {table for table in written if {f"table {table}"} <= self.early.keys() & self.live.keys()}
        if later and self.around.next_on(relations, index) in later and not self.around.stands_apart(index, later):
            why = "later steps on the same tables are there"
        elif step.inserts and made_early:
            why = f"a table that it fills is there already ({min(made_early)}), with rows"
        else:
            return self._next_in_line(index, step, written)
        if self.rows.none_in(written):
            return run(index, "the tables that it writes have no rows")
        settled = self.shown.settled(index, step, why)
        if settled.verdict == "conflict" and (shown := self.shown.deny(index, step, written)):
            return run(index, shown)
        return settled

    def _next_in_line(self, index: int, step: Step, written: set[str]) -> StepVerdict:
        """Nothing beside it is there. But no fact tells the state just before it from the state just behind it."""
        if there := self.shown.confirm(index, step):
            return assume(index, there)
        doubtful = self.marks.own and self.marked.follows_unmarked(index, self.last_to_run)
        if doubtful and any(map(self.rows.are_there, self.around.written_anew(index))):
            return assume(index, "rows that are written behind it, in place of those that it takes away, are there")
        if doubtful and not step_ends_the_same(step) and not self.rows.none_in(written):
            if self.rows.are_there(step) and not self.pending.may_take(index, step.sql):
                return assume(index, "the rows that it writes are there")
            if shown := self.shown.deny(index, step, written):
                return run(index, shown)
            why = "the step before it is there without a mark, so this one may be, too"
            return self.shown.settled(index, step, why)
        is_next = not self.marks.own and self.last_to_run < self.around.position
        if is_next and self.doubt.finds_what_others_make(index, step):
            return conflict(index, MADE_BEHIND)
        return run(index, "nothing beside it is there")

    def _is_changed_after(self, index: int) -> bool:
        """True where a later step that is done has changed rows of a table that it writes, or made some to be found."""
        written, steps = self.around.written(index), self.locked.steps
        finds = set(steps[index].tags) == {"update_stmt"}
        later = (i for i, tables in self._changed_by.items() if i > index and not written.isdisjoint(tables))
        return any(finds or not _CHANGES_ROWS.isdisjoint(steps[i].tags) for i in later)

    @cached_property
    def _changed_by(self) -> dict[int, set[str]]:
        """The tables in which each step that is done has written, changed or deleted rows, where it has."""
        changes = (i for i in self.done if self.locked.steps[i].has_data)
        return {i: self.around.written(i) for i in changes}
