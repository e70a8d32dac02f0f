"""Which tables have rows: known only by asking. A question is noted; with the answer the decision is made anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping


class Rows:
    """What is known of the rows. `asked` are the tables whose answer would matter and is not known yet."""

    def __init__(self, live: Mapping[str, str], known: Mapping[str, bool]) -> None:
        self._live = live
        self._known = known
        self.asked: set[str] = set()

    def none_in(self, tables: Collection[str]) -> bool:
        """True where all of these tables are empty or not there; as long as that is not known, false."""
        there = [table for table in tables if f"table {table}" in self._live]
        unknown = {table for table in there if table not in self._known}
        self.asked |= unknown
        return bool(tables) and not unknown and not any(self._known[table] for table in there)
