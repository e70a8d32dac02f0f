"""Turn verdicts into the statements that will be sent, in order: healing first, then each pending step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from trueup.catalog.keys import TYPES, identity_of, kind_of, mentions, owner_of, parts, table_of
from trueup.chain.model import LockedChain, Step
from trueup.decide.asking import as_named_here
from trueup.decide.model import Conflict, Decision, Difference, StepVerdict
from trueup.decide.trajectory import Trajectories, fold
from trueup.planning import conflicts
from trueup.planning.around import Former, around, as_it_was
from trueup.planning.backfill import backfill_of
from trueup.planning.begun import Begun
from trueup.planning.doubles import doubles
from trueup.planning.live import Live
from trueup.planning.makers import Makers
from trueup.planning.model import Action, Plan
from trueup.planning.overloads import functions_there, with_arguments
from trueup.planning.safely import Safely
from trueup.render.objects import drop
from trueup.render.render import CannotRender, Rendered, render
from trueup.render.tables import drop_column, has_values

if TYPE_CHECKING:
    from trueup.planning.filling import Filling
    from trueup.planning.probes import Probe

_CODE = ("function", "procedure")
_READ = ("view", "materialized view")


def build(
    locked: LockedChain,
    decision: Decision,
    *,
    paths: Trajectories | None = None,
    live: Live | None = None,
    begun: Begun | None = None,
) -> Plan:
    """The plan for a decision. Facts that cannot be made from their values become conflicts in it.

    Args:
        live: How big the tables are; by default none is big, and everything is sent as written.
        begun: Steps that an earlier run began in parts.
    """
    live, begun = live or Live(), begun or Begun(steps=(), facts=decision.found)
    paths = paths or Trajectories(locked.effects, locked.base)
    return _Building(locked, decision, paths, live, begun).plan()._replace(live=live)


class _Building:
    def __init__(self, locked: LockedChain, decision: Decision, paths: Trajectories, live: Live, begun: Begun) -> None:
        self.locked = locked
        self.decision = decision
        self.paths = paths
        self.makers = Makers(locked, paths)
        self.relations = live.relations
        self.doubled: set[str] = set()  # what was made twice, and goes once
        self.safely = Safely(locked, live, begun.facts, begun.steps)
        self.begun = begun
        self.conflicts: list[Conflict] = []
        self.probes: list[Probe] = []

    @cached_property
    def filling(self) -> Filling:
        from trueup.planning.filling import Filling  # it reads statements: nothing that a first run waits for

        return Filling(self.locked, self.decision, self.safely, self.begun.fills)

    def plan(self) -> Plan:
        decision = self.decision
        self.conflicts += conflicts.of(self.locked, decision)
        lost = decision.heal_conflicts  # what hangs on a lost table cannot be made before it
        first, later = self._in_order([] if lost else self._heal())
        actions = [*self._reorders(), *self._renames(), *self._around(first, {})]
        for verdict in decision.pending:
            step = self.locked.steps[verdict.index]
            if verdict.verdict == "run":
                sent = self.safely.sent_as(self._run(step, verdict))
            else:
                sent = self._complete(step, verdict)
            actions += self._around(sent, verdict.aside, list(self._former(verdict)))
            actions += self._around(later.get(verdict.index, []), {})
        self.conflicts += self.safely.conflicts
        return Plan(
            decision=decision,
            actions=tuple(actions),
            settled=tuple(v.index for v in decision.steps if v.verdict in ("reconcile", "assume")),
            conflicts=tuple(self.conflicts),
            probes=tuple(self.probes),
        )

    def _around(self, actions: list[Action], aside: Mapping[str, str], former: Sequence[Former] = ()) -> list[Action]:
        found, refused = around(actions, self.decision.lent, aside, former)
        self.conflicts += refused
        return found

    def _former(self, verdict: StepVerdict) -> Iterator[Former]:
        """What is what it was, for a step: of a function the text is the chain's, where it has one."""
        here, source = self.decision.found, self.makers.source
        for key, was in sorted(verdict.former.items(), key=lambda item: kind_of(item[0]) not in _CODE):
            if kind_of(key) not in _CODE:
                yield as_it_was(key, was)
            elif (begins := source(key, was)) and key not in here:
                yield Former(key, (begins,), tuple(drop(key)))
            elif begins and (ends := source(key, here[key])):
                place = self.paths.last_place(key, here[key])
                is_made_anew = self.paths.taken_away(key, verdict.index + 1, place)
                gone = drop(key) if is_made_anew else []  # so it has to be
                yield Former(key, (*gone, begins), (*gone, ends))

    def _reorders(self) -> list[Action]:
        """Labels that no row has change places."""
        return [
            Action(
                step=None,
                id=f"order of {one.enum}",
                verdict="heal",
                reason=f"the chain has {', '.join(now for _, now in one.moved)} in this order, and no row has them",
                statements=one.statements,
                keys=(one.enum,),
                marks=False,
            )
            for one in self.decision.reordered
        ]

    def _renames(self) -> list[Action]:
        """Objects that go by another name here and that a pending step or a comment names."""
        pending = [self.locked.steps[v.index] for v in self.decision.pending]
        actions = []
        for key, here in self.decision.renamed.items():
            name = parts(identity_of(key))[-1]
            commented = self.decision.before.get(f"comment on {key}") is not None
            if not commented and not any(mentions(step.sql, identity_of(key)) for step in pending):
                continue
            actions.append(
                Action(
                    step=None,
                    id=f"rename {here}",
                    verdict="heal",
                    reason=f"{'its comment' if commented else 'a pending step'} calls it {name}",
                    statements=(_rename(here, name),),
                    keys=(key,),
                    marks=False,
                ),
            )
        return actions

    def _heal(self) -> list[Action]:
        decision = self.decision
        if not decision.heal:
            return []
        wanted = fold(self.locked.effects, [v.index for v in decision.steps if self._held(v)], self.locked.base)
        found = {key: value for key, value in decision.before.items() if key not in decision.heal}
        found |= {key: decision.found.get(key) for key in decision.heal}
        healing = []
        for one in self._rendered(decision.heal, wanted, found):
            key, identity = one.keys[0], identity_of(one.keys[0])
            column = f"column {identity}"
            if kind_of(key) == "not null" and self.filling.is_due(column):
                healing += self.filling.actions(column)
            action = Action(
                step=None,
                id=_called(one.keys),
                verdict="heal",
                reason=self._why_healed(key),
                statements=one.statements,
                keys=one.keys,
                marks=False,
                context=self._context_of(key),
            )
            healing += self.safely.sent_as(action, wanted)
            is_set_with_it = key == column and f"not null {identity}" in decision.heal and has_values(identity, wanted)
            healing += self.filling.actions(column) if is_set_with_it else []
        return healing

    def _in_order(self, healing: list[Action]) -> tuple[list[Action], dict[int, list[Action]]]:
        """Healing that comes first, and by pending step what needs a table that it makes, for only its mark is gone."""
        if not healing:
            return [], {}
        before = self.decision.before
        made = {
            identity_of(key): verdict.index
            for verdict in self.decision.pending
            for key in self.locked.effects[verdict.index].set
            if kind_of(key) == "table" and before.get(key) is None
        }
        made = {name: at for name, at in made.items() if not any(before.get(f"{kind} {name}") for kind in TYPES)}
        first: list[Action] = []
        later: dict[int, list[Action]] = {}
        waiting: dict[str, int] = {}  # facts that are healed behind a step
        names = _any_of(made)
        for action in healing if made else ():
            values = (before.get(key) or "" for key in action.keys)  # where the text does not qualify names
            named = (name for text in (*action.statements, *values) for name in names.findall(text))
            owned = (waiting[owner] for key in action.keys if (owner := owner_of(key)) in waiting)
            after = max((*(made[name] for name in named), *owned), default=-1)
            if after < 0:
                first.append(action)
                continue
            later.setdefault(after, []).append(action)
            waiting.update(dict.fromkeys(action.keys, after))
            if read := {identity_of(key): after for key in action.keys if kind_of(key) in _READ}:
                made |= read
                names = _any_of(made)
        return (first, later) if made else (healing, {})

    def _held(self, verdict: StepVerdict) -> bool:
        """Steps whose effect is taken as there when healing starts."""
        return (verdict.index < self.decision.anchor and verdict.verdict != "blocked") or verdict.verdict == "skip"

    def _why_healed(self, key: str) -> str:
        """In plain words: missing or different, and which step brought it."""
        index = self.decision.heal.get(key, -1)
        origin = f"; step {self.locked.steps[index].id} made it" if index >= 0 else ""
        return ("missing" if self.decision.found.get(key) is None else "differs") + origin

    def _complete(self, step: Step, verdict: StepVerdict) -> list[Action]:
        written = (*_cleared(verdict.cleared), *self._written(step, verdict, verdict.statements))
        if written and not verdict.missing:
            return self.safely.sent_as(self._run(step, verdict)._replace(verdict="complete", statements=written))
        effect = self.locked.effects[verdict.index]
        wanted: dict[str, str | None] = {**dict(effect.set), **dict.fromkeys(effect.gone)}
        for key in effect.set:  # facets of a column come with it, and a table's columns with the table
            owner = owner_of(key)
            if owner and owner not in wanted:
                wanted[owner] = self.paths.value_at(owner, verdict.index + 1)
        found = {key: None if key in verdict.missing else value for key, value in effect.set.items()}
        found |= verdict.found
        known = len(self.conflicts)
        rendered = self._rendered(verdict.missing, wanted, found)
        if not rendered and len(self.conflicts) == known:
            self.conflicts.append(conflicts.cannot_complete(step.id, verdict, wanted, found))
        actions = []
        for one in rendered:
            action = Action(
                step=verdict.index,
                id=step.id,
                verdict="complete",
                reason=verdict.reason,
                statements=(*written, *one.statements) if one is rendered[0] else one.statements,
                keys=one.keys,
                marks=one is rendered[-1],
                context=step.context,
            )
            actions += self.safely.sent_as(action, wanted)
        return actions

    def _rendered(
        self, keys: Iterable[str], wanted: dict[str, str | None], found: dict[str, str | None]
    ) -> list[Rendered]:
        """The DDL that makes these facts; a conflict, where there is none. What the rows have to allow is asked."""
        from trueup.planning.probes import probes

        keys = [key for key in keys if not self._comes_with_parent(key)]
        asked = probes(keys, wanted, {**self.decision.found, **found}, self.filling.columns(keys))
        lent = tuple(self.decision.lent)
        self.probes += [probe._replace(sql=as_named_here(probe.sql, lent)) for probe in asked]
        try:
            made = render(
                keys,
                wanted,
                found,
                made_by=lambda key: self.makers.place(key, wanted.get(key)),
                source=lambda key: self.makers.source(key, wanted.get(key)),
                renamed=self.decision.renamed,
            )
        except CannotRender as error:
            value = wanted.get(error.key)
            maker = self.makers.step(error.key, value)
            difference = Difference(
                fact=error.key, wanted=value, found=found.get(error.key), origin=maker.id if maker else ""
            )
            self.conflicts.append(conflicts.cannot_make(difference, error.why))
            return []
        return [self._with_owner(one, wanted) for one in made]

    def _with_owner(self, made: Rendered, wanted: Mapping[str, str | None]) -> Rendered:
        """A sequence has to be owned by whom its table is owned by before it can be a column's."""
        key = made.keys[0]
        relation = self.relations.get(table_of(f"column {wanted[key]}")) if kind_of(key) == "sequence owner" else None
        if relation is None or not relation.owner:
            return made
        return made._replace(
            statements=(f"ALTER SEQUENCE {identity_of(key)} OWNER TO {relation.owner}", *made.statements)
        )

    def _comes_with_parent(self, key: str) -> bool:
        """A column of a partition: it is made on the partitioned table. Its default and the like may be its own."""
        if kind_of(key) != "column":
            return False
        bounds = [value for _, value in self.paths.of.get(f"partition {table_of(key)}", ()) if value]
        parents = {bound.removeprefix("PARTITION OF ").split(" ")[0] for bound in bounds}
        return any(f"column {parent}.{parts(identity_of(key))[-1]}" in self.paths.of for parent in parents)

    def _context_of(self, key: str) -> tuple[str, ...]:
        """The settings that hold for the text of a function or trigger."""
        if kind_of(key) not in ("function", "procedure", "trigger", "view"):
            return ()
        index = self.decision.heal.get(key, -1)
        return self.locked.steps[index].context if index >= 0 else ()

    def _run(self, step: Step, verdict: StepVerdict) -> Action:
        effect = self.locked.effects[verdict.index]
        double = [key for key in doubles(effect, self.begun.facts, self.paths.of) if key not in self.doubled]
        self.doubled.update(double)
        return Action(
            step=verdict.index,
            id=step.id,
            verdict="run",
            reason=verdict.reason,
            statements=(
                *_cleared((*verdict.cleared, *double)),
                *self._written(step, verdict, range(len(step.statements))),
            ),
            keys=tuple(effect.set),
            transaction=not step.no_transaction,
            context=step.context,
            backfill=backfill_of(step) if step.backfill else None,
            why=f"{', '.join(double)} is what it makes, made before it" if double else "",
        )

    def _written(self, step: Step, verdict: StepVerdict, positions: Iterable[int]) -> tuple[str, ...]:
        """These statements of a step, unmistakable for a database that is not quite the chain's."""
        effect = self.locked.effects[verdict.index]
        parts = effect.parts or (effect,) * len(step.statements)
        texts = ((verdict.written.get(i, step.statements[i]), parts[i]) for i in positions)
        return tuple(with_arguments(text, part, self._functions) for text, part in texts)

    @cached_property
    def _functions(self) -> list[str]:
        return functions_there(self.decision.found)


def _any_of(names: Iterable[str]) -> re.Pattern[str]:
    """Finds qualified names in a statement."""
    return re.compile(rf'(?<![\w".])(?:{"|".join(map(re.escape, names))})(?![\w"])')


def _cleared(keys: Iterable[str]) -> Iterator[str]:
    """What takes these facts away."""
    for key in keys:
        yield from [drop_column(identity_of(key))] if kind_of(key) == "column" else drop(key)


def _called(keys: tuple[str, ...]) -> str:
    """The name of a healing: its fact; of several of a kind, which go in one statement, the first and their number."""
    more = sum(kind_of(key) == kind_of(keys[0]) for key in keys[1:])
    return f"{keys[0]} and {more} more" if more and kind_of(keys[0]) == "default" else keys[0]


def _rename(here: str, name: str) -> str:
    if kind_of(here) in ("index", "enum"):
        return f"ALTER {'INDEX' if kind_of(here) == 'index' else 'TYPE'} {identity_of(here)} RENAME TO {name}"
    return f"ALTER TABLE {table_of(here)} RENAME CONSTRAINT {parts(identity_of(here))[-1]} TO {name}"
