"""Bring a database true: look, decide, plan, run, prove. Every command that needs a decision goes through here."""

from __future__ import annotations

import getpass
import hashlib
import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from psycopg import Connection

from trueup.chain.model import LockedChain
from trueup.errors import (
    ConflictError,
    NotProved,
    RunLockTaken,
    StepFailed,
)
from trueup.planning.model import Action, Plan
from trueup.report import Event, Report, StepReport
from trueup.run import ledger
from trueup.run.assess import Assessor, Options
from trueup.run.execute import Executor
from trueup.run.lease import Lease, holder_name, run_lock
from trueup.run.look import catalog_digest

OnEvent = Callable[[Event], None]


class Bringing:
    """One run against one database. `looking` only looks; `up` and `resolve` change it."""

    def __init__(
        self,
        locked: LockedChain,
        conn: Connection[Any],
        options: Options,
        *,
        on_event: OnEvent = lambda _: None,
        reconnect: Callable[[], Connection[Any]],
    ) -> None:
        self.locked = locked
        self.chain = locked.chain
        self.conn = conn
        self.options = options
        self.on_event = on_event
        self.reconnect = reconnect
        self.looking = Assessor(locked, conn, options)

    def log(self, text: str) -> None:
        """One line for people."""
        self.on_event(Event(kind="log", text=text))

    def up(self) -> Report:
        """Bring the database true.

        Raises:
            DecisionNeeded, RunLockTaken, StepFailed, NotProved: as their docstrings say.
        """
        started = time.monotonic()
        seen = catalog_digest(self.conn)
        plan, report, marks = self.looking.assess()
        self.looking.refuse_unknown(plan)
        if report.up_to_date:
            return self._proved(plan, report, started)
        self._refuse_conflicts(plan)
        ledger.ensure(self.conn)
        try:
            with run_lock(
                self.conn,
                self.chain.name,
                wait_seconds=self.options.limits.lock_wait,
                reconnect=self.reconnect,
                on_wait=lambda holder: self.log(f"Waiting for the migration lock, held by {holder}"),
            ) as lease:
                self.log("Acquired migration lock")
                if (catalog_digest(self.conn), ledger.read(self.conn, self.chain)) != (seen, marks):
                    plan, report, marks = self.looking.assess()  # what was pending may be done by now
                    self._refuse_conflicts(plan)
                executor = self._executor(lease)
                failures = self._carry_out(plan, report, executor, marks)
        except RunLockTaken:
            plan, report, _ = self.looking.assess()
            if not report.up_to_date:
                raise
            self.log("Another run brought the database up to date")
            return self._proved(plan, report, started)
        self.log("Released migration lock")
        if failures:
            raise failures[0]
        return self._prove(report, started)

    def resolve(self) -> Report:
        """Carry out a person's word on some steps, and nothing else."""
        ledger.ensure(self.conn)
        with run_lock(
            self.conn,
            self.chain.name,
            wait_seconds=self.options.limits.lock_wait,
            reconnect=self.reconnect,
        ) as lease:
            plan, report, _ = self.looking.assess()
            executor = self._executor(lease)
            word = "resolve: a person said that it is applied"
            executor.mark([(self.looking.index(name), "reconcile", word) for name in self.options.applied])
            wanted = {self.looking.index(name) for name in self.options.run}
            for action in plan.actions:
                if action.step in wanted:
                    executor.run(action)
        return report

    def _executor(self, lease: Lease) -> Executor:
        return Executor(
            self.conn,
            self.chain,
            lease,
            run_id=uuid.uuid4().hex[:12],
            by=f"{_user()}@{holder_name()}",
            limits=self.options.limits,
            on_wait=self.log,
        )

    def _refuse_conflicts(self, plan: Plan) -> None:
        if plan.conflicts:
            raise ConflictError(
                f"a person must decide about {len(plan.conflicts)} "
                + ("thing" if len(plan.conflicts) == 1 else "things")
                + "; nothing was run",
                conflicts=list(plan.conflicts),
                hint="`trueup plan` shows wanted and found. Decide with `trueup resolve STEP --applied` or `--run`.",
            )

    def _carry_out(
        self,
        plan: Plan,
        report: Report,
        executor: Executor,
        marks: ledger.Ledger,
    ) -> list[StepFailed]:
        lines = {step.id: step for step in report.steps}
        total = len(plan.actions)
        executor.mark(
            [(index, "adopted", f"mark {old} of public.schema_migrations") for index, old in marks.adopted.items()]
        )
        healing = [action for action in plan.actions if action.step is None]
        for number, action in enumerate(healing, 1):
            self._one(action, executor, lines, number, total)
        executor.mark([(v.index, v.verdict, v.reason) for v in plan.decision.steps if v.index in set(plan.settled)])
        failures: list[StepFailed] = []
        numbers = _Finished(self)
        for number, action in enumerate(plan.actions[len(healing) :], len(healing) + 1):
            if failures and self._depends(action, failures):
                lines[action.id].verdict = "blocked"
                continue
            try:
                self._one(action, executor, lines, number, total)
            except StepFailed as error:
                failures.append(error)
                if not self.options.keep_going:
                    break
                self.log(f"failed: {error.message}; going on with what does not depend on it")
            else:
                numbers.done(action)
        if not failures:
            numbers.close()
        return failures

    def _one(
        self, action: Action, executor: Executor, lines: Mapping[str, StepReport], number: int, total: int
    ) -> None:
        self.on_event(
            Event(kind="step_started", text=f"running {action.id}", step=action.id, done=number - 1, total=total),
        )
        took = executor.run(action)
        if action.id in lines:
            lines[action.id].ms += took
        self.on_event(
            Event(
                kind="step_done",
                text=f"{_DONE[action.verdict]} {action.id}",
                step=action.id,
                verdict=action.verdict,
                done=number,
                total=total,
                ms=took,
            ),
        )

    def _depends(self, action: Action, failures: list[StepFailed]) -> bool:
        """True where an action uses what a failed step would have made or touches the same relations."""
        if action.step is None:
            return True
        text = self.chain.steps[action.step].sql
        for failure in failures:
            failed = self.locked.effects[self.looking.index_of[failure.step]]
            names = {key.rsplit(" ", 1)[-1].rsplit(".", 1)[-1].strip('"') for key in (*failed.keys, *failed.locks)}
            names |= {name.rsplit(".", 1)[-1] for name in failed.locks}
            if any(name and name in text for name in names):
                return True
        return False

    def _prove(self, report: Report, started: float) -> Report:
        """A fresh look: every step done, every fact as it must be.

        Raises:
            NotProved: the server answered every statement with success, and yet something is missing.
        """
        plan, after, _ = self.looking.assess()
        if not after.up_to_date:
            left = [s.id for s in after.steps if s.statements or s.verdict in ("conflict", "reconcile", "assume")]
            raise NotProved(
                f"the run is over, but {len(left)} things are not as they must be: {', '.join(left[:5])}",
                differences=left,
                hint="Somebody else may be changing this database just now. Run `trueup plan` to see what differs.",
            )
        report.up_to_date, report.drift, report.accepted = True, after.drift, after.accepted
        return self._proved(plan, report, started)

    def _proved(self, plan: Plan, report: Report, started: float) -> Report:
        """Record the state, so that the next run has nothing to read."""
        catalog = catalog_digest(self.conn)
        if ledger.exists(self.conn):
            facts = hashlib.sha256(json.dumps(plan.decision.found, sort_keys=True).encode()).hexdigest()[:32]
            ledger.complete(
                self.conn,
                self.chain,
                phase=self.options.phase,
                catalog=catalog,
                facts=facts,
                drift=[*report.drift, *report.accepted],
                run_id="",
            )
        self.log("MIGRATIONS COMPLETE")
        report.ms = (time.monotonic() - started) * 1000
        return report


class _Finished:
    """Says once for each migration that all its steps are done: operators search their logs for it."""

    def __init__(self, bringing: Bringing) -> None:
        self._log = bringing.log
        self._steps = bringing.chain.steps
        self._last = ""

    def done(self, action: Action) -> None:
        if action.step is None:
            return
        migration = self._steps[action.step].number
        if self._last and migration != self._last:
            self._log(f"Migration {self._last} complete")
        self._last = migration

    def close(self) -> None:
        if self._last:
            self._log(f"Migration {self._last} complete")


_DONE: dict[str, str] = {"heal": "healed", "run": "done", "complete": "completed"}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
