"""Look at a database and say what it needs: snapshot, ledger, decision, plan, report. Writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection

from trueup.catalog.keys import literal, owner_of, schemas_of
from trueup.chain.model import LockedChain
from trueup.chain.reading import IS_REFUSED
from trueup.decide.decide import decide
from trueup.decide.model import Decision, Difference, StepVerdict, Wish
from trueup.decide.trajectory import Trajectories
from trueup.errors import DatabaseIsNewer, UnknownDatabase, UsageError
from trueup.planning.begun import Begun, as_before
from trueup.planning.build import build
from trueup.planning.conflicts import rows_in_the_way
from trueup.planning.healing import Heal, in_the_way, without_left
from trueup.planning.leaving import cascading, leaving
from trueup.planning.live import BIG_BYTES, BIG_ROWS, Live, tables_touched
from trueup.planning.model import Action, Plan
from trueup.planning.twins import twins
from trueup.report import PartReport, Report, StepReport
from trueup.run import ledger
from trueup.run.accepted import split_accepted
from trueup.run.backfill.key import Divided, divided
from trueup.run.backfill.position import unfinished
from trueup.run.execute import Limits
from trueup.run.hanging import going_along, hanging
from trueup.run.lease import MARK
from trueup.run.permitted import not_permitted
from trueup.run.search_path import led_elsewhere
from trueup.run.seen import Early, Seen, scope_of, see
from trueup.run.sizes import sizes
from trueup.words import counted

_OF_VALUES = "22"  # a class of errors
_SEE_ALL_ROWS = "; SET LOCAL row_security = off; SET LOCAL statement_timeout = '5s'"
"""An error where row security would hide some, or where it takes long: then nothing is known of the rows."""


class Options(NamedTuple):
    """What a caller can ask of a run."""

    to: str = ""
    contract: bool = False
    keep_going: bool = False
    heal: Heal = "on"
    first_run: bool = False
    applied: Collection[str] = ()
    run: Collection[str] = ()
    limits: Limits = Limits()
    big_rows: int = BIG_ROWS
    big_bytes: int = BIG_BYTES

    @property
    def phase(self) -> str:
        """Which completions this run can be compared with."""
        target = f":{self.to}" if self.to else ""
        return (
            ("contract" if self.contract else "expand") + target + ("" if self.heal == "on" else f":heal-{self.heal}")
        )


class Assessment(NamedTuple):
    """What a look at the database says."""

    plan: Plan
    report: Report
    ledger: ledger.Ledger
    seen: Seen


class Assessor:
    """Looks at one database with one chain in mind, as often as it is asked to."""

    def __init__(
        self, locked: LockedChain, conn: Connection[Any], options: Options, early: Early | None = None
    ) -> None:
        self.locked = locked
        self.chain = locked.chain
        self.conn = conn
        self.options = options
        self.has_sessions = True  # of the way that was there first: the plan that was shown is the one that runs
        self.paths = Trajectories(locked.effects, locked.base)
        self.scope = scope_of(locked)
        self._early = early
        self.index_of = {name: i for i, step in enumerate(self.chain.steps) for name in (step.id, *step.former)}

    def assess(self, before: Seen | None = None) -> Assessment:
        """Snapshot, decide and plan; writes nothing.

        Args:
            before: Taken for the snapshot where the catalog has not changed since: for a caller that has sent nothing
                that changes a fact.

        Raises:
            DatabaseIsNewer: the ledger has marks that this chain does not know.
        """
        marks = ledger.read(self.conn, self.chain)
        if marks.unknown:
            raise DatabaseIsNewer(
                f"the database is ahead of this code: its ledger has {counted(len(marks.unknown), 'step')} that "
                f"this chain does not know, such as {marks.unknown[0]}",
                unknown=marks.unknown,
                hint="Deploy the newer code's migrations. (A step that was renamed says so: -- step: NEW (was OLD).)",
            )
        early = self._early() if self._early else None
        self._early = None
        seen = see(self.conn, self.scope, before or early)  # after the marks: what is marked by then is there
        facts = seen.facts
        decision = self._decide(as_before(facts, marks.begun, self.paths), marks)
        were_true = self._were_true(decision, marks)
        healed, left = without_left(decision, self.options.heal, were_true)
        fills = unfinished(self.conn, self.chain.name) if healed.heal else ()
        plan = self._build(healed, Begun(marks.begun, facts, fills))
        stopped = (*plan.conflicts, *in_the_way(self.locked, healed, left, decision.before))
        stopped += tuple(twins(self.locked, healed, self.paths, facts))
        if plan.actions and facts and not (stopped or marks.begun):  # a safe form goes on with parts of its own
            from trueup.planning.rehearsal.rehearse import rehearsed  # nothing that a first run waits for

            stopped = tuple(rehearsed(plan, self.locked, facts, self.paths, to_the_end=not left))
        if plan.actions and not stopped:
            said = {self.index(name) for name in self.options.run}
            permitted = not_permitted(self.conn, plan, self.locked, marks.marks.own, said)
            stopped = (*led_elsewhere(self.conn, self.locked), *permitted)
        plan = self._probed(plan._replace(conflicts=stopped))
        return Assessment(plan, self._report(plan, decision, left, were_true), marks, seen)

    def _were_true(self, decision: Decision, marks: ledger.Ledger) -> Collection[str]:
        """Of what is not as it must be, what was so at the last proof; asked only where there is any."""
        if not (decision.heal or decision.drift) or not marks.marks.done or marks.adopted:
            return ()
        return ledger.last_proof(self.conn, self.chain).were_true(self.locked, decision)

    def _build(self, decision: Decision, begun: Begun) -> Plan:
        """The plan, for tables as big as these are."""
        live = Live(
            relations=sizes(self.conn, tables_touched(self.locked, decision)),
            major=self.conn.info.server_version // 10000,
            big_rows=self.options.big_rows,
            big_bytes=self.options.big_bytes,
            has_sessions=self.has_sessions,
        )
        return build(self.locked, decision, paths=self.paths, live=live, begun=begun)

    def _decide(self, live: Mapping[str, str], marks: ledger.Ledger) -> Decision:
        """Decide; where only the rows can tell whether a data step was run, ask them and decide again."""
        wish = self._wish(marks)
        while True:
            decision = decide(self.locked, live, marks.marks, wish, paths=self.paths)
            unknown = sorted(set(decision.asked) - wish.rows.keys())
            if not unknown:
                return decision
            answers = {query: self._ask(query, settings=_SEE_ALL_ROWS) for query in unknown}
            wish = wish._replace(rows={**wish.rows, **answers})

    def assess_as(self, options: Options) -> Assessment:
        """The same under other options."""
        own, self.options = self.options, options
        try:
            return self.assess()
        finally:
            self.options = own

    def _probed(self, plan: Plan) -> Plan:
        """Ask the rows whether they stand in the way of what is to be made, and what hangs on what is to go."""
        wanted, found = plan.decision.final, plan.decision.found
        broken = [
            rows_in_the_way(probe, wanted.get(probe.fact), found.get(probe.fact))
            for probe in plan.probes
            if self._ask(probe.sql)
        ]
        known = {*self.paths.of, *self.paths.passing, *plan.decision.renamed.values()}
        broken += hanging(self.conn, list(leaving(self.locked, plan.decision, self.paths)), known)
        broken += going_along(self.conn, list(cascading(self.locked, plan.decision)), known)
        return plan._replace(conflicts=(*plan.conflicts, *broken)) if broken else plan

    def refuse_unknown(self, plan: Plan) -> None:
        """Stop where this looks like somebody else's database.

        Raises:
            UnknownDatabase: where the chain makes its own, there are tables, but none of them, and no ledger.
        """
        makes = schemas_of(key for key in self.paths.of if key.startswith("table "))
        if self.options.first_run or plan.decision.found or not makes:
            return
        tables = self.conn.execute(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            f"WHERE c.relkind IN ('r', 'p') AND n.nspname IN ({', '.join(map(literal, {*makes, 'public'}))}) "
            "AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')".encode(),
        ).fetchone()
        if tables and tables[0] and not ledger.read(self.conn, self.chain).marks.done:
            raise UnknownDatabase(
                f"this database has {counted(tables[0], 'table')}, but none that the chain {self.chain.name} makes",
                hint="Is this the right URL? If it is, say so once with --first-run.",
            )

    def _wish(self, marks: ledger.Ledger) -> Wish:
        answers = {}
        pending = [(i, step) for i, step in enumerate(self.chain.steps) if i not in marks.marks.done]
        begun = unfinished(self.conn, self.chain.name) if any(step.backfill for _, step in pending) else frozenset()
        for index, step in pending:
            if step.done_when:
                answers[index] = self._ask(step.done_when)
        return Wish(
            contract=self.options.contract,
            until=self._end(self.options.to) + 1 if self.options.to else None,
            applied=frozenset(self.index(name) for name in self.options.applied) - marks.marks.done,
            run=frozenset(self.index(name) for name in self.options.run),
            answers=answers,
            begun=frozenset(index for index, step in pending if step.id in begun),
        )

    def _ask(self, query: str, *, settings: str = "") -> bool:
        """The author's `done when`; what it asks about may not be there yet, and then it is not done."""
        try:
            self.conn.execute(f"{MARK}BEGIN READ ONLY{settings}".encode())
            row = self.conn.execute(f"{MARK}{query}".encode()).fetchone()
        except psycopg.Error as error:
            is_value = (error.sqlstate or "").startswith(_OF_VALUES)
            row = (query.startswith(IS_REFUSED) and is_value,)
        finally:
            self.conn.execute(f"{MARK}ROLLBACK".encode())
        return bool(row and row[0])

    def _end(self, name: str) -> int:
        """The last step of what is named: a migration rather than a step of it that is called the same."""
        return max((i for i, step in enumerate(self.chain.steps) if name == step.migration), default=self.index(name))

    def index(self, name: str) -> int:
        """The step that a person means: by id, former id, migration's number or name (then its last step)."""
        matches = [i for i, step in enumerate(self.chain.steps) if name in (step.number, step.migration)]
        if name in self.index_of or matches:
            return self.index_of.get(name, matches[-1] if matches else -1)
        raise UsageError(f"no step is called {name}", hint="`trueup status` lists the steps that are not done.")

    def _report(self, plan: Plan, decision: Decision, left: Collection[str], were_true: Collection[str]) -> Report:
        lost = {difference.fact for difference in decision.heal_conflicts}  # which is told as a conflict
        drift = [d._replace(was_true=d.fact in were_true) for d in decision.drift if d.fact not in lost]
        to_heal = self._differences(decision, decision.heal, were_true)
        gone = [d for d in (*drift, *to_heal) if d.was_true and d.found is None]
        drift += self._differences(decision, left, were_true)
        drift, accepted = split_accepted(Path(self.chain.folder), drift)
        report = Report(
            chain=self.chain.name,
            to=self.options.to,
            anchor={
                "step": self.chain.steps[decision.anchor - 1].id if decision.anchor else None,
                "index": decision.anchor,
                "of": len(self.chain.steps),
                "distance": decision.distance,
            },
            drift=drift,
            accepted=accepted,
            gone=gone,
            conflicts=list(plan.conflicts),
        )
        sent: dict[int, list[str]] = {}
        for action in plan.actions:
            if action.step is None:
                report.steps.append(_step_report(action.id, action.verdict, action.reason, shown_statements(action)))
            else:
                sent.setdefault(action.step, []).extend(shown_statements(action))
        batches = {id(one): divided(self.conn, one, one.backfill) for one in plan.actions if one.backfill}
        said = {one.step: batches[id(one)].said for one in plan.actions if one.backfill}
        report.steps += [
            self._step_line(verdict, sent.get(verdict.index, []), said.get(verdict.index, ""))
            for verdict in decision.steps
        ]
        lines = {step.id: step for step in report.steps}
        for action in plan.actions:
            lines[action.id].parts.append(_part_report(action, plan.live, batches.get(id(action))))
        report.up_to_date = not plan.actions and not plan.settled and not plan.conflicts
        return report

    def _differences(self, decision: Decision, keys: Iterable[str], were_true: Collection[str]) -> Iterator[Difference]:
        """Facts that were to be healed, as differences; what is part of another one is named by that."""
        keys = set(keys)
        for key in sorted(keys):
            if (owner := owner_of(key)) in keys and decision.found.get(owner) is None:
                continue
            yield Difference(
                fact=key,
                wanted=decision.before.get(key),
                found=decision.found.get(key),
                origin=self._maker(decision.heal[key]),
                was_true=key in were_true,
            )

    def _maker(self, index: int) -> str:
        return self.chain.steps[index].id if index >= 0 else ""

    def _step_line(self, verdict: StepVerdict, statements: list[str], batches: str) -> StepReport:
        reason = f"{verdict.reason}; {batches}" if batches else verdict.reason
        return _step_report(self.chain.steps[verdict.index].id, verdict.verdict, reason, statements)


def shown_statements(action: Action) -> list[str]:
    """What `plan` shows: the statements as they will be sent, settings that hold for them first."""
    return [*action.context, *action.statements]


def _part_report(action: Action, live: Live, divided: Divided | None) -> PartReport:
    statements = [*action.context, divided.batch] if divided else shown_statements(action)
    locks: dict[str, dict[str, Any]] = {}
    for table, mode in action.locks.items():
        size = live.relations.get(table)
        locks[table] = {"mode": mode}
        if size:
            locks[table] |= {"rows": size.rows, "bytes": size.bytes, "busy": size.is_busy}
    return PartReport(statements=statements, locks=locks, why=action.why, transaction=action.transaction)


def _step_report(step_id: str, verdict: str, reason: str, statements: list[str]) -> StepReport:
    return StepReport(id=step_id, verdict=verdict, reason=reason, statements=statements)
