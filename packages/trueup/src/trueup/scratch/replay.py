"""Replay a chain on a scratch database and record what each step does to the catalog.

A full snapshot after every step would cost the square of the chain's length. After the common statements only the
relations that the step itself locked are read again, with a prepared query, in the step's own transaction and message;
after everything else all facts are. At the end a full snapshot has to agree with the sum of the deltas; where it does
not, the chain is replayed once more with full snapshots throughout.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection, Cursor

from trueup.catalog.keys import identity_of, quoted, split_key
from trueup.catalog.snapshot import PINNED, as_facts, snapshot_sql
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
from trueup.errors import ScratchError
from trueup.scratch.changes import Change, effect_of, lock_modes, ordered, together
from trueup.scratch.observed import FLUSH, HELD, Files, Held, as_held, scanned

FactsByObject = dict[int, Facts]

_LOCAL_TAGS = {
    *("create_stmt", "index_stmt", "insert_stmt", "update_stmt", "delete_stmt", "create_function_stmt", "drop_stmt"),
    *("create_trig_stmt", "create_enum_stmt", "alter_enum_stmt", "create_policy_stmt", "create_seq_stmt", "grant_stmt"),
    *("create_extension_stmt", "view_stmt", "create_table_as_stmt", "refresh_mat_view_stmt", "truncate_stmt"),
    *("variable_set_stmt", "lock_stmt", "composite_type_stmt", "create_schema_stmt", "create_domain_stmt"),
}
_COMMENTED_RELATIONS = {
    "OBJECT_TABLE",
    "OBJECT_COLUMN",
    "OBJECT_VIEW",
    "OBJECT_FUNCTION",
    "OBJECT_TYPE",
    "OBJECT_SCHEMA",
}
_TOUCHED = """c.oid IN (SELECT relation FROM locks WHERE mode IN ('ShareUpdateExclusiveLock', 'ShareLock',
 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'))"""
_NEW = """({}.oid >= 16384 AND ({}.xmin = pg_current_xact_id()::xid
 OR {}.oid IN (SELECT enumtypid FROM pg_enum WHERE xmin = pg_current_xact_id()::xid
               UNION ALL
               SELECT objoid FROM pg_description WHERE objoid >= 16384 AND xmin = pg_current_xact_id()::xid)))"""
_EXISTING = """SELECT oid::bigint FROM pg_proc WHERE oid >= 16384
 UNION ALL SELECT oid::bigint FROM pg_type WHERE oid >= 16384
 UNION ALL SELECT oid::bigint FROM pg_namespace WHERE oid >= 16384 OR nspname = 'public'
 UNION ALL SELECT oid::bigint FROM pg_extension UNION ALL SELECT oid::bigint FROM pg_class WHERE oid >= 16384"""
_MOST_PARTS = 24  # of one transaction: each look reads again all that the transaction has locked
_NOTHING = "SELECT NULL::bigint WHERE false"
_WITH_LOCKS = """WITH locks AS MATERIALIZED (
 SELECT l.relation, l.mode FROM pg_locks l
 WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.relation >= 16384
) {held} UNION ALL ({snapshot})"""
"""The locks are read first, for deparsing takes some of its own, and only once, for reading them takes longest."""

_NO_TRANSACTION_CONTROL = "2D000"


class _Answer(NamedTuple):
    """What a look says: rows of facts, locks by relation, and, where something was dropped, what is still there."""

    rows: list[Any]
    held: list[Held]
    existing: list[Any]


class _MustNotBeDivided(Exception):
    """The statements of this step do not run in transactions of their own."""

    def __init__(self, step: str) -> None:
        super().__init__(step)
        self.step = step


class Replay:
    """The scratch database while a chain is replayed on it. `facts` is what is there now, by owning object's oid.

    `undivided` are steps whose statements have to share their transaction.
    """

    def __init__(self, conn: Connection[Any], *, local: bool = True, undivided: Collection[str] = ()) -> None:
        self.conn = conn
        self.local = local
        self._undivided = undivided
        self._major = conn.info.server_version // 10000
        prepare = (
            "SET enable_hashjoin = off; SET enable_mergejoin = off; SET plan_cache_mode = force_generic_plan;"
            "SET client_min_messages = error; SET check_function_bodies = off; SET TimeZone = 'UTC';"
            "BEGIN; SET LOCAL search_path = pg_catalog;"
            f"PREPARE trueup_all AS {_with_locks(snapshot_sql(schemas='true'))};"
            f"PREPARE trueup_touched AS "
            f"{_with_locks(snapshot_sql(schemas='true', relations=_TOUCHED, objects=_NEW))};"
            "COMMIT"
        )
        conn.execute(prepare.encode())
        self.facts = self._by_object(self._send([], "trueup_all").rows)
        self._files = Files(conn)

    def flat(self) -> Facts:
        """All facts of the scratch database."""
        return {key: value for facts in self.facts.values() for key, value in facts.items()}

    def learn(self, step: Step) -> Effect:
        """Run a step and say what it did.

        Raises:
            ScratchError: the server refused it.
        """
        statements = [s for text in step.statements for s in parse_statements(text, path=step.path)]
        try:
            alone = any(refuses_transactions(s) and not is_concurrent(s) for s in statements)
            if 1 < len(statements) <= _MOST_PARTS and not alone:
                changes = self._run_one_by_one(step, statements)
            elif len(statements) > 1 and not alone and self._can_be_divided(step, statements):
                changes = self._run_divided(step, statements)
            else:
                changes = [self._absorb(self._run(step, statements, self._query(statements)), statements)]
        except psycopg.Error as error:
            raise _refused(step, error) from error
        old, new = together(changes)
        effect = effect_of(old, new)
        return Effect(
            set=ordered(dict(effect.set) | _roles(statements)),
            gone=effect.gone,
            locks=lock_modes(changes, concurrent=any(is_concurrent(s) for s in statements)),
            rewritten=tuple(sorted({name for change in changes for name in change.rewritten})),
            scanned=tuple(sorted({name for change in changes for name in scanned(change.held, change.names)})),
            texts=self._texts(effect.set, step),
            parts=tuple(effect_of(change.old, change.new) for change in changes) if len(changes) > 1 else (),
        )

    def _query(self, statements: list[Statement]) -> str:
        return "trueup_touched" if self.local and all(_is_local(s) for s in statements) else "trueup_all"

    def _run_one_by_one(self, step: Step, statements: list[Statement]) -> list[Change]:
        """Several statements in one transaction, with a look after each."""
        changes = []
        try:
            self.conn.execute("".join(f"{text}\n;" for text in ("BEGIN", *step.context)).encode())
            for statement in statements:
                answer = self._look_within(_text(statement), self._query([statement]))
                changes.append(self._absorb(answer, [statement]))
            self.conn.execute("COMMIT")
        except psycopg.Error:
            self.conn.execute("ROLLBACK")
            raise
        return changes

    def _can_be_divided(self, step: Step, statements: list[Statement]) -> bool:
        """True where each statement does the same in a transaction of its own."""
        return step.id not in self._undivided and not any(needs_one_transaction(s) for s in statements)

    def _run_divided(self, step: Step, statements: list[Statement]) -> list[Change]:
        """Many statements that belong in one transaction, each in its own: so a look reads only what that one touched.

        Raises:
            _MustNotBeDivided: it does not run like that. Nobody can take back what has run: the replay starts again.
        """
        changes = []
        try:
            for statement in statements:
                answer = self._send([*step.context, _text(statement)], self._query([statement]))
                changes.append(self._absorb(answer, [statement]))
        except psycopg.Error:
            raise _MustNotBeDivided(step.id) from None
        return changes

    def _look_within(self, text: str, query: str) -> _Answer:
        """One statement inside a transaction, and the facts after it; the search path is as it was for the next one."""
        reading = (
            "SELECT pg_catalog.set_config('trueup.search_path', pg_catalog.current_setting('search_path'), true);"
            f"{PINNED}; {FLUSH}; {_existing([text])}; EXECUTE {query};"
            "SELECT pg_catalog.set_config('search_path', pg_catalog.current_setting('trueup.search_path'), true)"
        )
        results = _results(self.conn.execute(f"{text}\n;{reading}".encode()))
        return _answer(results[-2], results[-3])

    def _absorb(self, answer: _Answer, statements: list[Statement]) -> Change:
        """Take over what has changed since the last look."""
        fresh = self._by_object(answer.rows)
        touched = set(fresh) | {lock.relation for lock in answer.held if lock.changes}
        if answer.existing:
            touched |= self.facts.keys() - {oid for (oid,) in answer.existing}
        if self._query(statements) == "trueup_all":
            touched |= self.facts.keys()
        names = {h.relation: _relation_name(self.facts[h.relation]) for h in answer.held if h.relation in self.facts}
        change = Change({}, {}, answer.held, names, self._files.rewritten(answer.held))
        for oid in touched:
            change.old.update(self.facts.pop(oid, {}))
            if oid in fresh:
                change.new.update(fresh[oid])
                self.facts[oid] = fresh[oid]
        return change

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
            statements = [s for text in step.statements for s in parse_statements(text, path=step.path)]
            try:
                self._run(step, statements, "")
            except psycopg.Error as error:
                raise _refused(step, error) from error
        self.facts = self._by_object(self._send([], "trueup_all").rows)
        self._files.read(self.conn)

    def agrees(self) -> bool:
        """True where the sum of the deltas is what a full snapshot says."""
        return self._by_object(self._send([], "trueup_all").rows) == self.facts

    def _run(self, step: Step, statements: list[Statement], query: str) -> _Answer:
        texts = [_text(statement) for statement in statements]
        if not any(refuses_transactions(s) and not is_concurrent(s) for s in statements):
            try:
                return self._send([*step.context, *texts], query)
            except psycopg.errors.InvalidTransactionTermination:  # a DO block or procedure that commits by itself
                self.conn.execute("ROLLBACK")
        for text in texts:
            self.conn.execute(text.encode())
        self._files.read(self.conn)
        return self._send([], query)

    def _send(self, statements: Sequence[str], query: str) -> _Answer:
        """One message, one transaction: the statements, then the facts and the locks as they stand."""
        reading = f"RESET ROLE; {PINNED}; {FLUSH}; {_existing(statements)}; EXECUTE {query};\n" if query else ""
        body = "".join(f"{statement}\n;" for statement in statements)
        try:
            results = _results(self.conn.execute(f"BEGIN;\n{body}{reading}COMMIT".encode()))
        except psycopg.Error:
            self.conn.execute("ROLLBACK")
            raise
        return _answer(results[-1], results[-2]) if query else _Answer([], [], [])

    def _by_object(self, rows: list[Any]) -> FactsByObject:
        found: FactsByObject = {}
        for oid, key, value in rows:
            found.setdefault(oid, {}).update(as_facts([(key, value)], major=self._major))
        return found


def _text(statement: Statement) -> str:
    """The statement in the form that a scratch database takes inside a transaction."""
    return _unless_there(statement) if statement.tag == "create_role_stmt" else without_concurrently(statement)


def _existing(statements: Sequence[str]) -> str:
    return _EXISTING if any("drop" in statement.lower() for statement in statements) else _NOTHING


def _results(cursor: Cursor[Any]) -> list[list[Any]]:
    """Every result that has rows."""
    found: list[list[Any]] = []
    while True:
        if cursor.description is not None:
            found.append(cursor.fetchall())
        if not cursor.nextset():
            return found


def _answer(rows: list[Any], existing: list[Any]) -> _Answer:
    held = [as_held(oid, described) for oid, key, described in rows if key is None]
    return _Answer(rows[len(held) :], held, existing)


def _with_locks(snapshot: str) -> str:
    return _WITH_LOCKS.replace("{held}", HELD).replace("{snapshot}", snapshot)


def replay(
    conn_for: Callable[[], Connection[Any]],
    steps: Sequence[Step],
    known: Sequence[Effect] = (),
    on_step: Callable[[Step], None] = lambda _: None,
) -> tuple[Facts, list[Effect]]:
    """Learn the effects of `steps` beyond those `known`, each time on a fresh database from `conn_for`.

    Returns the base facts (what was there before the first step) and one effect per step.
    """
    local, undivided = True, set[str]()
    while True:
        with conn_for() as conn:
            scratch = Replay(conn, local=local, undivided=undivided)
            base = scratch.flat()
            if known:
                scratch.apply(steps[: len(known)])
            effects = list(known)
            try:
                for step in steps[len(known) :]:
                    on_step(step)
                    effects.append(scratch.learn(step))
            except _MustNotBeDivided as found:
                undivided.add(found.step)
                continue
            if not local or scratch.agrees():
                return base, effects
            local = False


def _roles(statements: list[Statement]) -> Facts:
    """Roles belong to the whole server, where an earlier replay may have left them; the statement says which."""
    return {f"role {quoted(s.node.role)}": "" for s in statements if s.tag == "create_role_stmt"}


def _unless_there(statement: Statement) -> str:
    """CREATE ROLE on a scratch server that may have the role already."""
    body = statement.text.replace("'", "''")
    return f"DO $do$ BEGIN EXECUTE '{body}'; EXCEPTION WHEN duplicate_object THEN NULL; END $do$"


def _is_local(statement: Statement) -> bool:
    """Everything that such a statement changes hangs on relations that it locks, or is an object that it creates."""
    node = statement.node
    if statement.tag == "alter_table_stmt":
        return _enum_name(node, "objtype") == "OBJECT_TABLE"
    if statement.tag == "comment_stmt":
        return _enum_name(node, "objtype") in _COMMENTED_RELATIONS
    if statement.tag == "alter_enum_stmt":
        return not node.old_val  # defaults, checks and views mention the label
    if statement.tag == "select_stmt":
        return is_guarded(statement)
    return statement.tag in _LOCAL_TAGS


def _enum_name(node: Any, field: str) -> str:
    described = node.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number
    return str(described[getattr(node, field)].name)


def _relation_name(facts: Facts) -> str:
    """The table or view that an object's facts are about; empty for other objects."""
    first = next(iter(facts))
    return identity_of(first) if first.startswith(("table ", "view ", "materialized view ")) else ""


def _refused(step: Step, error: psycopg.Error) -> ScratchError:
    message = error.diag.message_primary or str(error)
    hint = f"{step.path}:{step.line}. Mend the migration, then run `trueup lock` again."
    if error.sqlstate in ("0A000", "58P01") and "extension" in message:
        hint = "Point at a server that has it: TRUEUP_SCRATCH_URL, or `[scratch] url` in trueup.toml."
    elif error.sqlstate in ("42704", "3F000", "42P01", "42883"):
        hint += " If it is something that the chain takes for granted (a role, a schema), make it in `[scratch] setup`."
    return ScratchError(
        f"step {step.id} does not run on the scratch server: {message} ({error.sqlstate})", step=step.id, hint=hint
    )
