"""Chains whose effects are told by the test, so that deciding can be tested without a server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from trueup.chain.grammar import parse_statements
from trueup.chain.model import Chain, Effect, LockedChain, Step
from trueup.chain.naming import derived_name
from trueup.chain.statements import is_guarded
from trueup.decide.decide import decide
from trueup.decide.model import Decision, Marks, Wish
from trueup.decide.trajectory import fold

Made = tuple[Step, Effect]


def step(
    sql: str,
    facts: Mapping[str, str] | None = None,
    *,
    gone: Iterable[str] = (),
    locks: Mapping[str, str] | None = None,
    file: str = "",
    parts: tuple[Effect, ...] = (),
    **more: Any,
) -> Made:
    """One step and its effect; `file` is a number, by default each step has a file of its own."""
    statements = parse_statements(sql)
    made = Step(
        id=derived_name(statements[0]),
        migration=file,
        number=file,
        path=file,
        line=1,
        statements=tuple(s.text for s in statements),
        tags=tuple(s.tag for s in statements),
        hash=str(hash(sql)),
        guarded=all(is_guarded(s) for s in statements),
    )
    return made._replace(**more), Effect(set=dict(facts or {}), gone=tuple(gone), locks=dict(locks or {}), parts=parts)


def chain_of(*made: Made, base: Mapping[str, str] | None = None) -> LockedChain:
    """A locked chain of these steps. Their ids are the numbers of their files and their names."""
    steps = []
    names: Counter[str] = Counter()
    for position, (one, _) in enumerate(made, 1):
        number = one.number or str(position)
        name = f"{number}_{one.id}"
        names[name] += 1
        unique = name if names[name] == 1 else f"{name}_{names[name]}"
        steps.append(one._replace(id=unique, number=number, migration=number, path=f"{number}.sql"))
    return LockedChain(
        chain=Chain(name="shop", folder="nowhere", digest="0" * 32, steps=tuple(steps)),
        effects=tuple(effect for _, effect in made),
        base=dict(base or {}),
        scratch_major=18,
    )


def state(locked: LockedChain, steps: Iterable[int] | int) -> dict[str, str]:
    """The facts after these steps, or after the first so many."""
    indexes = range(steps) if isinstance(steps, int) else steps
    return {key: value for key, value in fold(locked.effects, indexes, locked.base).items() if value is not None}


def decided(
    locked: LockedChain,
    live: Mapping[str, str],
    *,
    marked: Iterable[int] = (),
    adopted: Iterable[int] = (),
    wish: Wish | None = None,
) -> Decision:
    """The decision for these facts; `marked` are marks of trueup's own, `adopted` those of an older ledger."""
    own, others = frozenset(marked), frozenset(adopted)
    return decide(locked, live, Marks(done=own | others, own=own), wish)


def verdicts(decision: Decision) -> list[str]:
    """One verdict per step."""
    return [one.verdict for one in decision.steps]
