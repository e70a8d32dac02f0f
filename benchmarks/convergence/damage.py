"""What people do to a database by hand. Each function changes a database and says what it did."""

from __future__ import annotations

import random
from collections.abc import Collection
from pathlib import Path

import psycopg

from benchmarks.convergence.chains import Chain, Statement
from benchmarks.convergence.replay import send

_FOLDER = Path(__file__).parent
_OBJECTS = (_FOLDER / "objects.sql").read_text()
_ORM = [(_FOLDER / name).read_text() for name in ("orm.sql", "orm_functions.sql")]

# How often a kind of object is chosen, in parts.
_WEIGHTS = {
    "column": 5,
    "constraint": 4,
    "index": 5,
    "default": 2,
    "not null": 2,
    "view": 3,
    "function": 3,
    "trigger": 2,
    "policy": 2,
    "sequence": 1,
    "table": 1,
}
_MOST_DROPS = 4
_MOST_EARLY = 8
_EARLY_TRIES = 80


def droppable(conn: psycopg.Connection) -> set[str]:
    """Statements that would drop each object that is there."""
    return {act for _, _, act in conn.execute(_OBJECTS)}


def drop_by_hand(conn: psycopg.Connection, rng: random.Random, spare: Collection[str]) -> list[str]:
    """Drop one to four objects that a person could have dropped, with what depends on them; none of `spare`."""
    acts: list[str] = []
    wanted = rng.randint(1, _MOST_DROPS)
    for _ in range(wanted * 5):
        objects: dict[str, list[str]] = {}
        for kind, _name, act in conn.execute(_OBJECTS):
            if act not in spare:
                objects.setdefault(kind, []).append(act)
        kinds = [kind for kind in _WEIGHTS if kind in objects]
        if not kinds or len(acts) == wanted:
            break
        kind = rng.choices(kinds, [_WEIGHTS[kind] for kind in kinds])[0]
        act = rng.choice(objects[kind])
        if send(conn, act) is None:
            acts.append(act)
    return acts


def apply_early(conn: psycopg.Connection, chain: Chain, position: int, rng: random.Random) -> list[str]:
    """Apply a few statements of later files, those that the server takes. None that writes rows: nobody could know.

    Half of the time neighbours are taken, as someone does who applies a file by hand; otherwise single ones.
    """
    later = [
        (file.name, ordinal, one) for file in chain.files[position:] for ordinal, one in enumerate(file.statements)
    ]
    later = [(name, ordinal, one) for name, ordinal, one in later if _can_come_early(one)]
    if not later:
        return []
    wanted = rng.randint(1, _MOST_EARLY)
    if rng.random() < 0.5:
        start = rng.randrange(len(later))
        candidates = later[start : start + wanted * 2]
    else:
        candidates = rng.sample(later, min(len(later), _EARLY_TRIES))
    acts: list[str] = []
    for name, ordinal, statement in candidates:
        if len(acts) == wanted:
            break
        if send(conn, statement.text) is None:
            acts.append(f"{name} statement {ordinal + 1}: {' '.join(statement.text.split())[:100]}")
    return acts


def _can_come_early(statement: Statement) -> bool:
    text = statement.text.lower()
    copies_rows = statement.tag == "create_table_as_stmt" and "materialized" not in text
    return not (statement.writes_rows or statement.is_context or copies_rows or statement.tag == "create_role_stmt")


def orm_acts(conn: psycopg.Connection) -> list[str]:
    """Every statement that makes a database more like what an ORM leaves."""
    return [act for query in _ORM for (act,) in conn.execute(query)]


def make_like_an_orm(conn: psycopg.Connection, spare: Collection[str]) -> list[str]:
    """Turn a database at the chain's end into what an ORM's `create_all` leaves.

    The tables have their final columns, keys and indexes. Gone are server defaults (but for serial ones), triggers,
    policies, views, functions that nothing needs, and all rows; indexes and foreign keys have an ORM's names. None of
    the acts in `spare` is done.
    """
    acts = [act for act in orm_acts(conn) if act not in spare]
    done = [act for act in acts if send(conn, act) is None]
    return [f"{len(done)} changes, as an ORM would have made it"]
