"""What deciding costs, in milliseconds: `python -m benchmarks.convergence.cost [LOCKED_CHAIN_DIR...]`. No server.

Without folders, a chain is made up: 3,000 steps that end in 3,000 facts, with renames, drops and data steps among them.
Every database is decided about at three places, each as it stands there, with one fact in fifty lost, and with one in
fifty of the later ones early.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

from trueup.api import load
from trueup.chain.model import Chain, Effect, LockedChain, Step
from trueup.decide.decide import decide
from trueup.decide.model import Marks
from trueup.decide.trajectory import Trajectories, fold

BAR_MS = 300
_TABLES, _PLACES, _TIMES, _SHARE = 300, (0.3, 0.6, 1.0), 3, 50


def main() -> int:
    """Print one line per chain and kind of database; 0 if the slowest is under the bar."""
    chains = [load(Path(folder)) for folder in sys.argv[1:]] or [made_up()]
    slowest = 0.0
    print(f"{'chain':<18}{'steps':>7}{'facts':>7}  {'database':<10}{'slowest ms':>11}")
    for locked in chains:
        for kind in ("prefix", "dropped", "early"):
            took = max(_decide(locked, kind, int(len(locked.steps) * share)) for share in _PLACES)
            facts = len(_facts(locked, len(locked.steps)))
            print(f"{locked.chain.name:<18}{len(locked.steps):>7}{facts:>7}  {kind:<10}{took:>11.0f}")
            slowest = max(slowest, took)
    print(f"{'pass' if slowest < BAR_MS else 'FAIL'}: {slowest:.0f} ms, the bar is {BAR_MS} ms")
    return 0 if slowest < BAR_MS else 1


def _decide(locked: LockedChain, kind: str, place: int) -> float:
    """Milliseconds of processor time: the best of a few, trajectories included."""
    live = _facts(locked, place)
    rng = random.Random(place)
    if kind == "dropped":
        live = {key: value for key, value in live.items() if rng.randrange(_SHARE)}
    elif kind == "early":
        final = _facts(locked, len(locked.steps))
        live |= {key: value for key, value in final.items() if key not in live and not rng.randrange(_SHARE)}
    best = float("inf")
    for _ in range(_TIMES):
        started = time.process_time()
        decide(locked, live, Marks(), paths=Trajectories(locked.effects, locked.base))
        best = min(best, time.process_time() - started)
    return best * 1000


def _facts(locked: LockedChain, place: int) -> dict[str, str]:
    state = fold(locked.effects, range(place), locked.base)
    return {key: value for key, value in state.items() if value is not None}


def made_up() -> LockedChain:
    """Ten steps for each of 300 tables, in waves, as a project grows."""
    waves = [[_steps_of(f"public.t{number}") for number in range(start, start + 10)] for start in range(0, _TABLES, 10)]
    made = [step for wave in waves for column in zip(*wave, strict=True) for step in column]
    steps = tuple(_step(number, sql) for number, (sql, _) in enumerate(made))
    chain = Chain(name="made up", folder="", digest="", steps=steps)
    return LockedChain(chain=chain, effects=tuple(effect for _, effect in made), base={}, scratch_major=18)


def _steps_of(table: str) -> list[tuple[str, Effect]]:
    writes = {table: "RX"}
    return [
        (f"CREATE TABLE {table} ()", _sets(f"table {table}", f"column {table}.id", f"not null {table}.id")),
        (
            f"ALTER TABLE {table} ADD a text",
            _sets(f"column {table}.a", f"default {table}.a", f"comment on column {table}.a"),
        ),
        (f"UPDATE {table} SET a = b", Effect(locks=writes)),
        (f"ALTER TABLE {table} ALTER a SET NOT NULL", _sets(f"not null {table}.a")),
        (f"ALTER TABLE {table} ADD b text", _sets(f"column {table}.b")),
        (f"CREATE INDEX ON {table} (b)", _sets(f"index {table}_b", f"valid {table}_b", value=f"ON {table} (b)")),
        (f"ALTER TABLE {table} RENAME b TO c", Effect(set={f"column {table}.c": "text"}, gone=(f"column {table}.b",))),
        (f"INSERT INTO {table} (a) SELECT 1", Effect(locks=writes)),
        (f"ALTER TABLE {table} ADD d text", _sets(f"column {table}.d", f"default {table}.d", value="text")),
        (f"ALTER TABLE {table} DROP d", Effect(gone=(f"column {table}.d", f"default {table}.d"))),
    ]


def _sets(*keys: str, value: str = "") -> Effect:
    return Effect(set=dict.fromkeys(keys, value))


def _step(number: int, sql: str) -> Step:
    tags = {"UPDATE": "update_stmt", "INSERT": "insert_stmt", "CREATE": "create_stmt", "ALTER": "alter_table_stmt"}
    return Step(
        id=f"{number // 3}_{number}",
        migration=str(number // 3),
        number=str(number // 3),
        path=f"{number // 3}.sql",
        line=1,
        statements=(sql,),
        tags=(tags[sql.split(maxsplit=1)[0]],),
        hash=str(number),
    )


if __name__ == "__main__":
    sys.exit(main())
