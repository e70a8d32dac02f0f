"""NOT NULL on a column that is there: the rows are checked before the strong lock, not under it."""

from __future__ import annotations

from trueup.planning.safe.model import Form, Part, Work, validate
from trueup.planning.safe.names import made_up

_NATIVE = 18  # from then on NOT NULL itself can be NOT VALID


def not_null(work: Work, column: str) -> Form:
    """The form for one column."""
    key = f"not null {work.table}.{column}"
    alter = f"ALTER TABLE {work.table}"
    if work.live.major >= _NATIVE:
        name = made_up(work.table, column, "not_null")  # as SET NOT NULL would call it
        return Form(before=_checked(work, key, name, f"{alter} ADD CONSTRAINT {name} NOT NULL {column} NOT VALID"))
    helper = work.helper(key)
    check = f"CHECK ({column} IS NOT NULL) NOT VALID"
    added = f"{alter} DROP CONSTRAINT IF EXISTS {helper}, ADD CONSTRAINT {helper} {check}"
    return Form(
        before=_checked(work, key, helper, added),
        clauses=(f"ALTER COLUMN {column} SET NOT NULL",),
        then=(f"{alter} DROP CONSTRAINT {helper}",),
        why="NOT NULL follows from a CHECK that was validated before, so no row is read under the lock",
    )


def _checked(work: Work, key: str, name: str, added: str) -> tuple[Part, Part]:
    why = "new rows are checked from here on, those that are there later"
    return (
        Part(statements=(added,), why=why, locks={work.table: "AE"}, makes={key: ""}),
        validate(work.table, name, {key: ""}),
    )
