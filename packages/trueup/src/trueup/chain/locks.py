"""PostgreSQL's table-level lock modes: their letters in the lock file, and their names in words and in `pg_locks`."""

from __future__ import annotations

MODES = {
    "AS": "ACCESS SHARE",
    "RS": "ROW SHARE",
    "RX": "ROW EXCLUSIVE",
    "SUE": "SHARE UPDATE EXCLUSIVE",
    "S": "SHARE",
    "SRE": "SHARE ROW EXCLUSIVE",
    "X": "EXCLUSIVE",
    "AE": "ACCESS EXCLUSIVE",
}
"""In PostgreSQL's words, weakest first."""

STRONG = frozenset({"S", "SRE", "X", "AE"})
"""The modes that make writers wait."""

STRENGTH = {letters: rank for rank, letters in enumerate(MODES)}
PG_LOCKS = {letters: words.title().replace(" ", "") + "Lock" for letters, words in MODES.items()}
"""As the view `pg_locks` calls them, such as `ShareUpdateExclusiveLock`."""
