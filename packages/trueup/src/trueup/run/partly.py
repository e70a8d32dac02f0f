"""Carry out a part of what `up` would do: the backfills alone, or the index builds alone."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from trueup.chain.model import LockedChain
from trueup.connect.connection import is_lost
from trueup.connect.link import Link
from trueup.errors import DecisionNeeded, NotProved, UsageError
from trueup.planning.model import Action, Plan
from trueup.planning.part import Part
from trueup.report import Report, StepReport
from trueup.run import ledger
from trueup.run.assess import Assessment
from trueup.run.bring import Bringing
from trueup.run.lease import Lease
from trueup.run.refuse import refuse_alone, refuse_conflicts
from trueup.run.settle import at_once

_FRUITLESS = 3


class Partly(Bringing):
    """A run that carries out what `select` leaves of a plan, several groups at once where `jobs` allows it.

    Args:
        unfelt: In their safe forms, however small the tables are.
    """

    def __init__(
        self,
        *args: Any,
        select: Callable[[Plan, LockedChain, Collection[str]], Part],
        what: str,
        names: Collection[str] = (),
        jobs: int = 1,
        unfelt: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self._select = select
        self._what = what
        self._names = [self.chain.steps[self.looking.index(name)].id for name in names]
        self._jobs = jobs
        self._unfelt = unfelt
        self._wanted: set[str] = set()
        self._counting = threading.Lock()
        self._lines: dict[str, StepReport] = {}
        self._total = self._number = 0

    def run(self) -> Report:
        """Do it. A lost connection is mended as in `up`.

        Raises:
            DecisionNeeded: what was asked for by name waits for something else.
            SessionNeeded, RunLockTaken, StepFailed, NotProved, ConnectionFailed: as their docstrings say.
        """
        started = time.monotonic()
        report = self._to_its_end(self._once)
        report.ms = (time.monotonic() - started) * 1000
        return report

    def _once(self) -> Report:
        found, part = self._looked()
        if not part.actions:
            return found.report
        self.log(f"Using {self.link.chosen}")
        ledger.ensure(self.conn)
        with self._locked() as lease:
            self.log("Acquired migration lock")
            found, part = self._looked()
            self._wanted |= {action.id for action in part.actions}
            executor = self._executor(lease)
            self._adopt(executor, found.ledger)
            executor.mark(at_once(found.plan, own=bool(found.ledger.marks.own)))
            self._all(part, lease, found.report)
        self.log("Released migration lock")
        return self._checked(found.report)

    def _looked(self) -> tuple[Assessment, Part]:
        found = self._assess()
        refuse_conflicts(found.plan)
        part = self._selected(found.plan)
        self._refuse_names(part)
        for action, before in part.waiting:
            first = "another part of itself" if before == action.id else before
            self.log(f"{action.id} waits for {first}, which `trueup up` does")
        refuse_alone(self.link, found.plan._replace(actions=part.actions))
        return found, part

    def _selected(self, plan: Plan) -> Part:
        if self._unfelt:  # what has no safe form is not among it, and its conflicts are of no interest here
            plan = self.looking.assess_as(self.options._replace(big_rows=0, big_bytes=0)).plan
        return self._select(plan, self.locked, self._names)

    def _refuse_names(self, part: Part) -> None:
        """What was asked for by name can be done, or that is an error."""
        known = {action.id for action in part.actions} | {action.id for action, _ in part.waiting} | self._wanted
        if unknown := [name for name in self._names if name not in known]:
            raise UsageError(
                f"{', '.join(unknown)}: no {self._what} that has to be done",
                hint="`trueup plan` shows what is left to do.",
            )
        if self._names and part.waiting:
            action, before = part.waiting[0]
            raise DecisionNeeded(
                f"{action.id} waits for {before}, which has to be done before; nothing was run",
                hint="Run `trueup up`, which does everything in its order.",
            )

    def _all(self, part: Part, lease: Lease, report: Report) -> None:
        """Group beside group. Where one fails, those that are at work go on to their end; then it is raised."""
        self._lines = {step.id: step for step in report.steps}
        self._total, self._number = len(part.actions), 0
        if self._jobs == 1 or len(part.groups) == 1:
            executor = self._executor(lease)
            for action in part.actions:
                self._counted(action, executor.run)
            return
        stopping = threading.Event()
        with ThreadPoolExecutor(self._jobs, thread_name_prefix="trueup-job") as pool:
            futures = [pool.submit(self._group, group, lease, stopping) for group in part.groups]
            try:
                errors = [error for future in futures if (error := future.exception())]
            except BaseException:
                stopping.set()
                pool.shutdown(cancel_futures=True)
                raise
        if errors:
            raise errors[0]

    def _counted(self, action: Action, run: Callable[[Action], float]) -> None:
        with self._counting:
            self._number += 1
            number = self._number
        self._one(action, run, self._lines, number, self._total)

    def _group(self, group: Sequence[Action], lease: Lease, stopping: threading.Event) -> None:
        """One of several groups at once, on a connection of its own under the run's lease."""
        with contextlib.closing(Link(self.link.url, self.link.chosen, topology=self.link.topology)) as link:
            for action in group:
                self._counted(action, lambda action: self._run_on(link, action, lease, stopping))

    def _run_on(self, link: Link, action: Action, lease: Lease, stopping: threading.Event) -> float:
        fruitless = 0
        while True:
            before = self._progress
            executor = self._executor(lease, link)
            executor.stopping = stopping
            try:
                return executor.run(action)
            except psycopg.Error as error:
                fruitless = 0 if self._progress > before else fruitless + 1
                if not is_lost(error, link.conn) or fruitless >= _FRUITLESS:
                    raise
                self.log(f"{action.id}: lost the connection; connecting again")
                link.reopen(self.options.limits.reconnect)

    def _checked(self, report: Report) -> Report:
        """What was to be done is done, says a fresh look."""
        plan, after, *_ = self._assess()
        left = sorted(self._wanted & {action.id for action in self._selected(plan).actions})
        if left:
            raise NotProved(
                f"the run is over, but {', '.join(left[:5])} still has to be done",
                differences=left,
                hint="Somebody else may be changing this database just now. Run `trueup plan` to see what differs.",
            )
        ran = {step.id: step for step in report.steps if step.id in self._wanted}
        after.steps = [ran.get(step.id, step) for step in after.steps]
        after.steps += [step for name, step in ran.items() if name not in {line.id for line in after.steps}]
        return after
