"""Bring a chain's lock file up to date: replay what changed on a scratch server."""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection, sql

from trueup.chain.grammar import GRAMMAR_VERSION, nodes_of, parse_statements
from trueup.chain.header import lock_path, read_header
from trueup.chain.lockfile import effects_of, read_entries, write_lock
from trueup.chain.model import Chain, Effect, LockedChain, Step
from trueup.connect.urls import hidden, without_password
from trueup.errors import LockFileError, ScratchError
from trueup.planning.backfill import backfill_of
from trueup.scratch.binaries import ICU
from trueup.scratch.dated import without_dated
from trueup.scratch.replay import replay
from trueup.scratch.server import Server, choose, find_installations

_NEEDS_ICU = re.compile(r"-x-icu\b|\bprovider\s*=\s*['\"]?icu\b", re.IGNORECASE)


def learn(
    chain: Chain,
    *,
    scratch_url: str = "",
    setup: str = "",
    on_step: Callable[[Step], None] = lambda _: None,
) -> LockedChain:
    """Replay the chain and return it with its effects; steps whose lock lines still fit are not learnt again.

    Args:
        scratch_url: A server to make throw-away databases on; empty: one is started from binaries found here.
        setup: SQL that makes what the chain takes for granted.

    Raises:
        ScratchError: no server, or a step does not run.
        MigrationError: a backfill that cannot be run in batches; names file and line.
    """
    for step in chain.steps:
        if step.backfill:
            backfill_of(step)
    with scratch_server(chain, scratch_url, setup) as url, contextlib.ExitStack() as stack:

        def fresh_database() -> Connection[Any]:
            return stack.enter_context(_database(url, setup))

        major, base_known, known = _known(chain)
        with _connect(url) as conn:
            server_major = conn.info.server_version // 10000
        if major != server_major:
            known = []
        base, effects = replay(fresh_database, chain.steps, known, on_step, chain.folder)
        effects = without_dated(chain.steps, effects, base)
    if known and base != base_known:
        touched = {key for effect in effects for key in effect.keys}
        if {k: v for k, v in base.items() if k in touched} != base_known:
            return learn(_unlocked(chain), scratch_url=scratch_url, setup=setup, on_step=on_step)
    touched = {key for effect in effects for key in effect.keys}
    return LockedChain(
        chain=chain,
        effects=tuple(effects),
        base={key: value for key, value in base.items() if key in touched},
        scratch_major=server_major,
    )


def _unlocked(chain: Chain) -> Chain:
    lock_path(chain.folder).unlink(missing_ok=True)
    return chain


def save(locked: LockedChain) -> Path:
    """Write the lock file; the path it has."""
    path = lock_path(locked.chain.folder)
    path.write_text(write_lock(locked, grammar=GRAMMAR_VERSION))
    return path


def _known(chain: Chain) -> tuple[int, dict[str, str], list[Effect]]:
    """What the present lock file says of the chain's unchanged beginning."""
    try:
        header = read_header(chain.folder)
        base, entries = read_entries(chain.folder)
    except LockFileError:
        return 0, {}, []
    same = 0
    while same < min(len(entries), len(chain.steps)) and (
        (entries[same]["id"], entries[same]["hash"]) == (chain.steps[same].id, chain.steps[same].hash)
    ):
        same += 1
    return int(header["scratch"]), base, list(effects_of(entries[:same]))


@contextlib.contextmanager
def scratch_server(chain: Chain, url: str, setup: str = "") -> Iterator[str]:
    """The URL of a server for throw-away databases."""
    if url:
        yield url
        return
    installation = choose(find_installations(), needs_of(chain), "\n".join([setup, *may_need(chain)]))
    with Server.start(installation) as server:
        yield server.url()


def needs_of(chain: Chain) -> set[str]:
    """The extensions that the chain creates, and ICU where it names its collations."""
    found: set[str] = set()
    for step in chain.steps:
        for text in step.statements:
            if "extension" in text.lower():
                for statement in parse_statements(text, path=step.path):
                    found.update(node.extname for node in nodes_of(statement.node, "CreateExtensionStmt"))
            if _NEEDS_ICU.search(text):
                found.add(ICU)
    return found - {"plpgsql"}


def may_need(chain: Chain) -> list[str]:
    """The texts of blocks that may create extensions, with `EXECUTE` say: what else they name hangs on the server."""
    texts = (text for step in chain.steps if step.opaque for text in step.statements)
    return [text for text in texts if "extension" in text.lower()]


def _connect(url: str) -> Connection[Any]:
    try:
        return psycopg.connect(url, autocommit=True, prepare_threshold=None)
    except psycopg.Error as error:
        raise ScratchError(
            f"no connection to the scratch server {without_password(url)}: {hidden(str(error).strip(), url)}",
            hint="Correct TRUEUP_SCRATCH_URL or `[scratch] url`; without them a server is started from binaries here.",
        ) from None


def _set_up(conn: Connection[Any], setup: str) -> None:
    try:
        conn.execute(setup.encode())
    except psycopg.Error as error:
        raise ScratchError(
            f"the setup does not run on the scratch server: {error.diag.message_primary or error} ({error.sqlstate})",
            hint="Mend what `[scratch] setup` names, then run `trueup lock` again.",
        ) from error


@contextlib.contextmanager
def _database(url: str, setup: str) -> Iterator[Connection[Any]]:
    name = f"trueup_scratch_{uuid.uuid4().hex[:12]}"
    identifier = sql.Identifier(name)
    try:
        with _connect(url) as admin:
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(identifier))
    except psycopg.Error as error:
        raise ScratchError(
            f"no scratch database can be made: {error}",
            hint="The scratch URL needs a role that may create databases.",
        ) from error
    conninfo = psycopg.conninfo.make_conninfo(url, dbname=name)
    try:
        with _connect(conninfo) as conn:
            if setup:
                _set_up(conn, setup)
            yield conn
    finally:
        with _connect(url) as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))


_READABLE = frozenset(
    {
        "variable_set_stmt",
        "lock_stmt",
        "vacuum_stmt",
        "reindex_stmt",
        "cluster_stmt",
        "refresh_mat_view_stmt",
        "grant_stmt",
        *("alter_table_stmt", "comment_stmt", "create_function_stmt", "rename_stmt"),
    },
)
"""Of facts: where nothing changed, it was so already. Or of what leaves nothing behind."""


def unexplained(locked: LockedChain) -> list[Step]:
    """Steps of DDL that left no fact, such as CREATE PUBLICATION: only an author's `done when` can tell of them."""
    return [
        step
        for step, effect in zip(locked.steps, locked.effects, strict=True)
        if not effect.keys
        and not step.done_when
        and (step.opaque or not step.has_data)
        and not set(step.tags) <= _READABLE
        and "IF EXISTS" not in step.sql.upper()
        and "IF NOT EXISTS" not in step.sql.upper()
    ]
