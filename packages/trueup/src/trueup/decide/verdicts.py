"""What each step needs, one after the other, from where the database stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from trueup.catalog.keys import TYPES, identity_of, kind_of, mentions, own_name, table_of
from trueup.chain.model import Effect, Step
from trueup.decide.beside import Beside
from trueup.decide.cursors import Cursors
from trueup.decide.data import DataRules
from trueup.decide.drift import difference, drift
from trueup.decide.elsewhere import can_go, goes_elsewhere, in_order_to_go
from trueup.decide.frames import with_frames
from trueup.decide.given import Given
from trueup.decide.held import (
    drops_alone,
    early_helpers,
    early_holders,
    go_along,
    goes_by_itself,
    gone_for_good,
    is_needed,
    is_under_both_names,
    renames_of,
    row_bearing,
    tables_taken,
    takes,
    views_of,
    with_leaves,
)
from trueup.decide.lent import Lent
from trueup.decide.model import (
    NOT_OF_THIS_TEXT,
    NOTHING_OF_IT,
    Decision,
    Difference,
    StepVerdict,
    Wish,
    conflict,
    run,
)
from trueup.decide.ordering import Ordering, with_its_functions, with_other_columns
from trueup.decide.parts import Partly
from trueup.decide.remade import Remade, remade_early
from trueup.decide.retyped import converted, sets_text
from trueup.decide.rows import Rows
from trueup.decide.settled import Settled
from trueup.decide.standing import Standing
from trueup.decide.trajectory import Value, fold
from trueup.decide.unseen import Unseen

_MADE_ONCE = {"index", "constraint", "view", "materialized view", "trigger", "policy", "enum", "type", "sequence"}
"""Kinds that the server refuses to make where they are already."""


class Deciding:
    """One decision in the making."""

    def __init__(
        self,
        given: Given,
        wish: Wish,
        *,
        excluded: frozenset[int] = frozenset(),
        passing: Mapping[str, str] | None = None,
        lent: Sequence[Lent] = (),
    ) -> None:
        self.locked, self.paths, self.live = given.locked, given.paths, given.live
        self.anchor, self.done = given.anchor, given.done
        self.wish = wish
        self.lent = lent
        self.not_run: set[int] = set()  # steps that count as done, and that the rows show not to be
        self.cursors = Cursors(given)
        self.standing = Standing(given, self.cursors, passing or {})
        self.place, self.now = self.standing.place, self.standing.now
        self.settled = Settled(given, wish, self.standing, excluded, lent)
        self.ordering = Ordering(self.locked.steps, given.here, self.paths)
        self.rows = Rows(self.live, wish.rows, self.now, self.ordering.columns, lent=lent)
        self.rules = DataRules(given, self.cursors, self.rows)
        self.beside = Beside(given, self.rows)
        self.unseen = Unseen(given, self.now, self.standing.may_be_later(), self.standing.is_later, self.rules)

    def decision(self, renamed: Mapping[str, str]) -> Decision:
        """The decision; `renamed` maps the chain's key of an object to the key that it has here."""
        cursors = self.cursors
        steps = [self.rules.noted(self._verdict(index)) for index in range(len(self.locked.steps))]
        steps = with_frames(steps, self.locked, self.paths)
        final = fold(self.locked.effects, (s.index for s in steps if s.verdict != "blocked"), self.locked.base)
        return Decision(
            anchor=self.anchor.position,
            distance=self.anchor.distance,
            steps=steps,
            heal=cursors.heal,
            heal_conflicts=cursors.lost,
            drift=drift(self.locked.steps, self.paths, final, self.now, self.live),
            found=self.live,
            before=cursors.now,
            final=final,
            renamed=renamed,
            lent=self.lent,
            unfilled=frozenset(self.rules.emptied.unfilled),
            asked=frozenset(self.rows.asked),
        )

    def _uses_renamed(self, index: int, step: Step, effect: Effect) -> str:
        """A table or column that this step names and that a later step's rename, done early, has taken away."""
        for table in effect.locks:
            for key in self._rows_early.get(table, ()):
                is_taken = self.place.get(key, 0) > index + 1 and self.now.get(key) is None
                if is_taken and mentions(step.sql, identity_of(key)):
                    return key
        return ""

    @cached_property
    def _rows_early(self) -> dict[str, list[str]]:
        """By table, itself and its columns, where they are further along than the database."""
        found: dict[str, list[str]] = {}
        for key in self.place:
            if key.startswith(("table ", "column ")):
                found.setdefault(table_of(key), []).append(key)
        return found

    def _verdict(self, index: int) -> StepVerdict:
        step = self.locked.steps[index]
        before = self.standing.before_it(index)
        order = None if index in self.done else self.ordering.differing(step, index, before)
        found = {key: self.now.get(key) for key in self.locked.effects[index].set} if order else {}
        verdict = self._judged(index)
        if verdict.verdict == "reconcile" and index not in self.wish.applied and (why := self.rules.doubt.lacks(index)):
            return conflict(index, why)
        if index in self.done and verdict.verdict == "run":  # again; what it does is no fact, and changes none
            order = self.ordering.differing(step, index, before)
        if order and verdict.verdict in ("run", "complete") and index not in self.wish.run:
            if told := with_its_functions(verdict, step, self.locked.effects[index], self.unseen.reached(index, set())):
                return told
            if not (written := self.ordering.written(step, index, before)):
                return with_other_columns(index, step, order, found)
            verdict = verdict._replace(written=written)
        writes = verdict.verdict == "run" or (verdict.verdict == "complete" and verdict.statements)
        return self._written(verdict, said=index in self.wish.run) if writes and step.has_data else verdict

    def _written(self, verdict: StepVerdict, *, said: bool) -> StepVerdict:
        """The verdict of a step that is to write rows: can it, and will they be what they are in the chain?"""
        kept = self.unseen.kept_from(verdict, said=said)
        return kept if said or kept.verdict == "conflict" else self.beside.kept_from(kept)

    def _judged(self, index: int) -> StepVerdict:
        step, effect = self.locked.steps[index], self.locked.effects[index]
        if settled := self.settled.verdict(index):
            return settled
        if not effect.keys:
            if self.rules.is_where_it_ended(index):
                self.not_run.add(index)
            return self._goes_on(index, step, effect) if index in self.anchor.begun else self.rules.verdict(index)
        if step.repeatable:
            return self._repeatable(index, effect)
        if early := remade_early(index, self.paths, self.now, self.place, self.done, self.beside.facts):
            return self._made_anew(index, step, effect, early)
        if index in self.done:
            return self._before_anchor(index)
        if step.has_data and not step.guarded and (column := self.rules.emptied.reads(index)):
            return conflict(index, f"it reads {column}, whose values were lost")
        if column := self.rules.emptied.forbids(index):
            return conflict(index, f"it sets {column} NOT NULL, whose values were lost")
        return self._after_anchor(index, step, effect)

    def _repeatable(self, index: int, effect: Effect) -> StepVerdict:
        """A step that replaces whatever was there before it: it runs until its effect is there."""
        _, missing, strange = self.standing.sorted_facts(index, effect)
        self.standing.advance(effect, index)
        if missing or strange:
            return run(index, NOT_OF_THIS_TEXT)
        return StepVerdict(index=index, verdict="reconcile", reason="its effect is there")

    def _before_anchor(self, index: int) -> StepVerdict:
        effect = self.locked.effects[index]
        if (key := self.cursors.passed.get(index)) is not None:
            differences = (self._difference(key, self.cursors.wanted.get(key), self.live.get(key), index),)
            why = "it has not run, and a later step has renamed here already what it changes"
            return conflict(index, why, differences)
        if self.standing.has_passing(effect):
            return self._goes_on(index, self.locked.steps[index], effect)
        healed = sum(1 for key in effect.set if self.cursors.heal.get(key) == index)
        if healed == 0:
            return StepVerdict(index=index, verdict="reconcile", reason="its effect is there")
        made = (key for key in effect.set if key.startswith(("table ", "column ")) and key not in self.live)
        if any(self.cursors.heal.get(key) == index for key in made) and self.rules.has_left_no_row(index):
            self.not_run.add(index)
        total = len(effect.keys)
        return StepVerdict(
            index=index,
            verdict="reconcile",
            reason=f"{healed} of its {total} facts are missing and are healed first",
        )

    def _after_anchor(self, index: int, step: Step, effect: Effect) -> StepVerdict:
        if old := self._uses_renamed(index, step, effect):
            return conflict(index, f"it uses {old}, which is renamed here already by a later step")
        if index in self.anchor.begun:
            return self._goes_on(index, step, effect)
        there, missing, strange = self.standing.sorted_facts(index, effect)
        if not missing and self.standing.has_passing(effect):
            return self._goes_on(index, step, effect)
        if not missing and not strange:
            if column := self._not_converted(step, effect):
                why = f"it makes other values of {column}, and a later step has changed its type here already"
                return conflict(index, why, self._differences([f"column {column}"], effect, index))
            self.standing.advance(effect, index)
            return StepVerdict(index=index, verdict="reconcile", reason="its effect is there")
        differences = self._differences(strange, effect, index)
        grown = any(self.standing.grown_enum(key, self.now.get(key)) for key in missing)
        there = [key for key in there if not goes_by_itself(key, step, effect)]
        if not there and not strange and not grown:
            if self.standing.has_passing(effect):
                return self._partly_there(index, step, effect, missing, differences)
            if all(sets_text(key, effect, self.now) and self._has_later_type(key, index) for key in missing):
                return self._completed(index, effect, missing, "its column has the type of a later step already")
            return self._run(index, step, effect, NOTHING_OF_IT)
        if not there and not grown:
            return conflict(
                index,
                "what it has to change differs from what the chain ever made of it",
                differences,
            )
        return self._partly_there(index, step, effect, missing, differences)

    def _has_later_type(self, key: str, index: int) -> bool:
        """True for a fact of a column that a later step has retyped here already."""
        return self.place.get(f"column {identity_of(key)}", 0) > index + 1

    def _not_converted(self, step: Step, effect: Effect) -> str:
        """A column of a table with rows that has its type of a later step, while this one would make others of them."""
        names = converted(step)
        retyped = [key for key in effect.set if key.startswith("column ") and own_name(identity_of(key)) in names]
        early = [key for key in retyped if self.now.get(key) not in (None, effect.set[key])]
        by_type = [key for key in early if self.locked.steps[self.place.get(key, 0) - 1].tags == step.tags]
        return next((identity_of(key) for key in by_type if not self.rows.none_in([table_of(key)])), "")

    def _made_anew(self, index: int, step: Step, effect: Effect, early: Remade) -> StepVerdict:
        """What it makes is here in another form: that goes, and is made again."""
        said = early.said(index, self.locked.steps)
        if early.holder or any(self.now.get(key) is not None for key in effect.set if key not in early.own):
            return conflict(index, f"{said}; {early.holder} hangs on it" if early.holder else said)
        self._take_away(early.own)
        verdict = self._run(index, step, effect, f"{said}: it goes, and is made again")
        return verdict._replace(cleared=(early.key, *verdict.cleared))

    def _run(self, index: int, step: Step, effect: Effect, reason: str) -> StepVerdict:
        """It runs as written, and takes away what a later step has brought early, too."""
        helpers = early_helpers(step, index, self.paths, self.standing.passing)
        if needed := next((key for key in helpers if is_needed(key, self.now)), ""):
            return conflict(index, f"{needed}, which it makes on its way, is here already from a later step")
        self.standing.passes(effect)
        if not self.place and not self.standing.last_done:  # nothing is early
            self.standing.advance(effect, index)
            return StepVerdict(index=index, verdict="run", reason=reason, cleared=tuple(helpers))
        if any(
            is_under_both_names(one, self.standing.value_before(index), self.now) for one in renames_of(step, effect)
        ):
            return conflict(index, "something is called already as it is to call it")
        holders = early_holders(step, effect, self.standing.early(index), self.now)
        lost = [holder for holder in holders if gone_for_good(holder, effect, self.now)]
        views = views_of(holders) if lost else []  # their own steps make them again
        if kept := next((one for one in (*lost, *views) if one not in views or one not in self.place), ""):
            why = f"{kept}, made here already by a later step, hangs on what it drops"
            return conflict(index, why)
        elsewhere, kept = self._elsewhere(index, tables_taken("rename_stmt", step, effect))
        if kept:
            return conflict(index, kept)
        self._take_away((*with_leaves(views, self.now), *elsewhere))
        everything = {**self.now, **self.beside.facts}  # somebody's grants, too
        aside = with_leaves([holder for holder in holders if holder not in views], everything)
        taken = {key for key in effect.keys if takes(step, effect, key, self.now.get(key))}
        for key in taken:
            self.place.pop(key, None)
            self.now[key] = None if key in effect.gone else self.now.get(key)  # an enum with later labels, too
        for key in go_along(step, effect, self.place, self.now):
            self.place.pop(key)
            self.now[key] = self.paths.value_at(key, index + 1)
        self.standing.advance(effect, index)
        cleared = (*helpers, *views, *in_order_to_go(elsewhere))
        return StepVerdict(index=index, verdict="run", reason=reason, aside=aside, cleared=cleared)

    def _partly_there(
        self,
        index: int,
        step: Step,
        effect: Effect,
        missing: list[str],
        differences: tuple[Difference, ...],
    ) -> StepVerdict:
        removes, added = row_bearing(effect, index, self.paths, self.now)
        lacks_labels = all(
            self.standing.grown_enum(key, self.now.get(key)) for key in missing
        )  # each has a place of its own
        if effect.parts and not lacks_labels and (verdict := self._some_statements(index, step, effect)):
            return verdict
        if not missing:
            self.standing.advance(effect, index)
            return StepVerdict(
                index=index,
                verdict="reconcile",
                reason="its effect is there, but for what differs",
                differences=differences,
            )
        is_of_type = step.tags == ("rename_stmt",) and any(kind_of(key) in TYPES for key in missing)
        retyped = [key for key in effect.set if is_of_type and key.startswith("column ") and key not in missing]
        if retyped:
            why = f"it renames a type, and {retyped[0]}, which is of it, is here as a later step makes it"
            return conflict(index, why, self._differences(missing, effect, index))
        left = [key for key in missing if key in removes]
        if removes and any(key in removes or key in added for key in missing):
            made = [
                key for key, value in effect.set.items() if kind_of(key) in _MADE_ONCE and self.now.get(key) == value
            ]
            begun = any(self.now.get(key) is not None for key in (*added, *made) if key not in removes)
            begun = begun or self.standing.has_passing(effect)
            if all(self.now.get(key) is not None for key in removes) and not begun:
                return self._run(index, step, effect, "what it removes or renames is still there")
            left = left or missing
        if left and (text := drops_alone(step, effect, missing, self.cursors.now, self.paths)):
            self.standing.advance(effect, index)
            why = "only columns that this run makes are left for it to take away"
            return StepVerdict(index=index, verdict="complete", reason=why, statements=(0,), written={0: text})
        if left or (step.has_data and not step.guarded) or self.standing.has_passing(effect):
            why = "half of it is there, and completing it could lose rows or skip work"
            return conflict(index, why, self._differences(missing, effect, index))
        why = f"{len(missing)} of its {len(effect.keys)} facts are missing"
        return self._completed(index, effect, missing, why)._replace(differences=differences)

    def _completed(self, index: int, effect: Effect, missing: Sequence[str], why: str) -> StepVerdict:
        """The facts that are missing are made from what they are in the chain."""
        found = {key: self.now.get(key) for key in missing}
        self.standing.advance(effect, index)
        return StepVerdict(index=index, verdict="complete", reason=why, found=found, missing=tuple(missing))

    def _goes_on(self, index: int, step: Step, effect: Effect) -> StepVerdict:
        """The step was left in its middle: with the statements that have not run, where one can tell which."""
        unclear = conflict(index, "some of its statements have run")
        return self._some_statements(index, step, effect) or unclear

    def _some_statements(self, index: int, step: Step, effect: Effect) -> StepVerdict | None:
        """Complete a step of several statements with those that have not run."""
        if early_helpers(step, index, self.paths, self.standing.passing):
            return None
        state = {**self.now, **self.standing.passing, **self.standing.within(effect)}
        beyond, before = (lambda key: self.place.get(key, -1) > index), self.standing.value_before(index)
        begun = self.anchor.begun.get(index, 0)
        chosen = Partly(step, effect, state, self.rows, before, beyond, begun).statements_to_run()
        if not chosen:
            return None
        elsewhere, kept = self._elsewhere(index, tables_taken("rename_stmt", step, effect, chosen))
        if kept:
            return conflict(index, kept)
        self._take_away(elsewhere)
        self.standing.passes(effect)
        for one in (*(effect.parts[position] for position in chosen), effect):  # what is as it was may be made again
            self.standing.advance(one, index)
        return StepVerdict(
            index=index,
            verdict="complete",
            reason=f"{len(chosen)} of its {len(step.statements)} statements have not run",
            statements=tuple(chosen),
            cleared=tuple(in_order_to_go(elsewhere)),
        )

    def _elsewhere(self, index: int, renamed: set[str]) -> tuple[list[str], str]:
        """What was made early for other tables of these names, and why it cannot go, to be made again for them."""
        elsewhere = goes_elsewhere(renamed, index, self.place, self.now, self.paths) if renamed else []
        was = self.standing.value_before(index)
        kept = next((key for key in elsewhere if not can_go(key, was(key), elsewhere, self.rows)), "")
        return (
            elsewhere,
            f"{kept}, made here already for a later table of this name, would go with this one" if kept else "",
        )

    def _take_away(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.place.pop(key, None)
            self.now[key] = None

    def _differences(self, keys: Iterable[str], effect: Effect, index: int) -> tuple[Difference, ...]:
        return tuple(self._difference(key, effect.set.get(key), self.now.get(key), index) for key in keys)

    def _difference(self, key: str, wanted: Value, found: Value, index: int) -> Difference:
        return difference(self.locked.steps, key, wanted, found, index)
