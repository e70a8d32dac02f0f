"""DDL on what nobody uses yet is sent many steps in one message, each still in its own transaction with its ledger row.

That is where a first run spends its time: not in the server, but in waiting for its answers. So a thread sends one
message behind the other, while what is to be said about those before is said, and one that is to come is written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import psycopg

from trueup.catalog.keys import identity_of, kind_of, literal
from trueup.chain.model import LockedChain
from trueup.connect.connection import is_lost
from trueup.planning.model import Action, Plan
from trueup.run import ledger
from trueup.run.execute import SEPARATOR, Executor
from trueup.run.lease import BEGAN, MARK

_MOST_TEXT = 100_000  # characters
_RELATIONS = ("table", "view", "materialized view", "sequence")

Batch = list[Action]
Took = dict[str, float]
"""Milliseconds by step id, of the steps that are done."""


class Together:
    """Runs actions one after the other, as `Executor.run` does; those that can go together are sent ahead."""

    def __init__(self, executor: Executor, plan: Plan, locked: LockedChain) -> None:
        self._executor = executor
        used = {identity_of(key) for key in plan.decision.found if kind_of(key) in _RELATIONS}
        batches = list(_batches(plan.actions, lambda a: _is_unfelt(a, locked, used), executor.limits.together))
        self._batches = {batch[0].id: batch for batch in batches}
        follower = {a.id: b.id for a, b in zip(plan.actions, plan.actions[1:], strict=False)}
        self._next = {batch[0].id: follower.get(batch[-1].id, "") for batch in batches}
        self._sender = ThreadPoolExecutor(1, thread_name_prefix="trueup-send")
        self._ahead: dict[str, Future[Took]] = {}
        self._is_over = False
        self._took: Took = {}
        self._written: dict[str, str] = {}
        self._fence, self._mark = "", ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self._sender.shutdown()  # the connection is free again only when the last message is answered

    def run(self, action: Action) -> float:
        """Carry one action out; its milliseconds. Raises what `Executor.run` raises."""
        if batch := self._batches.get(action.id):
            ahead = self._ahead.pop(action.id, None)
            self._took = ahead.result() if ahead else self._send(batch)
            if (following := self._following(batch)) and (behind := self._following(following)):
                self._written[behind[0].id] = self._write(behind)
        took = self._took.pop(action.id, None)
        return self._executor.run(action) if took is None else took

    def _following(self, batch: Batch) -> Batch | None:
        return self._batches.get(self._next[batch[0].id])

    def _send(self, batch: Batch) -> Took:
        """One message; what is done of it. Where that is all of it, the next one follows at once.

        The server does nothing that follows what it refuses. That is left to `Executor.run`, which tells and retries.

        Raises:
            psycopg.Error: the connection was lost, and with it the answer which steps are there.
        """
        executor = self._executor
        executor.lease.step = batch[0].id
        executor.keep_lease()
        try:
            if executor.owns_session and not self._mark:
                self._prepare()
            cursor = executor.conn.execute((self._written.pop(batch[0].id, "") or self._write(batch)).encode())
            cursor.set_result(-1)
        except psycopg.Error as error:
            if is_lost(error, executor.conn):
                raise
            executor.undo()
            cursor = executor.conn.execute(self._durations(batch).encode())
        took = dict(cursor.fetchall())
        if len(took) == len(batch) and (following := self._following(batch)) and not self._is_over:
            self._ahead[following[0].id] = self._sender.submit(self._send, following)
        return took

    def _write(self, batch: Batch) -> str:
        """The message: its transactions, and the question what became of them."""
        return SEPARATOR.join([*map(self._message, batch), self._durations(batch)])

    def _durations(self, batch: Batch) -> str:
        return f"{MARK}{ledger.durations_sql(self._executor.chain, [action.id for action in batch])}"

    def _prepare(self) -> None:
        """Fence and mark are planned once, where the session is ours: behind a pooler others would find them."""
        executor = self._executor
        self._fence, self._mark = f"trueup_fence_{executor.run_id}", f"trueup_mark_{executor.run_id}"
        mark = ledger.insert_one_sql(executor.chain, run_id=executor.run_id, by=executor.by, since=BEGAN)
        for text in (f"{self._fence} AS {executor.lease.timed_fence}", f"{self._mark} (text, text, text) AS {mark}"):
            executor.conn.execute(f"{MARK}PREPARE {text}".encode())

    def _message(self, action: Action) -> str:
        executor = self._executor
        if not self._mark or action.step is None:
            return executor.message(action, fence=executor.lease.timed_fence, since=BEGAN)
        values = (action.id, action.reason, executor.chain.steps[action.step].hash)
        row = f"EXECUTE {self._mark} ({', '.join(map(literal, values))})"
        return executor.message(action, fence=f"EXECUTE {self._fence}", row=row)


def _batches(actions: Sequence[Action], fits: Callable[[Action], bool], most: int) -> Iterator[Batch]:
    """Neighbours that can go together."""
    batch: Batch = []
    length = 0
    for action in actions:
        size = sum(map(len, action.statements))
        fitting = fits(action)
        if batch and (not fitting or len(batch) >= most or length + size > _MOST_TEXT):
            yield from [batch] if len(batch) > 1 else []
            batch, length = [], 0
        if fitting:
            batch.append(action)
            length += size
    if len(batch) > 1:
        yield batch


def _is_unfelt(action: Action, locked: LockedChain, used: Collection[str]) -> bool:
    if action.step is None or action.backfill or action.verdict != "run" or not (action.transaction and action.marks):
        return False
    if locked.steps[action.step].has_data:  # may take long
        return False
    return not any(relation in used for relation in locked.effects[action.step].locks)
