"""What pending steps take away or change so that the server refuses as long as somebody's view or key hangs on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from trueup.catalog.keys import TYPES, identity_of, kind_of, mentions, own_name, table_of
from trueup.chain.model import Effect, LockedChain, Step
from trueup.decide.model import Conflict, Decision
from trueup.decide.trajectory import Trajectories

_WITH_OTHERS = ("schema", "extension", "table", "column", "function", *TYPES)
"""Kinds of which a table or a column may be made, or be in."""
_VIEWS = ("view", "materialized view")


class Leaving(NamedTuple):
    """A table, one of its columns, or a view, and the step that drops it; or that changes the column's type.

    `early` are views of later steps: where one of them hangs on a view that goes, it is in the way as well.
    """

    step: str
    table: str
    column: str = ""
    is_retyped: bool = False
    early: frozenset[str] = frozenset()

    def conflict(self, holder: str) -> Conflict:
        """For what no step before it has made and what hangs on it."""
        what = f"{self.table}.{self.column}" if self.column else self.table
        maker = "a later step has made early" if holder in self.early else "no step makes"
        done = f"changes the type of {what}" if self.is_retyped else f"drops {what}"
        return Conflict(
            about=self.step,
            why=f"it {done}, and {holder}, which {maker}, hangs on it",
            hint="Drop that, run `trueup up`, then make it again as it has to be.",
        )


class Cascading(NamedTuple):
    """What a step drops with all that hangs on it: a fact's kind and name; of a column its table's, and its own."""

    step: str
    kind: str
    name: str
    column: str = ""

    def conflict(self, holder: str) -> Conflict:
        """For a table or a column that no step has made and that would go along, with its rows or values."""
        what = f"{self.name}.{self.column}" if self.column else self.name
        return Conflict(
            about=self.step,
            why=f"it drops {what} with CASCADE, and {holder}, which no step makes, would go with that",
            hint="Move it elsewhere, or drop it where nobody needs it, then run `trueup up` again.",
        )


def cascading(locked: LockedChain, decision: Decision) -> Iterator[Cascading]:
    """Of each pending step."""
    for verdict in decision.pending:
        step, effect = locked.steps[verdict.index], locked.effects[verdict.index]
        if "cascade" not in step.sql.lower():
            continue
        gone = dict.fromkeys(key for part in (*effect.parts, effect) for key in part.gone if key in decision.found)
        for key in (key for key in gone if kind_of(key) in _WITH_OTHERS):
            is_column = key.startswith("column ")
            if not is_column:
                yield Cascading(step.id, kind_of(key), identity_of(key))
            elif f"table {table_of(key)}" not in gone:
                yield Cascading(step.id, "column", table_of(key), own_name(identity_of(key)))


def leaving(locked: LockedChain, decision: Decision, paths: Trajectories) -> Iterator[Leaving]:
    """Of each pending step; what says CASCADE takes along what hangs on it."""
    gone: set[str] = set()  # by the steps that are to run before
    for verdict in decision.pending:
        step, effect = locked.steps[verdict.index], locked.effects[verdict.index]
        going = {key for part in (effect, *effect.parts) for key in part.gone}
        gone |= going | {*verdict.aside, *verdict.cleared}
        if "cascade" in step.sql.lower():
            continue
        drops_views = any(kind_of(key) in _VIEWS for key in going)
        early = _views_early(step, verdict.index, decision.found, paths) - gone if drops_views else frozenset()
        parts = effect.parts or (effect,)
        tags = step.tags if effect.parts else step.tags[-1:]
        for part, tag in zip(parts, tags, strict=False):
            yield from _of_statement(step.id, part, tag, decision.found, early)


def _views_early(step: Step, index: int, found: Mapping[str, str], paths: Trajectories) -> frozenset[str]:
    """The views that are there, and in the chain are not at this place; not those that the step names."""
    views = (key for key in found if kind_of(key) in _VIEWS and paths.value_at(key, index) is None)
    return frozenset(key for key in views if not mentions(step.sql, identity_of(key)))


def _of_statement(
    step: str, part: Effect, tag: str, found: Mapping[str, str], early: frozenset[str]
) -> Iterator[Leaving]:
    gone = [key for key in part.gone if key in found]
    if tag == "drop_stmt":
        yield from (Leaving(step, identity_of(key)) for key in gone if key.startswith("table "))
        yield from (Leaving(step, identity_of(key), early=early) for key in gone if kind_of(key) in _VIEWS)
    if tag == "alter_table_stmt":
        retyped = [key for key, value in part.set.items() if found.get(key, value) != value]
        for keys, is_retyped in ((gone, False), (retyped, True)):
            columns = (key for key in keys if key.startswith("column "))
            yield from (Leaving(step, table_of(key), own_name(identity_of(key)), is_retyped) for key in columns)
