"""Run one chain: make states, let the engine work on copies of them, judge."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from benchmarks.convergence.bases import Base
from benchmarks.convergence.chains import Chain
from benchmarks.convergence.dump import Schema, dump
from benchmarks.convergence.engines import Engine
from benchmarks.convergence.fill import Filling
from benchmarks.convergence.judge import Outcome, judge
from benchmarks.convergence.replay import connect, replay
from benchmarks.convergence.report import Result
from benchmarks.convergence.servers import Databases
from benchmarks.convergence.states import LEDGERS, CannotMakeError, EngineError, Maker, State

OnResult = Callable[[Result], None]


@dataclass(frozen=True)
class Asked:
    """Which states are wanted. `ledger` empty: it goes round with the seeds."""

    kinds: tuple[str, ...]
    seeds: tuple[int, ...]
    ledger: str = ""
    keep: bool = False
    jobs: int = 2

    def ledger_of(self, kind: str, seed: int, engine: Engine) -> str:
        """The state of the ledger for one state of the database."""
        if kind in ("empty", "orm") or not engine.has_ledger:
            return "absent"
        return self.ledger or LEDGERS[seed % len(LEDGERS)]


@dataclass
class Bench:
    """Everything of one chain on one server."""

    databases: Databases
    chain: Chain
    engine: Engine
    asked: Asked
    peers: tuple[Engine, ...] = ()

    def __post_init__(self) -> None:
        bin_dir = self.databases.server.installation.bin_dir
        url = self.databases.url("reference")
        self._wanted: dict[bool, Schema] = {blind: dump(url, bin_dir, name_blind=blind) for blind in (False, True)}
        self._maker = Maker(self.databases, self.chain, self.engine, self._wanted[False])

    def run(self, on_result: OnResult) -> list[Result]:
        """Make and judge every state that was asked for, two at a time."""
        with ThreadPoolExecutor(self.asked.jobs) as pool:
            waiting = [pool.submit(self._seed, seed, bare, on_result) for seed, bare in self._prefixes()]
            return [result for future in waiting for result in future.result()]

    def _prefixes(self) -> Iterator[tuple[int, str]]:
        """For every seed a database with its prefix, no rows. The chain is replayed once for all of them."""
        if set(self.asked.kinds) <= {"empty", "orm"}:
            yield from ((seed, "") for seed in self.asked.seeds)
            return
        rolling = self.databases.copy("empty", "rolling")
        done = 0
        for seed in sorted(self.asked.seeds, key=self._maker.position):
            position = self._maker.position(seed)
            with connect(self.databases.url(rolling)) as conn:
                replay(conn, self.chain.files[done:position])
            done = position
            yield seed, self.databases.copy(rolling, f"bare_{seed}")

    def _seed(self, seed: int, bare: str, on_result: OnResult) -> list[Result]:
        results = []
        for result in self._states(seed, bare):
            on_result(result)
            results.append(result)
        return results

    def _states(self, seed: int, bare: str) -> Iterator[Result]:
        """All the kinds of one seed share a prefix and its rows."""
        base = self._maker.base(seed, bare) if bare else Base("", "", 0, Filling(()), {}, {})
        twin, broken = "", False
        for kind in self.asked.kinds:
            if kind == "empty" and seed != min(self.asked.seeds):
                continue
            ledger = "absent" if broken else self.asked.ledger_of(kind, seed, self.engine)
            if ledger != "absent" and not twin:
                try:
                    twin = self._maker.ledger_base(base)
                except EngineError as reason:  # said once; the other kinds are made without a ledger
                    broken = True
                    yield self._result(kind, ledger, seed, [], Outcome("wrong", [str(reason)]))
                    continue
                except CannotMakeError:
                    broken, ledger = True, "absent"
            try:
                state = self._maker.make(kind, ledger, seed, base, base.database if ledger == "absent" else twin)
            except EngineError as reason:
                yield self._result(kind, ledger, seed, [], Outcome("wrong", [str(reason)]))
            except CannotMakeError:
                continue
            else:
                yield self._judged(kind, ledger, seed, state)
        if bare:
            self._drop(base.database, bare, *([twin] if twin else []))

    def _judged(self, kind: str, ledger: str, seed: int, state: State) -> Result:
        database = self.databases.copy(state.database)
        run = self.engine.up(self.databases.url(database), state.position)
        try:
            outcome = judge(self.databases, state, database, run, self._wanted[state.name_blind])
        except Exception:  # noqa: BLE001 - one state must not end the whole run
            outcome = Outcome("wrong", [traceback.format_exc().strip()[-600:]])
        peers = {peer.name: self._peer(peer, state) for peer in self.peers}
        if self.asked.keep:
            print(f"before: {self.databases.url(state.database)}\nafter:  {self.databases.url(database)}")
        else:
            self._drop(state.database, database)
        return replace(self._result(kind, ledger, seed, state.acts, outcome), peers=peers)

    def _peer(self, peer: Engine, state: State) -> str:
        database = self.databases.copy(state.database)
        run = peer.up(self.databases.url(database), state.position)
        verdict = judge(self.databases, state, database, run, self._wanted[state.name_blind]).verdict
        self.databases.drop(database)
        return verdict

    def _drop(self, *names: str) -> None:
        if not self.asked.keep:
            self.databases.drop(*names)

    def _result(self, kind: str, ledger: str, seed: int, acts: list[str], outcome: Outcome) -> Result:
        return Result(self.chain.name, kind, ledger, seed, acts, outcome)
