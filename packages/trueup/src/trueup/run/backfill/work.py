"""One backfill, batch after batch.

Each batch is one transaction: the lease's fence, the statement over one range of keys, the position behind that range.
So a crash at any point leaves the position and the rows together, and every range is written exactly once. The bounds
of a range are the server's; how far it reaches is decided by how long the batch before it took.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg import Connection

from trueup.catalog.keys import literal
from trueup.connect.connection import is_lost
from trueup.errors import StepFailed
from trueup.planning.backfill import Backfill, Bound, Range
from trueup.report import Event
from trueup.run.backfill.key import NoKey, keyed
from trueup.run.backfill.position import Place, ensure
from trueup.run.backfill.size import Sizer
from trueup.run.backfill.throttle import LOOK_SECONDS, Throttle
from trueup.run.blockers import watched
from trueup.run.lease import MARK

if TYPE_CHECKING:
    from trueup.planning.model import Action
    from trueup.run.execute import Executor

_MINUTE = 60  # seconds
_HOUR = 60  # minutes
_TIMEOUT = "57014"
_LOCK_TIMEOUT = "55P03"
_RETRIED = (_TIMEOUT, _LOCK_TIMEOUT, "40P01", "40001")
_FIRST_TIMEOUT_MS = 10_000
_PAUSED_POLL = 0.5
_WATCH_SECONDS = 0.05  # a batch waits for a lock hardly longer
_WAITERS = (
    "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
)


class Progress(NamedTuple):
    """How far a backfill has come: rows looked at, of those that were expected, and rows a second of late."""

    name: str
    seen: int
    expected: int
    rate: float
    note: str = ""

    @property
    def is_kept(self) -> bool:
        """Whatever happens to the connection, what is done is done."""
        return True

    @property
    def event(self) -> Event:
        """This as those who watch the run get it."""
        return Event(kind="progress", text=self.said, step=self.name, done=self.seen, total=self.expected)

    @property
    def said(self) -> str:
        """One line for people."""
        if self.seen <= self.expected:
            rows = f"{self.seen:,} of about {self.expected:,} rows"
        else:
            rows = f"{self.seen:,} rows, more than the {self.expected:,} expected"
        left = "" if self.seconds_left is None else f", {duration(self.seconds_left)} left"
        held = f"; held back: {self.note}" if self.note else ""
        return f"{self.name}: {rows}, {self.rate:,.0f} rows/s{left}{held}"

    @property
    def seconds_left(self) -> float | None:
        """None where that cannot be said: more rows have come up than were expected."""
        return (self.expected - self.seen) / self.rate if self.rate and self.seen <= self.expected else None


def duration(seconds: float) -> str:
    """A time as people say it: `41 s`, `3 min 20 s`, `2 h 05 min`."""
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    minutes, rest = divmod(whole, _MINUTE)
    return f"{minutes} min {rest:02} s" if minutes < _HOUR else f"{minutes // _HOUR} h {minutes % _HOUR:02} min"


class Work:
    """Carries one action with a backfill out, from where it stands to its end."""

    def __init__(
        self,
        executor: Executor,
        action: Action,
        backfill: Backfill,
        *,
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self._executor = executor
        self._conn = executor.conn
        self._action = action
        self._backfill = backfill
        self._place = Place(executor.chain.name, backfill.name)
        self._on_progress = on_progress
        self._pace = _Pace()
        self._timeout_ms = min(_FIRST_TIMEOUT_MS, executor.limits.statement_timeout_ms)
        self._failing_since: float | None = None
        self._attempt = 0
        self._watching = contextlib.ExitStack()
        self._is_watched = False

    def run(self) -> None:
        """Every batch that is left; returns when the last one is committed, with the step's ledger row.

        Raises:
            StepFailed: no key, a statement that changed on the way, a batch that the server refused, or cancelled.
            RunLockTaken, psycopg.Error: as for every other action.
        """
        with self._watching:
            self._run()

    def _run(self) -> None:
        low, wish = self._begin()
        high: Bound | None = None
        is_known = False
        while True:
            self._heed(wish)
            try:
                if not is_known:
                    high = self._boundary(low)
                after, wish = self._batch(Range(low, high))
            except psycopg.Error as error:
                wish = self._again(error, Range(low, high))
                is_known = False
                continue
            self._failing_since, self._attempt = None, 0
            if high is None:
                return
            low, high, is_known = high, after, True
            self._hold_back()

    def _begin(self) -> tuple[Bound | None, str]:
        """Find the key, and where an earlier run has left off; from where to go on, and what people wish."""
        try:
            self._keyed = keyed(self._conn, self._backfill, self._action.context)
        except NoKey as error:
            raise self._refused(str(error), error.hint) from None
        ensure(self._conn)
        self._executor.fenced(self._place.begin(self._keyed, self._backfill.batch))
        standing = self._place.read(self._conn)
        if standing is None or standing.checksum != self._keyed.checksum:
            raise self._refused(
                "its statement or key has changed since it began, and some rows are done with the old one",
                f"Finish it as it was, or begin anew with `trueup backfill forget {self._backfill.name}`.",
            )
        self._seen, self._expected = standing.seen, standing.expected
        self._sizer = Sizer(standing.batch)
        self._throttle = Throttle(self._conn, self._keyed.table)
        return standing.position, standing.wish

    def _batch(self, span: Range) -> tuple[Bound | None, str]:
        """One range in one transaction; where the next one ends, and what people wish."""
        executor, started = self._executor, time.monotonic()
        is_last = span.high is None
        rows = self._count(span) if is_last else self._sizer.rows
        statement = self._backfill.over(self._keyed.columns, span)
        opening = [*executor.opening(self._action, self._attempt), self._timeout, statement]
        written = _written(self._conn, opening)
        if not is_last:
            waiters = _answers(self._conn, [_WAITERS])[0][0][0]
            self._sizer.took(time.monotonic() - started, waiters=waiters)
        move = self._place.move(span.low, span.high, seen=rows, written=written, batch=self._sizer.rows)
        following = self._backfill.boundary(self._keyed.columns, span.high, self._sizer.rows)
        *bounds, moved = _answers(
            self._conn,
            [
                *([] if is_last else [f"{MARK}{following}"]),
                f"{MARK}{move}",
                *executor.closing(self._action, marks=is_last, since=self._place.began),
            ],
        )
        self._tell(rows, time.monotonic() - started)
        return tuple(bounds[0][0]) if bounds and bounds[0] else None, moved[0][0]

    @property
    def _timeout(self) -> str:
        return f"{MARK}SET LOCAL statement_timeout = {self._timeout_ms}"

    def _boundary(self, low: Bound | None) -> Bound | None:
        """Where a range of the present size ends; None where fewer rows are left."""
        query = self._backfill.boundary(self._keyed.columns, low, self._sizer.rows)
        rows = self._alone(query)
        return tuple(rows[0]) if rows else None

    def _count(self, span: Range) -> int:
        """How many rows the last range has: fewer than a batch."""
        key = self._keyed.columns
        return int(self._alone(self._backfill.counting(key, span))[0][0])

    def _alone(self, query: str) -> list[tuple[Any, ...]]:
        """A question outside of batches, under the settings that hold for the statement."""
        opening = [f"{MARK}BEGIN READ ONLY", f"{MARK}SET LOCAL TimeZone = 'UTC'", *self._action.context]
        try:
            return _answers(self._conn, [*opening, f"{MARK}{query}", f"{MARK}COMMIT"])[-1]
        except psycopg.Error as error:
            if not is_lost(error, self._conn):
                self._conn.execute(f"{MARK}ROLLBACK".encode())
            raise

    def _again(self, error: psycopg.Error, span: Range) -> str:
        """Half the rows, if it took too long or somebody was in the way, as long as the budget lasts.

        Answers what people wish meanwhile.
        """
        if is_lost(error, self._conn):
            raise error
        executor = self._executor
        executor.undo()
        seen = executor.blockers(self._action, error)
        statement = self._backfill.over(self._keyed.columns, span)
        now = time.monotonic()
        self._failing_since = self._failing_since or now
        smallest = self._sizer.rows == 1 and self._timeout_ms >= executor.limits.statement_timeout_ms
        if (
            error.sqlstate not in _RETRIED
            or now - self._failing_since > executor.limits.lock_budget
            or (error.sqlstate == _TIMEOUT and smallest)
        ):
            raise executor.failure(self._action._replace(statements=(statement,)), error, seen) from error
        self._sizer.failed()
        if error.sqlstate == _TIMEOUT:
            self._timeout_ms = min(self._timeout_ms * 2, executor.limits.statement_timeout_ms)
        self._attempt += 1
        if self._attempt in (1, 10, 100):
            what = "a batch took too long" if error.sqlstate == _TIMEOUT else "somebody is in the way of a batch"
            why = "; ".join(map(str, seen)) or error.diag.message_primary
            executor.on_wait(f"{self._action.id}: {what} ({why}); trying again with {self._sizer.rows:,} rows")
        if error.sqlstate == _LOCK_TIMEOUT:
            self._watch()
        executor.keep_lease()
        time.sleep(min(0.05 * 2 ** min(self._attempt, 6), 2.0) * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
        return self._wish()

    def _wish(self) -> str:
        standing = self._place.read(self._conn)
        return standing.wish if standing else "cancel"

    def _watch(self) -> None:
        """From now on, look from another session who holds the rows that a batch waits for."""
        if self._is_watched:
            return
        self._is_watched = True
        executor = self._executor
        at_work = f"token = {executor.lease.token} FOR KEY SHARE"
        waiting = (
            f"SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE {literal(f'%{at_work}%')}"
        )
        self._watching.enter_context(
            watched(
                waiting,
                executor.another,
                executor.on_wait,
                what=self._action.id,
                ends_idle=executor.limits.ends_idle,
                poll=_WATCH_SECONDS,
            )
        )

    def _heed(self, wish: str) -> None:
        """Stop, or wait, as somebody has asked for from elsewhere."""
        told = False
        if self._executor.stopping.is_set():
            raise self._refused("it was interrupted", "What is done is kept; run it again to go on.")
        while wish != "run":
            if wish == "cancel":
                raise self._refused(
                    f"it was cancelled after {self._seen:,} rows, which stay as they are",
                    f"Go on with `trueup backfill resume {self._backfill.name}`, or say that it is done with "
                    f"`trueup resolve {self._action.id} --applied`.",
                )
            if not told:
                told = True
                name = self._backfill.name
                self._executor.on_wait(f"{name} is paused after {self._seen:,} rows: trueup backfill resume {name}")
            time.sleep(_PAUSED_POLL)
            self._executor.keep_lease()
            wish = self._wish()

    def _hold_back(self) -> None:
        """Wait while the server cannot keep up; go at half the speed while autovacuum is at work."""
        if self._executor.limits.full_speed:
            return
        said = ""
        while (hindrance := self._throttle.look()) is not None:
            if hindrance.why != said:
                said = hindrance.why
                self._conn.execute(f"{MARK}{self._place.say(said)}".encode())
                self._tell(0, 0.0, note=said)
            if not hindrance.stops:
                time.sleep(min(self._pace.last, 2 * self._sizer.target))
                return
            time.sleep(LOOK_SECONDS)
            self._executor.keep_lease()
            if self._wish() != "run":
                break  # the next batch heeds it
        if said:
            self._conn.execute(f"{MARK}{self._place.say('')}".encode())

    def _tell(self, rows: int, seconds: float, note: str = "") -> None:
        self._seen += rows
        if rows:
            self._pace.add(rows, seconds)
        self._on_progress(Progress(self._backfill.name, self._seen, self._expected, self._pace.rate, note))

    def _refused(self, why: str, hint: str) -> StepFailed:
        return StepFailed(
            f"{self._action.id} failed: {why}",
            step=self._action.id,
            statement=self._backfill.statement,
            sqlstate="",
            hint=hint,
        )


class _Pace:
    """Rows a second, mostly of the latest batches."""

    def __init__(self) -> None:
        self.rate = 0.0
        self.last = 0.0

    def add(self, rows: int, seconds: float) -> None:
        now = rows / max(seconds, 0.001)
        self.rate = now if not self.rate else 0.8 * self.rate + 0.2 * now
        self.last = seconds


def _answers(conn: Connection[Any], statements: list[str]) -> list[list[tuple[Any, ...]]]:
    """Send statements as one message; the rows of each that has rows."""
    cursor = conn.execute("\n;\n".join(statements).encode())
    found = []
    while True:
        if cursor.description is not None:
            found.append(cursor.fetchall())
        if not cursor.nextset():
            return found


def _written(conn: Connection[Any], statements: list[str]) -> int:
    """Send statements as one message; how many rows the last one wrote."""
    cursor = conn.execute("\n;\n".join(statements).encode())
    while cursor.nextset():
        pass
    return cursor.rowcount
