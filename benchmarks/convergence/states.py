"""Make databases in the states that people leave them in."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg

from benchmarks.convergence.bases import Base, expected_after, make_base
from benchmarks.convergence.chains import Chain
from benchmarks.convergence.counts import Columns, Counts, Loss, count_rows, loss_between
from benchmarks.convergence.damage import apply_early, drop_by_hand, droppable, make_like_an_orm, orm_acts
from benchmarks.convergence.dump import Schema, differences, dump
from benchmarks.convergence.engines import Engine
from benchmarks.convergence.fill import fill
from benchmarks.convergence.replay import connect, replay_file
from benchmarks.convergence.servers import Databases
from trueup.catalog.keys import own_name

KINDS = ("empty", "prefix", "half", "dropped", "early", "orm")
LEDGERS = ("absent", "present", "partly")
_SHARE_OF_MARKS_DELETED = 0.3
_MOST_STEPS_OF_HALF = 6


class CannotMakeError(Exception):
    """This state cannot be made; says why."""


class EngineError(Exception):
    """The engine failed on the way to this state."""


@dataclass(frozen=True)
class State:
    """A database to bring true.

    Attributes:
        database: Its name. The run gets a copy.
        position: Files that were run.
        expected: Row counts that the end must have at least.
        acts: What was done to it, for people.
        beyond_repair: What no DDL can bring back, so that stopping is right.
        name_blind: Names of indexes and constraints do not count.
    """

    database: str
    position: int
    expected: Counts
    acts: list[str] = field(default_factory=list)
    beyond_repair: tuple[str, ...] = ()
    name_blind: bool = False


@dataclass
class Maker:
    """Makes the states of one chain. `wanted` is the schema at the chain's end."""

    databases: Databases
    chain: Chain
    engine: Engine
    wanted: Schema

    def __post_init__(self) -> None:
        with connect(self.databases.url("empty")) as conn:
            self._spare = droppable(conn)
            self._spare_orm = set(orm_acts(conn))
        reference = self.databases.copy("reference")
        with connect(self.databases.url(reference)) as conn:
            self._at_the_end = count_rows(conn)
        self.databases.drop(reference)

    def position(self, seed: int) -> int:
        """How many files are run for a seed: anything but none and all."""
        last = max(len(self.chain.files) - 1, 1)
        return random.Random(f"{self.chain.name}:{seed}").randint(1, last)

    def base(self, seed: int, bare: str) -> Base:
        """The clean prefix of a seed, with rows, from a database that has the prefix without rows."""
        return make_base(
            self.databases,
            self.chain,
            bare=bare,
            position=self.position(seed),
            seed=f"rows:{self.chain.name}:{seed}",
            wanted=self.wanted,
        )

    def ledger_base(self, base: Base) -> str:
        """The same prefix and rows, made by the engine, so that it has a ledger.

        Raises:
            EngineError: the engine does not get there.
            CannotMakeError: the rows cannot be played there.
        """
        database = self.databases.copy("empty")
        url = self.databases.url(database)
        target = self.chain.files[base.position - 1].name
        run = self.engine.up(url, 0, to=target)
        if run.code:
            raise EngineError(f"up --to {target} from empty: exit {run.code}: {run.said or run.conflicts}")
        bin_dir = self.databases.server.installation.bin_dir
        different = differences(dump(self.databases.url(base.bare), bin_dir), dump(url, bin_dir))
        if different:
            raise EngineError(f"up --to {target} from empty made another schema: " + "; ".join(different[:4]))
        with connect(url) as conn:
            base.filling.play(conn)
            counts = count_rows(conn)
        if short := [f"{t}: {counts.get(t, 0)} of {n}" for t, n in base.before.items() if counts.get(t, 0) < n]:
            raise CannotMakeError("the rows do not come out the same there: " + ", ".join(short[:4]))
        return database

    def make(self, kind: str, ledger: str, seed: int, base: Base, source: str) -> State:
        """Make one state from a copy of `source`: the base, or its twin with a ledger.

        Raises:
            CannotMakeError: nothing there that could be done.
            EngineError: the engine failed where it had to help.
        """
        rng = random.Random(f"{kind}:{self.chain.name}:{seed}")
        if kind == "orm":
            return self._orm(rng)
        if kind == "empty":
            return State(self.databases.copy("empty"), 0, self._at_the_end)
        database, position = self.databases.copy(source), base.position
        url, lost = self.databases.url(database), set[str]()
        if kind == "half":
            position, acts = self._half(url, base.position, rng, by_engine=ledger != "absent")
            loss, expected = Loss((), (), ()), base.expected
        else:
            with connect(url) as conn:
                before = Columns.read(conn)
                acts = self._acts(conn, kind, base.position, rng)
                after = Columns.read(conn)
                loss = loss_between(before, after, base.before)
                lost = {before.tables[oid] for oid in before.tables.keys() - after.tables.keys()}
            expected = self._expected(base, loss)
        if ledger == "partly":
            with connect(url) as conn:
                acts.append(_delete_marks(conn, rng))
        beyond_repair = loss.beyond_repair + tuple(self._read_later(loss, position))
        if kind == "dropped" and ledger != "absent":
            beyond_repair += tuple(f"table {table}, which the ledger has as made" for table in sorted(lost))
        return State(database, position, expected, acts, beyond_repair)

    def _read_later(self, loss: Loss, position: int) -> Iterator[str]:
        """The lost columns whose values a data statement still to come reads, as far as its words tell."""
        later = [one.text for file in self.chain.files[position:] for one in file.statements if one.writes_rows]
        for table, column in loss.columns:
            names = [re.compile(rf"(?<!\w){re.escape(own_name(name))}(?!\w)") for name in (table, column)]
            if any(all(name.search(text) for name in names) for text in later):
                yield f"values of {table}.{column}, which a later statement reads"

    def _acts(self, conn: psycopg.Connection, kind: str, position: int, rng: random.Random) -> list[str]:
        if kind == "prefix":
            return []
        acts = (
            drop_by_hand(conn, rng, self._spare) if kind == "dropped" else apply_early(conn, self.chain, position, rng)
        )
        if not acts:
            raise CannotMakeError("nothing to drop" if kind == "dropped" else "no later statement can be run early")
        return acts

    def _expected(self, base: Base, loss: Loss) -> Counts:
        if not loss:
            return base.expected
        counts, failures = expected_after(self.databases, self.chain, base, loss)
        if failures:  # then psql cannot say either: only what is sure
            counts = {table: min(count, base.expected.get(table, 0)) for table, count in counts.items()}
        return counts

    def _half(self, url: str, position: int, rng: random.Random, *, by_engine: bool) -> tuple[int, list[str]]:
        if by_engine:
            pending = self.engine.pending(url)
            if not pending:
                raise CannotMakeError("nothing is pending")
            target = pending[rng.randrange(min(len(pending), _MOST_STEPS_OF_HALF))]
            run = self.engine.up(url, position, to=target)
            if run.code:
                raise EngineError(f"up --to {target}: exit {run.code}: {run.said or run.conflicts}")
            return position, [f"up --to {target}"]
        files = self.chain.files
        index = next((i for i in range(position, len(files)) if files[i].cuts), None)
        if index is None:
            raise CannotMakeError("no later file can be cut")
        cut = rng.choice(files[index].cuts)
        with connect(url) as conn:
            for file in files[position:index]:
                replay_file(conn, file)
            replay_file(conn, files[index], stop=cut)
        return index, [f"{files[index].path}: statements 1 to {cut} of {len(files[index].statements)}"]

    def _orm(self, rng: random.Random) -> State:
        database = self.databases.copy("reference")
        with connect(self.databases.url(database)) as conn:
            acts = make_like_an_orm(conn, self._spare_orm)
            fill(conn, rng)
            counts = count_rows(conn)
        return State(database, 0, counts, acts, name_blind=True)


def _delete_marks(conn: psycopg.Connection, rng: random.Random) -> str:
    """Delete a part of the ledger: single marks here and there, or all from some place on."""
    query = "SELECT chain, migration_id FROM trueup.schema_migrations ORDER BY applied_at, migration_id"
    marks = conn.execute(query).fetchall()
    if rng.random() < 0.5:
        doomed = [mark for mark in marks if rng.random() < _SHARE_OF_MARKS_DELETED]
        how = "here and there"
    else:
        doomed = marks[rng.randrange(len(marks) + 1) :]
        how = "at the end"
    for mark in doomed:
        conn.execute("DELETE FROM trueup.schema_migrations WHERE chain = %s AND migration_id = %s", mark)
    return f"{len(doomed)} of {len(marks)} marks deleted {how}"
