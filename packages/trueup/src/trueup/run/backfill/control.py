"""What people ask of a backfill from elsewhere: to pause, to go on, to end, to begin anew."""

from __future__ import annotations

from typing import Any, Literal

from psycopg import Connection

from trueup.catalog.keys import literal
from trueup.errors import UsageError
from trueup.run.backfill.position import Standing, standings
from trueup.run.lease import MARK

Word = Literal["pause", "resume", "cancel", "forget"]


def ask(conn: Connection[Any], chain: str, name: str, word: Word) -> Standing:
    """Write a wish beside a backfill's position; it is heeded before the next batch.

    Raises:
        UsageError: no such backfill has begun, or it is finished.
    """
    found = {standing.name: standing for standing in standings(conn, chain)}
    if name not in found:
        known = ", ".join(standing.name for standing in found.values() if not standing.finished)
        raise UsageError(
            f"no backfill {name} has begun in this database",
            hint=f"These have: {known}" if known else "`trueup plan` shows what is left to do.",
        )
    if found[name].finished and word != "forget":
        raise UsageError(f"the backfill {name} is finished", hint="Nothing is left of it to pause, go on or cancel.")
    where = f"chain = {literal(chain)} AND name = {literal(name)}"
    if word == "forget":
        conn.execute(f"{MARK}DELETE FROM trueup.backfills WHERE {where}".encode())
    else:
        wish = "run" if word == "resume" else word
        conn.execute(f"{MARK}UPDATE trueup.backfills SET wish = {literal(wish)} WHERE {where}".encode())
    return found[name]
