"""Constraints: added NOT VALID and validated later, or on an index that was built before."""

from __future__ import annotations

import re

from trueup.catalog.canonical import writable_list
from trueup.planning.safe.model import Form, Hazard, Part, Work, validate
from trueup.planning.safe.not_null import not_null
from trueup.planning.safe.references import parent_of

_KEY = re.compile(
    r"^(?P<kind>UNIQUE|PRIMARY KEY)(?P<nulls> NULLS NOT DISTINCT)? (?P<columns>\([^()]+\))"
    r"(?P<include> INCLUDE \([^()]+\))?(?P<tail>(?: NOT)?(?: DEFERRABLE)?(?: INITIALLY DEFERRED)?)$"
)
_NOT_VALID_KEYS = 18  # from then on a partitioned table may have foreign keys that are not valid


def constraint(work: Work, name: str, value: str) -> Form:
    """The form for one constraint, given as the server writes it.

    Raises:
        Hazard: there is none.
    """
    if value.startswith("CHECK"):
        return _checked_later(work, name, value)
    if value.startswith("FOREIGN KEY"):
        return _foreign_key(work, name, value)
    if match := _KEY.match(value):
        return _key(work, name, match)
    what = "an EXCLUDE constraint" if value.startswith("EXCLUDE") else f"the constraint {name} ({value})"
    raise Hazard(work.table, f"it builds the index of {what}, for which there is no way beside the table's use")


def _checked_later(work: Work, name: str, value: str, also: dict[str, str] | None = None) -> Form:
    return Form(
        clauses=(f"ADD CONSTRAINT {name} {writable_list(value)} NOT VALID",),
        after=(validate(work.table, name, {f"validated {work.table}.{name}": ""}, also),),
        why="new rows are checked from here on, those that are there later",
    )


def _foreign_key(work: Work, name: str, value: str) -> Form:
    if work.live.is_partitioned(work.table) and work.live.major < _NOT_VALID_KEYS:
        raise Hazard(
            work.table,
            f"it checks every row for the foreign key {name}, and before PostgreSQL 18 a partitioned table "
            "can have none that is NOT VALID",
        )
    parent = parent_of(value)
    return _checked_later(work, name, value, {parent: "RS"} if parent and parent != work.table else None)


def _key(work: Work, name: str, match: re.Match[str]) -> Form:
    if work.live.is_partitioned(work.table):
        raise Hazard(work.table, f"it builds the indexes of {name}, and a partitioned table cannot take one over")
    helper = work.helper(f"{name} {match[0]}")
    form = Form()
    if match["kind"] == "PRIMARY KEY":
        new = work.new("not null")
        for column in work.primary_key:
            if column in new:
                form += not_null(work, column)
    definition = f"{match['columns']}{match['include'] or ''}{match['nulls'] or ''}"
    built = Part(
        statements=(f"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS {helper} ON {work.table} {definition}",),
        why="the index is built while readers and writers go on",
        locks={work.table: "SUE"},
        makes={f"constraint {work.table}.{name}": match[0]},
        transaction=False,
        helpers=(f"index {work.schema}.{helper}",),
    )
    return form + Form(
        before=(built,),
        clauses=(f"ADD CONSTRAINT {name} {match['kind']} USING INDEX {helper}{match['tail']}",),
        why="the constraint takes over the index that is there",
    )
