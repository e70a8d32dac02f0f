"""Actions of a plan as they are really sent: in their safe form, where the written one would be felt."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from trueup.catalog.keys import identity_of, parts, table_of, unquoted
from trueup.chain.grammar import nodes_of, parse_statements
from trueup.chain.locks import MODES, STRONG
from trueup.chain.model import Effect, LockedChain, Step
from trueup.decide.model import Conflict
from trueup.errors import MigrationError
from trueup.planning.backfill import Backfill, backfill_of
from trueup.planning.live import Live, table_on, vacuumed
from trueup.planning.model import Action

if TYPE_CHECKING:
    from trueup.chain.grammar import Statement
    from trueup.planning.safe.model import Hazard, Part, Work


class Safely:
    """Goes through the actions in their order, and knows what the tables are called and hold by then.

    Args:
        facts: The database as it is.
        unfinished: Steps that an earlier run began in parts: what is there of them is not done again.
    """

    def __init__(
        self, locked: LockedChain, live: Live, facts: Mapping[str, str], unfinished: Collection[int] = ()
    ) -> None:
        self._locked = locked
        self._live = live
        self._facts: dict[str, str | None] = dict(facts)
        self._unfinished = unfinished
        self._names: dict[str, str] = {}  # the table's name by now → the one it has here
        self._made: set[str] = set()
        self._taken: set[str] = set()
        self._keyed: dict[str, bool] = {}  # tables whose primary key comes or goes on the way
        self.conflicts: list[Conflict] = []

    def sent_as(self, action: Action, wanted: Mapping[str, str | None] | None = None) -> list[Action]:
        """The actions that carry one out. `wanted` are the values of what a healing makes."""
        effect = self._effect(action, wanted or {})
        as_written = action._replace(locks=effect.locks)
        felt = [table for table in effect.locks if self._is_felt(table)]
        resumed = action.step in self._unfinished
        found = [as_written]
        if not (action.backfill or self._is_as_written(action)) and (felt or resumed):
            found = self._safe(action, effect, felt, resumed=resumed) or found
        self._advance(action, effect)
        return found

    def in_batches(self, step: Step, name: str, table: str) -> Backfill | None:
        """A step of rows as a backfill, where its table is big and it can be divided."""
        here = self._live.relations.get(table)
        if not here or not here.has_key or not self._is_felt(table) or step.as_written:
            return None
        try:
            return backfill_of(step)._replace(name=name)
        except MigrationError:
            return None

    def _effect(self, action: Action, wanted: Mapping[str, str | None]) -> Effect:
        """What was observed of the step; of a healing the worst is taken."""
        if action.step is not None and action.verdict == "run":
            full = vacuumed(self._locked.steps[action.step])
            effect = self._locked.effects[action.step]
            return effect._replace(locks=dict.fromkeys(full, "AE"), rewritten=full) if full else effect
        made = {key: value for key in action.keys if (value := wanted.get(key)) is not None}
        tables = {table_on(key, made.get(key) or self._facts.get(key), self._facts) for key in action.keys} - {""}
        return Effect(
            set=made,
            gone=tuple(key for key in action.keys if key not in made),
            locks=dict.fromkeys(sorted(tables), "AE"),
            scanned=tuple(sorted(tables)),
        )

    def _safe(self, action: Action, effect: Effect, felt: list[str], *, resumed: bool) -> list[Action]:
        """What carries it out without being felt; nothing, where it is sent as written."""
        from trueup.planning.safe.model import Hazard  # most runs never need any of it

        try:
            found = self._parts(action, effect, felt, resumed=resumed)
        except Hazard as hazard:
            if any(map(self._is_big, effect.locks)):  # elsewhere it takes no time, however many use the table
                self.conflicts.append(self._conflict(action, effect, hazard))
            return []
        return self._actions(action, self._left(found, resumed=resumed), resumed=resumed) if found else []

    def _parts(self, action: Action, effect: Effect, felt: list[str], *, resumed: bool) -> tuple[Part, ...]:
        from trueup.planning.safe.form import parts_together, safe_parts

        statements = [one for text in action.statements for one in parse_statements(text)]
        table = _target(statements[0], effect.locks)
        if felt and not (resumed and table) and table not in felt:
            table = felt[0]
        work = self._work(action, effect, statements[0], table)
        slow = resumed or any(self._is_slow(effect, one) for one in felt)
        if len(statements) == 1:
            observed = slow and action.verdict == "run" and not resumed
            return safe_parts(work, is_slow=slow, is_observed=observed)
        found = parts_together(work, statements) if slow else ()
        if not found:
            self._refuse_together(action, effect, felt)
        return found

    def _is_as_written(self, action: Action) -> bool:
        return action.step is not None and self._locked.steps[action.step].as_written

    def _work(self, action: Action, effect: Effect, statement: Statement, table: str) -> Work:
        from trueup.planning.safe.model import Work

        return Work(
            statement=statement,
            table=table,
            set=effect.set,
            gone=effect.gone,
            locks=effect.locks,
            rewritten=effect.rewritten,
            scanned=effect.scanned,
            live=self._as_named_now(),
            name=action.id,
            facts=self._facts,
            taken=self._taken,
        )

    def _left(self, found: tuple[Part, ...], *, resumed: bool) -> list[Part]:
        """The parts that are still to be sent."""
        if not resumed:
            return list(found)
        from trueup.planning.safe.model import Part

        left = [part for part in found if not part.makes or not self._has(part.makes)]
        return left or [Part(statements=(), why="everything of it is there", locks={})]

    def _has(self, makes: Mapping[str, str | None]) -> bool:
        return all(self._facts.get(key) == value for key, value in makes.items())

    def _actions(self, action: Action, found: list[Part], *, resumed: bool) -> list[Action]:
        return [
            action._replace(
                statements=part.statements,
                transaction=part.transaction,
                marks=action.marks and part is found[-1],
                unfinished=action.step is not None and action.verdict == "run" and part is not found[-1],
                splits=action.verdict == "run" and (resumed or len(found) > 1),
                keys=(*part.helpers, *(key for key, value in part.makes.items() if value is not None)),
                locks=part.locks,
                why=part.why,
                unhurried=part.unhurried,
                backfill=part.backfill,
                context=(*action.context, *part.settings),
            )
            for part in found
        ]

    def _refuse_together(self, action: Action, effect: Effect, felt: list[str]) -> None:
        """Several statements in one transaction: their locks add up, and are held until the last one is done."""
        from trueup.planning.safe.model import READS_NOTHING, Hazard

        if action.step is None or action.verdict != "run" or READS_NOTHING & {*self._locked.steps[action.step].tags}:
            return
        for table in felt:
            if self._is_slow(effect, table):
                what = "writes" if table in effect.rewritten else "reads"
                raise Hazard(table, f"it {what} the whole table in one transaction with other statements")

    def _is_slow(self, effect: Effect, table: str) -> bool:
        """Observed: a table that others use is read or written as a whole while they wait."""
        return effect.locks.get(table) in STRONG and (table in effect.scanned or table in effect.rewritten)

    def _is_big(self, table: str) -> bool:
        return table not in self._made and self._live.is_big(self._names.get(table, table))

    def _is_felt(self, table: str) -> bool:
        return table not in self._made and self._live.is_felt(self._names.get(table, table))

    def _as_named_now(self) -> Live:
        if not self._names and not self._keyed:
            return self._live
        changed = {now: self._live.relations[here] for now, here in self._names.items()}
        relations = ChainMap(changed, self._live.relations)  # type: ignore[arg-type]  # only read
        for table in self._keyed:
            changed[table] = relations[table]._replace(has_key=self._keyed[table])
        return self._live._replace(relations=relations)

    def _advance(self, action: Action, effect: Effect) -> None:
        """What is there and what it is called when the next action comes."""
        if self._live.relations:  # else there is no table that anybody could wait for
            self._follow(action, effect)
        self._facts.update(effect.set)
        self._facts.update(dict.fromkeys(effect.gone))

    def _follow(self, action: Action, effect: Effect) -> None:
        """What the tables are called, which are new, and whether they have a primary key."""
        renamed = _renamed(action.statements, effect)
        for old, new in renamed.items():
            here = self._names.pop(old, old)
            if old in self._made:
                self._made.add(new)
            elif here in self._live.relations:
                self._names[new] = here
        for key in effect.set:
            if key.startswith("table ") and (name := identity_of(key)) not in renamed.values():
                self._made.add(name)
        for keys, is_there in ((effect.gone, False), (effect.set, True)):
            for key in keys:
                if not key.startswith("constraint "):
                    continue
                table = table_of(key)
                is_used = table not in self._made and self._names.get(table, table) in self._live.relations
                if is_used and _is_primary(effect.set.get(key) or self._facts.get(key)):
                    self._keyed[table] = is_there

    def _conflict(self, action: Action, effect: Effect, hazard: Hazard) -> Conflict:
        here = self._names.get(hazard.table, hazard.table)
        size = self._live.relations.get(here)
        mode = effect.locks.get(hazard.table, "AE")
        return Conflict(
            about=action.id,
            why=f"on {hazard.table} ({size}) {hazard.why}, under {MODES[mode]}: everybody who uses it would wait",
            hint="If that may be, at a quiet time, write `-- as written` above the statement and lock again; else "
            "divide the work: `trueup lint` shows how.",
        )


def _is_primary(value: str | None) -> bool:
    return bool(value and value.startswith("PRIMARY KEY"))


def _target(statement: Statement, locks: Mapping[str, str]) -> str:
    """The table that a statement is about, by the name that the lock file has for it."""
    node = statement.node
    if statement.tag == "create_stmt":
        node = node.inh_relations[0].range_var if node.inh_relations else node
        named = [node] if node.DESCRIPTOR.name == "RangeVar" else []
    elif statement.tag in ("alter_table_stmt", "index_stmt"):
        named = [node.relation]
    else:
        named = list(nodes_of(node, "RangeVar"))
    for relation in named:
        for table in locks:
            schema, name = (unquoted(part) for part in parts(table)[:2])
            if name == relation.relname and relation.schemaname in ("", schema):
                return table
    return next(iter(locks), "") if len(locks) == 1 else ""


def _renamed(statements: tuple[str, ...], effect: Effect) -> dict[str, str]:
    """Tables that get another name: old → new."""
    gone = [identity_of(key) for key in effect.gone if key.startswith("table ")]
    if not gone or not any("rename" in text.lower() or "set schema" in text.lower() for text in statements):
        return {}
    made = [identity_of(key) for key in effect.set if key.startswith("table ")]
    return dict(zip(gone, made, strict=False)) if len(gone) == len(made) else {}
