"""Replay a chain on a scratch database and record what each step does to the catalog.

A full snapshot after every step would cost the square of the chain's length. So only what the step has changed is read
again (see `look.sql`), in the step's own transaction and message. At the end a full snapshot has to agree with the sum
of the deltas; where it does not, the chain is replayed once more with full snapshots throughout.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection, Cursor

from trueup.catalog.keys import literal, quoted, split_key
from trueup.chain.definitions import defining_statement
from trueup.chain.grammar import Statement, parse_statements
from trueup.chain.model import Effect, Facts, Step
from trueup.chain.statements import (
    is_concurrent,
    needs_one_transaction,
    refuses_transactions,
    without_concurrently,
)
from trueup.connect.python import StepRaised, carry_out, place_of
from trueup.errors import ScratchError
from trueup.scratch.asked import is_divided, is_plain, look_for, messages
from trueup.scratch.changes import Change, effect_of, lock_modes, ordered, together
from trueup.scratch.look import LOOKED, UNCOUNTED, Picture, as_look, look_sql, prepare_sql
from trueup.scratch.observed import Files, scanned

_SESSION = "SET client_min_messages = error; SET check_function_bodies = off; SET TimeZone = 'UTC'"
_AHEAD = 2  # messages: one that the server is at work on, one behind it
_NO_TRANSACTION_CONTROL = "2D000"


_Rows = Sequence[Any]
"""Of a look."""


class _Parsed(NamedTuple):
    """A step, and its statements."""

    step: Step
    statements: list[Statement]


class _MustNotBeDivided(Exception):
    """The statements of this step do not run in transactions of their own."""

    def __init__(self, step: str) -> None:
        super().__init__(step)
        self.step = step


class Replay:
    """The scratch database while a chain is replayed on it. `picture` is what is there now.

    `undivided` are steps whose statements have to share their transaction; `folder` is where Python steps are.
    """

    def __init__(
        self, conn: Connection[Any], *, local: bool = True, undivided: Collection[str] = (), folder: str = ""
    ) -> None:
        self.conn = conn
        self._folder = folder
        self.local = local
        self._undivided = undivided
        self._major = conn.info.server_version // 10000
        conn.execute(f"{_SESSION}; {prepare_sql()}".encode())
        self.picture = self._everything()
        self._files = Files(conn)

    def flat(self) -> Facts:
        """All facts of the scratch database."""
        return self.picture.flat()

    def learn(self, steps: Sequence[Step], on_step: Callable[[Step], None] = lambda _: None) -> Iterator[Effect]:
        """Run steps and say what each did. While that is found out of some, the server is at work on the next.

        Raises:
            ScratchError: the server refused one.
        """
        sent: deque[tuple[list[_Parsed], Future[list[list[_Rows]]]]] = deque()

        def understood(ahead: int = 0) -> Iterator[Effect]:
            """What the steps of all messages did, but for those that may still be on their way."""
            while len(sent) > ahead:
                message, answer = sent.popleft()
                scans: dict[int, int] = {}
                for one, looks in zip(message, answer.result(), strict=True):
                    yield self._understood(one, looks, scans)

        with ThreadPoolExecutor(1, thread_name_prefix="trueup-scratch") as sender:
            for together in messages(steps):
                for step in together:
                    on_step(step)
                message = [_Parsed(step, _parsed(step)) for step in together]
                if is_plain(together[0]):
                    sent.append((message, sender.submit(self._send, message, self._written(message))))
                    yield from understood(_AHEAD)
                else:
                    yield from understood()
                    yield self._understood(message[0], self._run(*message[0]), {})
            yield from understood()

    def _written(self, message: Sequence[_Parsed]) -> str:
        """Each step in a transaction of its own, with a look behind each of its statements."""
        lines = [UNCOUNTED]
        for step, statements in message:
            lines += ["BEGIN", f"SET trueup.step = {literal(step.id)}", *step.context]
            for statement in statements:
                role = "RESET ROLE" if step.context and len(statements) == 1 else ""
                lines += [_text(statement), role, self._look([statement])]
            lines.append("COMMIT")
        return "\n;".join(filter(None, lines))

    def _send(self, message: Sequence[_Parsed], text: str) -> list[list[_Rows]]:
        """Carry a message out; for each step the looks behind its statements.

        Raises:
            ScratchError: the server refused one of its steps.
        """
        try:
            looks = _looks(self.conn.execute(text.encode()))
            return [[next(looks) if self._look([each]) else () for each in one.statements] for one in message]
        except psycopg.Error as error:
            self.conn.execute("ROLLBACK")
            row = self.conn.execute("SELECT current_setting('trueup.step', true)").fetchone()
            done = [number for number, one in enumerate(message, 1) if row and one.step.id == row[0]]
            raise _refused(message[done[0] if done else 0].step, error) from error

    def _run(self, step: Step, statements: list[Statement]) -> list[_Rows]:
        """Run a step by itself; the rows of a look for each of its statements or for all together.

        Raises:
            ScratchError: the server refused it.
        """
        try:
            alone = any(refuses_transactions(s) and not is_concurrent(s) for s in statements)
            if is_divided(statements) and not alone:
                message = [_Parsed(step, statements)]
                return self._send(message, self._written(message))[0]
            if len(statements) > 1 and not alone and self._can_be_divided(step, statements):
                return self._run_divided(step, statements)
            return [self._run_together(step, statements, self._look(statements))]
        except (psycopg.Error, StepRaised) as error:
            raise _refused(step, error) from error

    def _understood(self, ran: _Parsed, looks: Sequence[_Rows], scans: dict[int, int]) -> Effect:
        """What a step did, by what was seen when it was run.

        Args:
            scans: How often each relation has been read by the steps before it in the same message; goes on.
        """
        changes = [self._absorb(rows) for rows in looks]
        old, new = together(changes)
        effect = effect_of(old, new)
        read = {name for change in changes for name in scanned(change.held, change.names, scans)}
        scans.update((lock.relation, lock.scans) for change in changes for lock in change.held)
        return Effect(
            set=ordered(dict(effect.set) | _roles(ran.statements)),
            gone=effect.gone,
            locks=lock_modes(changes, concurrent=any(is_concurrent(s) for s in ran.statements)),
            rewritten=tuple(sorted({name for change in changes for name in change.rewritten})),
            scanned=tuple(sorted(read)),
            texts=self._texts(effect.set, ran.step),
            parts=_parts(ran.statements, changes) if len(changes) > 1 else (),
        )

    def _look(self, statements: list[Statement]) -> str:
        return look_for(statements, everything=not self.local)

    def _can_be_divided(self, step: Step, statements: list[Statement]) -> bool:
        """True where each statement does the same in a transaction of its own."""
        return step.id not in self._undivided and not any(needs_one_transaction(s) for s in statements)

    def _run_divided(self, step: Step, statements: list[Statement]) -> list[_Rows]:
        """Many statements that belong in one transaction, each in its own: so a look reads only what that one touched.

        Raises:
            _MustNotBeDivided: it does not run like that. Nobody can take back what has run: the replay starts again.
        """
        try:
            return [self._transact([*step.context, _text(one)], self._look([one])) for one in statements]
        except psycopg.Error:
            raise _MustNotBeDivided(step.id) from None

    def _absorb(self, rows: _Rows) -> Change:
        """Take over what has changed since the last look."""
        look = as_look(rows, major=self._major)
        names = {lock.relation: name for lock in look.held if (name := self.picture.relation(lock.relation))}
        return Change(*self.picture.take_over(look), look.held, names, self._files.rewritten(look.held))

    def _everything(self) -> Picture:
        picture = Picture()
        picture.take_over(as_look(self._transact([], look_sql(everything=True)), major=self._major))
        return picture

    def _texts(self, changed: Mapping[str, str], step: Step) -> Facts:
        """What defines the functions among the facts, where no statement of the step does."""
        found = {}
        for key in changed:
            kind, identity = split_key(key)
            if kind in ("function", "procedure") and not defining_statement(step, key):
                row = self.conn.execute(
                    "SELECT pg_get_functiondef(to_regprocedure(%s))",
                    (identity,),
                ).fetchone()
                if row and row[0]:
                    found[key] = row[0]
        return found

    def apply(self, steps: Sequence[Step]) -> None:
        """Run steps whose effects are known, then read everything once."""
        for step in steps:
            statements = _parsed(step)
            try:
                self._run_together(step, statements, "")
            except (psycopg.Error, StepRaised) as error:
                raise _refused(step, error) from error
        self.picture = self._everything()
        self._files.read(self.conn)

    def agrees(self) -> bool:
        """True where the sum of the deltas is what a full snapshot says."""
        return self._everything().flat() == self.flat()

    def _run_together(self, step: Step, statements: list[Statement], look: str) -> _Rows:
        """All statements at once; the rows of the look behind them."""
        if step.python:
            return self._call(step, look)
        texts = [_text(statement) for statement in statements]
        if not any(refuses_transactions(s) and not is_concurrent(s) for s in statements):
            try:
                return self._transact([*step.context, *texts], look)
            except psycopg.errors.InvalidTransactionTermination:  # a DO block or procedure that commits by itself
                self.conn.execute("ROLLBACK")
        for text in texts:
            self.conn.execute(text.encode())
        self._files.read(self.conn)
        return self._transact([], look and look_sql(everything=True))

    def _call(self, step: Step, look: str) -> _Rows:
        """Run a Python step, then look, in one transaction."""
        with self.conn.transaction():
            self.conn.execute(UNCOUNTED.encode())
            carry_out(self.conn, self._folder, step)
            return _last(self.conn.execute(f"RESET ROLE; {look}".encode())) if look else ()

    def _transact(self, statements: Sequence[str], look: str) -> _Rows:
        """One message, one transaction: the statements, then a look."""
        reading = f"RESET ROLE; {look};\n" if look else ""
        body = "".join(f"{statement}\n;" for statement in statements)
        try:
            cursor = self.conn.execute(f"{UNCOUNTED};\nBEGIN;\n{body}{reading}COMMIT".encode())
        except psycopg.Error:
            self.conn.execute("ROLLBACK")
            raise
        return _last(cursor) if look else ()


def _parsed(step: Step) -> list[Statement]:
    return [statement for text in step.statements for statement in parse_statements(text, path=step.path)]


def _text(statement: Statement) -> str:
    """The statement in the form that a scratch database takes inside a transaction."""
    return _unless_there(statement) if statement.tag == "create_role_stmt" else without_concurrently(statement)


def _last(cursor: Cursor[Any]) -> _Rows:
    """The last result that has rows."""
    rows: _Rows = ()
    while True:
        if cursor.description is not None:
            rows = cursor.fetchall()
        if not cursor.nextset():
            return rows


def _looks(cursor: Cursor[Any]) -> Iterator[_Rows]:
    """The results of looks."""
    while True:
        if cursor.description is not None and cursor.description[0].name == LOOKED:
            yield cursor.fetchall()
        if not cursor.nextset():
            return


def replay(
    conn_for: Callable[[], Connection[Any]],
    steps: Sequence[Step],
    known: Sequence[Effect] = (),
    on_step: Callable[[Step], None] = lambda _: None,
    folder: str = "",
) -> tuple[Facts, list[Effect]]:
    """Learn the effects of `steps` beyond those `known`, each time on a fresh database from `conn_for`.

    `folder` is where Python steps are.

    Returns the base facts (what was there before the first step) and one effect per step.
    """
    local, undivided = True, set[str]()
    while True:
        with conn_for() as conn:
            scratch = Replay(conn, local=local, undivided=undivided, folder=folder)
            base = scratch.flat()
            if known:
                scratch.apply(steps[: len(known)])
            effects = list(known)
            try:
                effects.extend(scratch.learn(steps[len(known) :], on_step))
            except _MustNotBeDivided as found:
                undivided.add(found.step)
                continue
            if not local or scratch.agrees():
                return base, effects
            local = False


def _parts(statements: list[Statement], changes: Sequence[Change]) -> tuple[Effect, ...]:
    """What each statement of a step did."""
    each = [effect_of(change.old, change.new) for change in changes]
    return tuple(
        part._replace(set={**part.set, **_roles([statement])}) for statement, part in zip(statements, each, strict=True)
    )


def _roles(statements: list[Statement]) -> Facts:
    """Roles belong to the whole server, where an earlier replay may have left them; the statement says which."""
    return {f"role {quoted(s.node.role)}": "" for s in statements if s.tag == "create_role_stmt"}


def _unless_there(statement: Statement) -> str:
    """CREATE ROLE on a scratch server that may have the role already."""
    body = statement.text.replace("'", "''")
    return f"DO $do$ BEGIN EXECUTE '{body}'; EXCEPTION WHEN duplicate_object THEN NULL; END $do$"


def _refused(step: Step, error: psycopg.Error | StepRaised) -> ScratchError:
    place = place_of(step, error)
    if isinstance(error, StepRaised):
        hint = f"{place}. It runs on an empty database there. Mend the migration, then run `trueup lock` again."
        return ScratchError(f"step {step.id} fails on the scratch server: {error}", step=step.id, hint=hint)
    message = error.diag.message_primary or str(error)
    hint = f"{place}. Mend the migration, then run `trueup lock` again."
    if error.sqlstate in ("0A000", "58P01") and "extension" in message:
        hint = "Point at a server that has it: TRUEUP_SCRATCH_URL, or `[scratch] url` in trueup.toml."
    elif error.sqlstate in ("42704", "3F000", "42P01", "42883"):
        hint += " If it is something that the chain takes for granted (a role, a schema), make it in `[scratch] setup`."
    return ScratchError(
        f"step {step.id} does not run on the scratch server: {message} ({error.sqlstate})", step=step.id, hint=hint
    )
