"""Replay a chain on a scratch database and record what each step does to the catalog.

A full snapshot after every step would cost the square of the chain's length. So only what the step has changed is read
again (see `look.sql`), in the step's own transaction and message. At the end a full snapshot has to agree with the sum
of the deltas; where it does not, the chain is replayed once more with full snapshots throughout.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from itertools import zip_longest
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection, Cursor

from trueup.catalog.keys import quoted, split_key
from trueup.chain.definitions import defining_statement
from trueup.chain.grammar import Statement, parse_statements
from trueup.chain.model import Effect, Facts, Step
from trueup.chain.statements import (
    is_concurrent,
    is_guarded,
    needs_one_transaction,
    refuses_transactions,
    without_concurrently,
)
from trueup.connect.python import StepRaised, carry_out, place_of
from trueup.errors import ScratchError
from trueup.scratch.changes import Change, effect_of, lock_modes, ordered, together
from trueup.scratch.look import Picture, as_look, look_sql, prepare_sql
from trueup.scratch.observed import Files, scanned

_RENAME_TAGS = {"rename_stmt", "alter_object_schema_stmt"}
_UNLOCKED_TAGS = {"grant_stmt", "alter_domain_stmt", "alter_default_privileges_stmt"}
_NAMES_EVERYWHERE = {"OBJECT_SCHEMA", "OBJECT_ROLE"}
_FACTLESS_TAGS = {"vacuum_stmt", "alter_system_stmt", "check_point_stmt", "createdb_stmt", "dropdb_stmt"}
_PLAIN_TAGS = {
    "create_stmt",
    "alter_table_stmt",
    "index_stmt",
    "drop_stmt",
    "create_enum_stmt",
    "view_stmt",
    "comment_stmt",
}
_TYPELESS_TAGS = {"create_stmt", "alter_table_stmt", "index_stmt"}
_SESSION = "SET client_min_messages = error; SET check_function_bodies = off; SET TimeZone = 'UTC'"
_TURN = 0.0001  # seconds, for the sender to begin: else it would get the interpreter only when we are through
_MOST_PARTS = 24  # of one transaction: each look reads again all that the transaction has locked
_NO_TRANSACTION_CONTROL = "2D000"


_Rows = Sequence[Any]
"""Of a look."""


class _Ran(NamedTuple):
    """A step that was run: its statements, and a look for each of them or for all together."""

    statements: list[Statement]
    looks: list[_Rows]


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
        """Run steps and say what each did. While that is found out of one, the server is at work on the next.

        Raises:
            ScratchError: the server refused one.
        """
        with ThreadPoolExecutor(1, thread_name_prefix="trueup-scratch") as sender:
            ahead: Future[_Ran] | None = None
            for step, following in zip_longest(steps, steps[1:]):
                on_step(step)
                goes_ahead = following and _is_plain(step) and _is_plain(following)
                if ahead and goes_ahead:
                    _parsed(following)  # now, for afterwards the server would wait for that
                ran = ahead.result() if ahead else self._run(step)
                ahead = sender.submit(self._run, following) if goes_ahead else None
                if ahead:
                    time.sleep(_TURN)
                yield self._understood(step, ran)

    def _run(self, step: Step) -> _Ran:
        """Run a step, and look.

        Raises:
            ScratchError: the server refused it.
        """
        statements = _parsed(step)
        try:
            alone = any(refuses_transactions(s) and not is_concurrent(s) for s in statements)
            if 1 < len(statements) <= _MOST_PARTS and not alone:
                looks = self._run_one_by_one(step, statements)
            elif len(statements) > 1 and not alone and self._can_be_divided(step, statements):
                looks = self._run_divided(step, statements)
            else:
                looks = [self._run_together(step, statements, self._look(statements))]
        except (psycopg.Error, StepRaised) as error:
            raise _refused(step, error) from error
        return _Ran(statements, looks)

    def _understood(self, step: Step, ran: _Ran) -> Effect:
        """What a step did, by what was seen when it was run."""
        changes = [self._absorb(rows) for rows in ran.looks]
        statements = ran.statements
        old, new = together(changes)
        effect = effect_of(old, new)
        return Effect(
            set=ordered(dict(effect.set) | _roles(statements)),
            gone=effect.gone,
            locks=lock_modes(changes, concurrent=any(is_concurrent(s) for s in statements)),
            rewritten=tuple(sorted({name for change in changes for name in change.rewritten})),
            scanned=tuple(sorted({name for change in changes for name in scanned(change.held, change.names)})),
            texts=self._texts(effect.set, step),
            parts=_parts(statements, changes) if len(changes) > 1 else (),
        )

    def _look(self, statements: list[Statement]) -> str:
        """The query for what these statements change; empty where they cannot change a fact."""
        if all(s.tag in _FACTLESS_TAGS for s in statements):
            return ""
        everything = not self.local or any(_renames_everywhere(s) for s in statements)
        return look_sql(
            renames=any(_may_rename(s) for s in statements),
            unlocked=any(s.tag in _UNLOCKED_TAGS or _is_opaque(s) for s in statements),
            types=not {s.tag for s in statements} <= _TYPELESS_TAGS,
            everything=everything,
        )

    def _run_one_by_one(self, step: Step, statements: list[Statement]) -> list[_Rows]:
        """Several statements in one transaction, with a look after each."""
        looks: list[_Rows] = []
        try:
            self.conn.execute("".join(f"{text}\n;" for text in ("BEGIN", *step.context)).encode())
            for statement in statements:
                look = self._look([statement])
                cursor = self.conn.execute(f"{_text(statement)}\n;{look}".encode())
                looks.append(_last(cursor) if look else ())
            self.conn.execute("COMMIT")
        except psycopg.Error:
            self.conn.execute("ROLLBACK")
            raise
        return looks

    def _can_be_divided(self, step: Step, statements: list[Statement]) -> bool:
        """True where each statement does the same in a transaction of its own."""
        return step.id not in self._undivided and not any(needs_one_transaction(s) for s in statements)

    def _run_divided(self, step: Step, statements: list[Statement]) -> list[_Rows]:
        """Many statements that belong in one transaction, each in its own: so a look reads only what that one touched.

        Raises:
            _MustNotBeDivided: it does not run like that. Nobody can take back what has run: the replay starts again.
        """
        try:
            return [self._send([*step.context, _text(statement)], self._look([statement])) for statement in statements]
        except psycopg.Error:
            raise _MustNotBeDivided(step.id) from None

    def _absorb(self, rows: _Rows) -> Change:
        """Take over what has changed since the last look."""
        look = as_look(rows, major=self._major)
        names = {lock.relation: name for lock in look.held if (name := self.picture.relation(lock.relation))}
        return Change(*self.picture.take_over(look), look.held, names, self._files.rewritten(look.held))

    def _everything(self) -> Picture:
        picture = Picture()
        picture.take_over(as_look(self._send([], look_sql(everything=True)), major=self._major))
        return picture

    def _texts(self, changed: Mapping[str, str], step: Step) -> Facts:
        """What defines the functions among the facts, where no statement of the step does."""
        found = {}
        for key in changed:
            kind, identity = split_key(key)
            if kind in ("function", "procedure") and not defining_statement(step, identity):
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
                return self._send([*step.context, *texts], look)
            except psycopg.errors.InvalidTransactionTermination:  # a DO block or procedure that commits by itself
                self.conn.execute("ROLLBACK")
        for text in texts:
            self.conn.execute(text.encode())
        self._files.read(self.conn)
        return self._send([], look and look_sql(everything=True))

    def _call(self, step: Step, look: str) -> _Rows:
        """Run a Python step, then look, in one transaction."""
        with self.conn.transaction():
            carry_out(self.conn, self._folder, step)
            return _last(self.conn.execute(f"RESET ROLE; {look}".encode())) if look else ()

    def _send(self, statements: Sequence[str], look: str) -> _Rows:
        """One message, one transaction: the statements, then a look."""
        reading = f"RESET ROLE; {look};\n" if look else ""
        body = "".join(f"{statement}\n;" for statement in statements)
        try:
            cursor = self.conn.execute(f"BEGIN;\n{body}{reading}COMMIT".encode())
        except psycopg.Error:
            self.conn.execute("ROLLBACK")
            raise
        return _last(cursor) if look else ()


@lru_cache(maxsize=4)
def _parsed(step: Step) -> list[Statement]:
    return [statement for text in step.statements for statement in parse_statements(text, path=step.path)]


def _text(statement: Statement) -> str:
    """The statement in the form that a scratch database takes inside a transaction."""
    return _unless_there(statement) if statement.tag == "create_role_stmt" else without_concurrently(statement)


def _last(cursor: Cursor[Any]) -> list[Any]:
    """The last result that has rows."""
    rows: list[Any] = []
    while True:
        if cursor.description is not None:
            rows = cursor.fetchall()
        if not cursor.nextset():
            return rows


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


def _is_plain(step: Step) -> bool:
    """True where nothing more has to be asked of the server to understand what it did."""
    is_alone = step.no_transaction and "alter_table_stmt" in step.tags
    return set(step.tags) <= _PLAIN_TAGS and not step.python and not is_alone


def _parts(statements: list[Statement], changes: Sequence[Change]) -> tuple[Effect, ...]:
    """What each statement of a step did."""
    each = [effect_of(change.old, change.new) for change in changes]
    return tuple(
        replace(part, set={**part.set, **_roles([statement])}) for statement, part in zip(statements, each, strict=True)
    )


def _roles(statements: list[Statement]) -> Facts:
    """Roles belong to the whole server, where an earlier replay may have left them; the statement says which."""
    return {f"role {quoted(s.node.role)}": "" for s in statements if s.tag == "create_role_stmt"}


def _unless_there(statement: Statement) -> str:
    """CREATE ROLE on a scratch server that may have the role already."""
    body = statement.text.replace("'", "''")
    return f"DO $do$ BEGIN EXECUTE '{body}'; EXCEPTION WHEN duplicate_object THEN NULL; END $do$"


def _may_rename(statement: Statement) -> bool:
    """It may give something another name, by which other objects' facts mention it."""
    if statement.tag == "alter_enum_stmt":
        return bool(statement.node.old_val)
    return statement.tag in _RENAME_TAGS or _is_opaque(statement)


def _is_opaque(statement: Statement) -> bool:
    """It calls something that may do anything."""
    return statement.tag in ("do_stmt", "call_stmt") or (statement.tag == "select_stmt" and not is_guarded(statement))


def _renames_everywhere(statement: Statement) -> bool:
    """It gives a schema or a role another name, which many facts bear."""
    return statement.tag == "rename_stmt" and _enum_name(statement.node, "rename_type") in _NAMES_EVERYWHERE


def _enum_name(node: Any, field: str) -> str:
    described = node.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number
    return str(described[getattr(node, field)].name)


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
