"""Bring a database true: look, decide, plan, run, prove. Every command that needs a decision goes through here."""

from __future__ import annotations

import getpass
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import Connection

from trueup.chain.model import LockedChain
from trueup.connect.connection import is_lost
from trueup.connect.link import Link, choose
from trueup.connect.urls import Urls, without_password
from trueup.errors import (
    ConflictError,
    ConnectionFailed,
    NotProved,
    RunLockTaken,
    SessionNeeded,
    StepFailed,
)
from trueup.planning.model import Action, Plan
from trueup.report import Event, Report, StepReport
from trueup.run import ledger
from trueup.run.acquire import run_lock
from trueup.run.assess import Assessment, Assessor, Options
from trueup.run.doubted import as_doubt
from trueup.run.execute import Executor
from trueup.run.failed import depends
from trueup.run.finished import Finished
from trueup.run.lease import Lease
from trueup.run.look import catalog_digest
from trueup.run.process import holder_name, new_identity
from trueup.run.refuse import refuse_alone, refuse_conflicts, refuse_marked
from trueup.run.refused import as_conflict
from trueup.run.seen import Early, Seen
from trueup.run.settle import at_once, in_the_end, taken_as_done
from trueup.run.together import Together

if TYPE_CHECKING:
    from trueup.run.alone import Building
    from trueup.run.backfill.work import Progress

OnEvent = Callable[[Event], None]


