"""What a chain is made of. Plain data; no I/O.

Named tuples: a frozen dataclass takes a millisecond or two to define, and a run that finds nothing to do waits for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

Phase = Literal["expand", "contract"]
Facts = dict[str, str]
"""Fact key → canonical value, such as `column public.leads.phone` → `character varying(64)`."""
NOTHING: Mapping[Any, Any] = MappingProxyType({})
"""Where there is nothing to tell; nobody can put anything in."""

DATA_TAGS = frozenset(
    {
        "insert_stmt",
        "update_stmt",
        "delete_stmt",
        "merge_stmt",
        "select_stmt",
        "truncate_stmt",
        "copy_stmt",
        "do_stmt",
        "call_stmt",
        "create_table_as_stmt",
        "execute_stmt",
    },
)
_DERIVED = re.compile(r"\s*CREATE\s+MATERIALIZED\b", re.IGNORECASE)
_ADDS_NO_ROWS = ("update_stmt", "delete_stmt", "truncate_stmt")
_MENTIONS_DDL = re.compile(r"\b(create|alter|drop|rename|comment|grant|revoke|truncate)\b", re.IGNORECASE)


def writes_rows(tag: str, text: str) -> bool:
    """True where the statement writes rows, or may. What a materialized view holds is derived: it is no data."""
    return tag in DATA_TAGS and not (tag == "create_table_as_stmt" and _DERIVED.match(text))


class Allowed(NamedTuple):
    """A `-- lint: allow` of the author's: for the statement on this line, or with line 0 for the whole step."""

    line: int
    rule: str
    reason: str


class Batches(NamedTuple):
    """What the author says about running a statement in batches; what is left out is found out at the database."""

    table: str = ""  # as written, such as `shop.leads`; empty: the one that the statement is about
    columns: tuple[str, ...] = ()  # what the batches are ranges of; empty: the primary key
    size: int = 0  # rows to begin with; 0: the engine's own


class Step(NamedTuple):
    """One statement of a migration, or one block that must be atomic: the unit of decision, run and ledger.

    `statements` are sent in order in one transaction; `context` are the `SET`s of the same file that hold for it.
    `lines` says where each statement begins. `hash` is over the printed parse trees, so comments and white space may
    change.
    """

    id: str
    migration: str
    number: str
    path: str
    line: int
    statements: tuple[str, ...]
    tags: tuple[str, ...]
    hash: str
    former: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()
    context: tuple[str, ...] = ()
    guarded: bool = False  # every data statement in it repeats harmlessly by its own guard
    no_transaction: bool = False  # its statement refuses to run inside a transaction block
    repeatable: bool = False  # runs again whenever its text changes (Flyway's R__)
    done_when: str = ""
    backfill: Batches | None = None
    phase: Phase = "expand"
    undo: str = ""
    as_written: bool = False
    allowed: tuple[Allowed, ...] = ()
    python: str = ""  # name of the function, for a step of a .py migration

    @property
    def sql(self) -> str:
        """The step's statements as one text."""
        return ";\n".join(self.statements)

    @property
    def has_data(self) -> bool:
        """True where a statement writes rows, or may (a function call, a DO block)."""
        return any(map(writes_rows, self.tags, self.statements))

    @property
    def inserts(self) -> bool:
        """True where a statement adds rows, or may."""
        pairs = zip(self.tags, self.statements, strict=True)
        return any(writes_rows(tag, text) and tag not in _ADDS_NO_ROWS for tag, text in pairs)

    @property
    def opaque(self) -> bool:
        """A DO block or a call that mentions DDL: the catalog of an empty database cannot show all it does."""
        return any(
            tag in ("do_stmt", "call_stmt") and _MENTIONS_DDL.search(text)
            for tag, text in zip(self.tags, self.statements, strict=True)
        )


class Effect(NamedTuple):
    """What a step did on the scratch server.

    `set` are the facts it added or changed, with their values after it; `gone` the facts it removed. `locks` are the
    strongest lock modes it took, per relation; `rewritten` the tables and indexes that got a new file, `scanned` the
    tables that it read; all of them relations that were there before it. `texts` define functions that none
    of its statements defines as a whole. `parts` are the effects of the single statements, where it has several.
    """

    set: Mapping[str, str] = NOTHING
    gone: tuple[str, ...] = ()
    locks: Mapping[str, str] = NOTHING
    rewritten: tuple[str, ...] = ()
    scanned: tuple[str, ...] = ()
    texts: Mapping[str, str] = NOTHING
    parts: tuple[Effect, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Every fact that the step touches."""
        return (*self.set, *self.gone)

    @property
    def changes(self) -> Iterator[tuple[str, str | None]]:
        """Every fact that the step touches, with its value after it; None where it is gone."""
        yield from self.set.items()
        for key in self.gone:
            yield key, None


class Chain(NamedTuple):
    """The ordered migrations of one folder."""

    name: str
    folder: str
    digest: str
    steps: tuple[Step, ...]


class LockedChain(NamedTuple):
    """A chain with what each step does: all that a run needs. `base` are facts that `setup` made."""

    chain: Chain
    effects: tuple[Effect, ...]
    base: Mapping[str, str]
    scratch_major: int

    @property
    def steps(self) -> tuple[Step, ...]:
        """The chain's steps."""
        return self.chain.steps
