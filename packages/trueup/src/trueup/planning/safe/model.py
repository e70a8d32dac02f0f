"""What a safe form is made of. Plain data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, MutableSet
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from trueup.catalog.keys import identity_of, kind_of, parts, table_of, unquoted
from trueup.chain.grammar import Statement
from trueup.chain.model import NOTHING
from trueup.planning.backfill import Backfill
from trueup.planning.live import Live

_T = TypeVar("_T")
READS_NOTHING = {"truncate_stmt"}  # its table gets a new file, but no row is read or written


class Part(NamedTuple):
    """Statements of one transaction, or one that refuses any.

    `makes` are the facts that are there afterwards (None: gone); where they are there already it need not be sent.
    `helpers` are indexes that it builds for others to take over. `unhurried` parts have no statement timeout: they hold
    weak locks only, and take as long as the table is big. `settings` hold for its transactions.
    """

    statements: tuple[str, ...]
    why: str
    locks: Mapping[str, str]
    makes: Mapping[str, str | None] = NOTHING
    transaction: bool = True
    unhurried: bool = False
    backfill: Backfill | None = None
    helpers: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """The parts of a safe form, by stage. `first` and `clauses` are of one ALTER TABLE each.

    `opening` and `owned` are statements around the first of them, `then` behind the second, in the same transaction.
    """

    opening: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    owned: tuple[str, ...] = ()
    before: tuple[Part, ...] = ()
    clauses: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    after: tuple[Part, ...] = ()
    why: str = ""

    def __add__(self, other: Form) -> Form:
        return Form(
            _joined(self.opening, other.opening),
            _joined(self.first, other.first),
            _joined(self.owned, other.owned),
            _joined(self.before, other.before),
            _joined(self.clauses, other.clauses),
            _joined(self.then, other.then),
            _joined(self.after, other.after),
            "; ".join(dict.fromkeys(why for why in (self.why, other.why) if why)),
        )


def _joined(some: tuple[_T, ...], others: tuple[_T, ...]) -> tuple[_T, ...]:
    """What two clauses both need is done once."""
    return (*some, *(item for item in others if item not in some))


TIMING = {"CONSTR_ATTR_DEFERRABLE", "CONSTR_ATTR_NOT_DEFERRABLE", "CONSTR_ATTR_DEFERRED", "CONSTR_ATTR_IMMEDIATE"}
"""Nodes behind a constraint that say when it is checked."""


class Hazard(Exception):
    """There is no form that nobody would feel. The message says what the statement does to the table."""

    def __init__(self, table: str, why: str) -> None:
        super().__init__(why)
        self.table = table
        self.why = why


class Work(NamedTuple):
    """One statement on a table that is big, with what it does and what was observed of it.

    `set` and `gone` are the facts that it changes, `facts` those that are there before it; `locks`, `rewritten` and
    `scanned` what the scratch server showed. `taken` are names that the plan has made up for what is no fact.
    """

    statement: Statement
    table: str
    set: Mapping[str, str]
    gone: tuple[str, ...]
    locks: Mapping[str, str]
    rewritten: tuple[str, ...]
    scanned: tuple[str, ...]
    live: Live
    name: str
    facts: Mapping[str, str | None]
    taken: MutableSet[str]

    def helper(self, purpose: str) -> str:
        """The name of a helper object: the same one in every run, so that the next run finds and removes it."""
        return "trueup_" + hashlib.sha256(f"{self.name}\0{self.table}\0{purpose}".encode()).hexdigest()[:16]

    @property
    def schema(self) -> str:
        """The table's schema, where helpers and indexes are, too."""
        return parts(self.table)[0]

    @property
    def rewrites(self) -> bool:
        """True where the table itself was written anew."""
        return self.table in self.rewritten

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The columns of the primary key that it adds."""
        added = (value for value in self.new("constraint").values() if value.startswith("PRIMARY KEY ("))
        inner = next((value.partition("(")[2].partition(")")[0] for value in added), "")
        return tuple(column.strip() for column in inner.split(",")) if inner else ()

    def new(self, kind: str) -> dict[str, str]:
        """The facts of a kind that it makes on the table: name or column → value, both as SQL writes them."""
        return {
            parts(identity_of(key))[-1]: value
            for key, value in self.set.items()
            if kind_of(key) == kind and table_of(key) == self.table
        }


def same_name(names: Iterable[str], raw: str) -> str:
    """The name among those as SQL writes them that means this one of the parse tree; empty where there is none."""
    return next((name for name in names if unquoted(name) == raw), "")


def validate(table: str, name: str, makes: Mapping[str, str | None], also: Mapping[str, str] | None = None) -> Part:
    """VALIDATE CONSTRAINT in a transaction of its own: readers and writers go on."""
    return Part(
        statements=(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}",),
        why="checks the rows that are there, while readers and writers go on",
        locks={table: "SUE", **(also or {})},
        makes=makes,
        unhurried=True,
    )