class Bringing:
    """One run against one database. `looking` only looks; `up` and `resolve` change it."""

    def __init__(
        self,
        locked: LockedChain,
        holding: list[Link],
        options: Options,
        *,
        urls: Urls,
        on_event: OnEvent = lambda _: None,
        early: Early | None = None,
    ) -> None:
        self.locked = locked
        self.chain = locked.chain
        self._holding = holding
        self.options = options
        self.on_event = on_event
        self.looking = Assessor(locked, self.link.conn, options, early)
        self._urls = urls
        self._healed_again = False
        self._chosen = False
        self._identity = new_identity()
        self._progress = 0
        self._ran: dict[str, StepReport] = {}
        self._sent: set[int] = set()

    @property
    def link(self) -> Link:
        """The way to the database; its owner closes it."""
        return self._holding[0]

    @property
    def conn(self) -> Connection[Any]:
        """The connection that everything goes through at the moment."""
        return self.link.conn

    def log(self, text: str) -> None:
        """One line for people."""
        self.on_event(Event(kind="log", text=text))

    def up(self) -> Report:
        """Bring the database true.

        Where the connection is lost on the way, the answer to the last message is lost too. Then everything is looked
        at again on a new connection: what was committed has its mark, and what was not is sent again.

        Raises:
            DecisionNeeded, RunLockTaken, StepFailed, NotProved: as their docstrings say.
            ConnectionFailed: the connection was lost, and no other could be had in time.
        """
        started = time.monotonic()
        return self._to_its_end(lambda: self._bring(started))

    def resolve(self) -> Report:
        """Carry out a person's word on some steps, and nothing else. A lost connection is mended as in `up`.

        Raises:
            UsageError: a step that is to run is marked as done.
            SessionNeeded, RunLockTaken, StepFailed, ConnectionFailed: as their docstrings say.
        """
        return self._to_its_end(self._resolve)

    def _to_its_end(self, work: Callable[[], Report]) -> Report:
        """Begin again on a new connection where one is lost, as long as something is done in between."""
        fruitless, before = 0, 0
        while True:
            try:
                return work()
            except psycopg.Error as error:
                if not is_lost(error, self.conn):
                    raise
                fruitless = 0 if self._progress > before else fruitless + 1
                before = self._progress
                self._connect_again(error, give_up=fruitless >= _FRUITLESS)

    def _bring(self, started: float) -> Report:
        found = self._assess()
        if found.report.up_to_date:
            return self._proved(found, found.report, started)
        if found.plan.conflicts and self._is_still(found):  # else another run is at work; judged again under the lock
            refuse_conflicts(found.plan)
        self._choose()
        self.named(found.report)
        self._refuse_alone(found)
        ledger.ensure(self.conn)
        try:
            with self._locked() as lease:
                self.log("Acquired migration lock")
                if not self._is_still(found):
                    found = self._assess()  # what was pending may be done by now
                    refuse_conflicts(found.plan)
                    refuse_alone(self.link, found.plan)
                if told := taken_as_done(found.report):
                    self.log(told)
                failures = self._carry_out(found.plan, found.report, self._executor(lease), found.ledger)
        except RunLockTaken as taken:
            return self._done_by_another(taken, started)
        self.log("Released migration lock")
        if failures:
            raise self._refused(failures[0], found)
        return self._prove(found, started)

    def _refused(self, failed: StepFailed, found: Assessment) -> StepFailed | ConflictError:
        """The failure of a step, or the conflict that it is."""
        index, decision = self.looking.index_of.get(failed.step, -1), found.plan.decision
        if early := as_conflict(failed, index, self.locked, self.looking.paths, decision):
            return early
        proved = bool(ledger.last_proof(self.conn, self.chain).steps)
        return as_doubt(failed, index, self.locked, decision, found.ledger, proved=proved) or failed

    def _refuse_alone(self, found: Assessment) -> None:
        """Unless another run is at work: it is judged again under the lock."""
        try:
            refuse_alone(self.link, found.plan)
        except SessionNeeded:
            if self._is_still(found):
                raise

    def _is_still(self, found: Assessment) -> bool:
        """True where nothing has changed since the catalog and the ledger were so."""
        return (found.seen.catalog, found.ledger) == (catalog_digest(self.conn), ledger.read(self.conn, self.chain))

    def _assess(self, before: Seen | None = None) -> Assessment:
        has_sessions = self.link.topology.has_sessions  # first of all: what pools single statements is refused
        if not self._chosen:
            self.looking.has_sessions = has_sessions
        found = self.looking.assess(before)
        self.looking.refuse_unknown(found.plan)
        return found._replace(report=self.named(found.report))

    def named(self, report: Report) -> Report:
        """The report with the way that was taken, and with what this run did before its connection was lost."""
        report.topology, report.chosen = self.link.topology.value, self.link.chosen
        report.steps = [self._ran.get(step.id, step) for step in report.steps]
        return report

    def _choose(self) -> None:
        """DIRECT is tried once, when there is work; what is chosen then holds for the whole run."""
        if not self._chosen:
            self._holding[0] = choose(self._urls, self.link, self.log)
            self.looking.conn = self.link.conn
            self._chosen = True

    def _locked(self) -> AbstractContextManager[Lease]:
        return run_lock(
            self.link,
            self.chain.name,
            wait_seconds=self.options.limits.lock_wait,
            lease_seconds=self.options.limits.lease,
            identity=self._identity,
            on_wait=lambda holder: self.log(f"Waiting for the migration lock, held by {holder}"),
        )

    def _done_by_another(self, taken: RunLockTaken, started: float) -> Report:
        """The lock was not to be had, or was taken over. What matters is the database: another run may have done it."""
        found = self._assess()
        if not found.report.up_to_date:
            raise taken
        self.log("Another run brought the database up to date")
        return self._proved(found, found.report, started)

    def _connect_again(self, error: psycopg.Error, *, give_up: bool) -> None:
        reason = error.diag.message_primary or str(error).strip().partition("\n")[0] or type(error).__name__
        hint = "What was done is kept. Mend the connection, then run `trueup up` again."
        if give_up:
            shown = without_password(self.link.url)
            raise ConnectionFailed(
                f"the connection to {shown} was lost {_FRUITLESS} times without a step being done: {reason}",
                url=shown,
                hint=hint,
            ) from error
        self.log(f"Lost the connection ({reason}); connecting again")
        try:
            self.link.reopen(self.options.limits.reconnect)
        except ConnectionFailed as failed:
            raise ConnectionFailed(
                f"the connection was lost, and none could be had for {self.options.limits.reconnect:g} seconds: "
                f"{failed.message}",
                url=failed.url,
                hint=hint,
            ) from None
        self.looking.conn = self.link.conn

    def _resolve(self) -> Report:
        applied, wanted = (
            [self.looking.index(name) for name in names] for names in (self.options.applied, self.options.run)
        )
        self._choose()
        _ = self.link.topology  # what pools single statements is refused before anything is written
        ledger.ensure(self.conn)
        with self._locked() as lease:
            plan, report, marks, *_ = self.looking.assess()
            self.named(report)
            refuse_marked(self.chain, wanted, marks.marks.done - self._sent)
            plan = plan._replace(actions=tuple(action for action in plan.actions if action.step in set(wanted)))
            refuse_alone(self.link, plan)
            executor = self._executor(lease)
            executor.mark([(index, "reconcile", "resolve: a person said that it is applied") for index in applied])
            self._sent.update(wanted)
            for action in plan.actions:
                executor.run(action)
                self._progress += 1
        return report

    def _executor(self, lease: Lease, link: Link | None = None) -> Executor:
        return Executor(
            link or self.link,
            self.chain,
            lease,
            run_id=secrets.token_hex(6),
            by=f"{_user()}@{holder_name()}",
            limits=self.options.limits,
            on_wait=self.log,
            on_progress=self._moved,
        )

    def _moved(self, progress: Progress | Building) -> None:
        """A batch of a backfill is committed, or an index build has come further."""
        self._progress += progress.is_kept
        self.on_event(progress.event)

    def _carry_out(
        self,
        plan: Plan,
        report: Report,
        executor: Executor,
        marks: ledger.Ledger,
    ) -> list[StepFailed]:
        if self.options.keep_going:  # what depends on a failure must not be on its way already
            failures = self._one_by_one(plan, report, executor, marks, executor.run)
        else:
            with Together(executor, plan, self.locked) as together:
                failures = self._one_by_one(plan, report, executor, marks, together.run)
        if not failures:
            executor.mark(in_the_end(plan, own=bool(marks.marks.own)))
        return failures

    def _one_by_one(
        self, plan: Plan, report: Report, executor: Executor, marks: ledger.Ledger, run: Callable[[Action], float]
    ) -> list[StepFailed]:
        lines = {step.id: step for step in report.steps}
        total = len(plan.actions)
        self._adopt(executor, marks)
        healing = list(takewhile(lambda action: action.step is None, plan.actions))
        for number, action in enumerate(healing, 1):
            self._one(action, run, lines, number, total)
        executor.mark(at_once(plan, own=bool(marks.marks.own)))
        failures: list[StepFailed] = []
        numbers = Finished(plan, self.chain, self.log)
        for number, action in enumerate(plan.actions[len(healing) :], len(healing) + 1):
            if failures and depends(action, failures, self.locked, self.looking.index_of):
                lines[action.id].verdict = "blocked"
                self.log(f"not run: {action.id}, which uses what a failed step would have made or changed")
                continue
            try:
                self._one(action, run, lines, number, total)
            except StepFailed as error:
                failures.append(error)
                if not self.options.keep_going:
                    break
                self.log(f"failed: {error.message}; going on with what does not depend on it")
            else:
                numbers.done(action)
        return failures

    def _adopt(self, executor: Executor, marks: ledger.Ledger) -> None:
        """Take over the marks of an older installation."""
        executor.mark(
            [(index, "adopted", f"mark {old} of public.schema_migrations") for index, old in marks.adopted.items()]
        )

    def _one(
        self, action: Action, run: Callable[[Action], float], lines: Mapping[str, StepReport], number: int, total: int
    ) -> None:
        self.on_event(
            Event(kind="step_started", text=f"running {action.id}", step=action.id, done=number - 1, total=total),
        )
        took = run(action)
        self._progress += 1
        so_far = 0.0
        if action.id in lines:
            so_far = lines[action.id].ms
            lines[action.id].ms += took
            self._ran[action.id] = lines[action.id]
        done = partial(Event, step=action.id, verdict=action.verdict, done=number, total=total)
        if action.splits and action.statements:
            self.on_event(done(kind="part_done", text=action.statements[0], ms=took))
        if not action.unfinished:
            text = f"{_DONE[action.verdict]} {action.id}"
            self.on_event(done(kind="step_done", text=text, ms=took + so_far * action.splits))

    def _prove(self, before: Assessment, started: float) -> Report:
        """A fresh look: every step done, every fact as it must be.

        Where only marks were written and the catalog is as it was, the facts are those from before.

        Raises:
            NotProved: the server answered every statement with success, and yet something is missing.
        """
        after = self._assess(None if before.plan.actions else before.seen)
        plan, report = after.plan, before.report
        if not after.report.up_to_date:
            if self._heals_only(plan):
                return self._bring(started)
            left = [action.id for action in plan.actions] + [self.chain.steps[i].id for i in plan.settled]
            left += map(str, plan.conflicts)
            raise NotProved(
                f"the run is over, but not everything is as it must be: {', '.join(left[:5])}",
                differences=left,
                hint="Somebody else may be changing this database just now. Run `trueup plan` to see what differs.",
            )
        report.up_to_date, report.drift, report.accepted = True, after.report.drift, after.report.accepted
        return self._proved(after, report, started)

    def _heals_only(self, plan: Plan) -> bool:
        """True once, where only healing is left: a step has taken along what a later one had made here already."""
        again, self._healed_again = not self._healed_again, True
        return again and bool(plan.actions) and not plan.conflicts and all(a.step is None for a in plan.actions)

    def _proved(self, found: Assessment, report: Report, started: float) -> Report:
        """Record the state, so that the next run has nothing to read."""
        if ledger.exists(self.conn):
            ledger.complete(
                self.conn,
                self.chain,
                phase=self.options.phase,
                catalog=found.seen.catalog,
                facts=found.plan.decision.found,
                drift=[*report.drift, *report.accepted],
                run_id="",
            )
        self.log("MIGRATIONS COMPLETE")
        report.ms = (time.monotonic() - started) * 1000
        return report


_FRUITLESS = 3
_DONE: dict[str, str] = {"heal": "healed", "run": "done", "complete": "completed"}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
