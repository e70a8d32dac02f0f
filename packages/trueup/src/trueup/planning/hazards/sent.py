"""What `up` sends for a step where the tables are big: its safe form, or why it refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from trueup.catalog.keys import identity_of
from trueup.chain.model import Chain, Effect, LockedChain, Step
from trueup.planning.live import Live, Relation
from trueup.planning.model import Action
from trueup.planning.safely import Safely

_MANY = 1 << 40  # rows, and bytes: what is small here may be big elsewhere


class Sent(NamedTuple):
    """`statements`, and whether they are not those that were written; `is_refused`: a person would have to decide."""

    statements: tuple[str, ...]
    is_safe_form: bool = False
    is_refused: bool = False


class _Big(Mapping[str, Relation]):
    """Every table that there is a fact of, as a big one."""

    def __init__(self, facts: Mapping[str, str]) -> None:
        self._facts = facts

    def __getitem__(self, table: str) -> Relation:
        return Relation(rows=_MANY, bytes=_MANY, is_partitioned="PARTITION BY" in self._facts[f"table {table}"])

    def __iter__(self) -> Iterator[str]:
        return (identity_of(key) for key in self._facts if key.startswith("table "))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Sending:
    """Plans steps one after the other, as if every table that is there before the first of them were big."""

    def __init__(self, steps: Sequence[Step], effects: Sequence[Effect], facts: Mapping[str, str]) -> None:
        chain = Chain(name="", folder="", digest="", steps=tuple(steps))
        locked = LockedChain(chain=chain, effects=tuple(effects), base={}, scratch_major=0)
        before = dict(facts)  # the caller's follow the chain
        self._steps = steps
        self._safely = Safely(locked, Live(relations=_Big(before)), before)

    def of(self, index: int) -> Sent:
        """The step at this place; to be asked of each in turn."""
        step = self._steps[index]
        action = Action(
            step=index,
            id=step.id,
            verdict="run",
            reason="",
            statements=step.statements,
            transaction=not step.no_transaction,
            context=step.context,
        )
        known = len(self._safely.conflicts)
        found = self._safely.sent_as(action)
        if len(self._safely.conflicts) > known:
            return Sent(step.statements, is_refused=True)
        statements = tuple(text for one in found for text in one.statements)
        return Sent(statements, is_safe_form=statements != step.statements)
