"""Steps of which nothing is left in the catalog, as far as their own text tells what they need."""

from __future__ import annotations

import re

from trueup.chain.grammar import parse_each
from trueup.chain.model import Step
from trueup.chain.sequences import sequences_set
from trueup.decide.model import StepVerdict, assume, conflict, run
from trueup.decide.numbers import have_numbers_past, sequences_are_past
from trueup.decide.rows import Rows

_OF_OBJECTS = frozenset(
    {
        *("create_stmt", "index_stmt", "view_stmt", "create_seq_stmt", "create_function_stmt", "create_trig_stmt"),
        *("drop_stmt", "alter_table_stmt", "alter_enum_stmt", "rename_stmt"),
    }
)
_ASKS_FIRST = re.compile(r"\bIF\s+(?:NOT\s+)?EXISTS\b|\bOR\s+REPLACE\b", re.IGNORECASE)
_SETS_SEQUENCE = re.compile(r"\b(?:setval|restart)\b", re.IGNORECASE)
_ONCE = ("create_", "define_", "drop_", "rename_")


def in_empty(index: int, step: Step) -> StepVerdict:
    """The verdict for a step that leaves no trace in the catalog, where no step before it was there."""
    if step.has_data:
        return run(index, "the database is empty")
    if found_it_so(step):
        return changes_nothing(index)
    return run(index, "it changes nothing in the catalog, and is pending")


def changes_nothing(index: int) -> StepVerdict:
    """It need not run."""
    return StepVerdict(index=index, verdict="reconcile", reason="it changes nothing in the catalog")


def sets_sequences(step: Step) -> bool:
    """True for a step that does nothing but set sequences to numbers."""
    return _SETS_SEQUENCE.search(step.sql) is not None and all(map(sequences_set, parse_each(step.statements)))


def as_it_is_here(index: int, step: Step, rows: Rows, *, before: bool) -> StepVerdict | None:
    """Where the sequences that it sets to a number tell, or the views that it refreshes.

    No sequence is set back to numbers that rows have.
    """
    if before and set(step.tags) == {"refresh_mat_view_stmt"} and rows.has_unfilled_view(step):
        return run(index, "the view that it fills is not filled yet")
    if not sets_sequences(step):
        return None
    sequence_is, rows_are = sequences_are_past(step, rows), have_numbers_past(step, rows)
    if before and (sequence_is or rows_are):
        return assume(index, "what it sets is past that number")
    if sequence_is and rows_are:
        return conflict(index, "the sequence is past that, and rows have numbers that it would give out again")
    return None


def can_be_repeated(step: Step) -> bool:
    """False for what makes, renames or drops something that is no fact: the server refuses to do it twice."""
    pairs = zip(step.tags, step.statements, strict=True)
    return not any(tag.startswith(_ONCE) and not _ASKS_FIRST.search(text) for tag, text in pairs)


def found_it_so(step: Step) -> bool:
    """True for `CREATE … IF NOT EXISTS`, `DROP … IF EXISTS` and the like that had nothing to do in the chain.

    Here they could meet what a later step has made or taken away early.
    """
    return _OF_OBJECTS.issuperset(step.tags) and all(map(_ASKS_FIRST.search, step.statements))
